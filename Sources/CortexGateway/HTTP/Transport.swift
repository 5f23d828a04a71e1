/// What carries a connection's answers.
enum Transport {
    /// HTTP/1.1 on a bare socket, to which the kernel can copy a file.
    case plain
    /// HTTP/1.1 on TLS.
    case encrypted
    /// One stream of an HTTP/2 connection: one request, one answer.
    case stream
}
