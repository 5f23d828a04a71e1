import CortexSpec

/// How large a body may be, and who says so.
struct BodyLimit {
    var bytes: Int
    /// Whose `networking.max_body_size` it is; nil for the server's own.
    var api: APIName?

    /// The smaller of the server's and the API's.
    init(of target: RouteTable.Target, server: Int) {
        guard case .api(let route) = target, let own = route.maximumBodySize, own < server else {
            self.init(bytes: server)
            return
        }
        self.init(bytes: own, api: route.api)
    }

    init(bytes: Int, api: APIName? = nil) {
        self.bytes = bytes
        self.api = api
    }

    /// What an encoded body may take on the wire: the limit is for what comes of it, but one that yields nothing ends too.
    var encodedBytes: Int {
        let (sum, overflow) = self.bytes.addingReportingOverflow(self.bytes >> 6 + 4096)
        return overflow ? .max : sum
    }
}
