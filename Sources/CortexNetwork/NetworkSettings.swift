package import NIOCore

/// The times that a gateway gives to replicas across the network.
package struct NetworkSettings: Sendable {
    /// What a connection may take to come about: a replica that is gone is to be left within a second.
    package var connectTimeout = TimeAmount.milliseconds(900)
    /// How long what was sent may stay without the other kernel's acknowledgement.
    package var silence = TimeAmount.milliseconds(900)
    /// A connection that nobody used for so long is closed: before the replica closes it.
    package var idleTimeout = TimeAmount.seconds(55)
    /// How long a request waits for a replica that has to be started for it.
    package var wakeTimeout = TimeAmount.seconds(120)
    /// How long requests are still held once no replica is ready: what is known of replicas and of their API's sleep comes by
    /// different ways, in any order.
    package var settleTime = TimeAmount.seconds(5)
    /// An answer up to this size is passed on whole; a larger one as it comes.
    package var wholeAnswer = 64 << 10

    package init() {}
}
