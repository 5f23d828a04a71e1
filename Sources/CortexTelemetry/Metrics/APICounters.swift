package import NIOCore

/// What is counted of one API on one event loop; added up when somebody asks.
package struct APICounters: Hashable, Sendable {
    /// Predictions answered, errors included.
    package private(set) var predictions = StatusCounts()
    /// What was answered without its predictor: summaries, preflights, methods that it does not have.
    package private(set) var others = StatusCounts()
    /// Clients that left, by how far their request had come.
    package private(set) var cancelled: [String: UInt64] = [:]
    /// Requests refused without being tried, by reason.
    package private(set) var shed: [String: UInt64] = [:]
    package private(set) var duration = Histogram()
    package private(set) var queue = Histogram()
    package private(set) var predict = Histogram()

    package init() {}

    /// All answers.
    package var requests: StatusCounts {
        var all = self.predictions
        all += self.others
        return all
    }

    package mutating func answered(_ status: Int, total: TimeAmount, queue: TimeAmount?, predict: TimeAmount?) {
        self.predictions.add(status)
        self.duration.record(total)
        if let queue { self.queue.record(queue) }
        if let predict { self.predict.record(predict) }
    }

    package mutating func answeredWithoutPredictor(_ status: Int) { self.others.add(status) }

    package mutating func wasCancelled(stage: String) { self.cancelled[stage, default: 0] += 1 }

    package mutating func wasShed(reason: String) { self.shed[reason, default: 0] += 1 }

    package static func += (lhs: inout Self, rhs: Self) {
        lhs.predictions += rhs.predictions
        lhs.others += rhs.others
        lhs.cancelled.merge(rhs.cancelled, uniquingKeysWith: +)
        lhs.shed.merge(rhs.shed, uniquingKeysWith: +)
        lhs.duration += rhs.duration
        lhs.queue += rhs.queue
        lhs.predict += rhs.predict
    }
}
