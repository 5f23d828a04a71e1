#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A second descriptor of the same open file, with a life of its own.
func duplicate(_ descriptor: CInt) -> CInt {
    fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
}
