/// The version of this program: command line, server and worker are one.
package enum CortexVersion {
    package static let current = "0.1.0"
}
