import Testing

@testable import CortexGateway

@Suite struct ExchangeTests {
    @Test(
        arguments: [
            ("/iris", "/iris", ""), ("/iris?", "/iris", ""), ("/iris?a=1", "/iris", "a=1"),
            ("/iris?a=1?b=2", "/iris", "a=1?b=2"), ("/?x", "/", "x"), ("?x", "", "x"), ("", "", ""), ("*", "*", ""),
            ("http://host/iris?a", "/iris", "a"), ("http://host:8888/iris", "/iris", ""), ("http://host", "", ""),
            ("http://host?a=/b", "", "a=/b"), ("HTTP://[::1]:80/x", "/x", ""), ("//host/iris", "//host/iris", ""),
            ("/a://b/c", "/a://b/c", ""), ("localhost:22", "localhost:22", ""),
            ("/iris?\u{301}a=1", "/iris", "\u{301}a=1"),  // an accent right after the mark belongs to the query
        ]
    )
    func `a target is a path and a query`(uri: String, path: String, query: String) {
        let parts = Exchange.split(uri)
        #expect(Array(parts.path.utf8) == Array(path.utf8))
        #expect(Array(parts.query.utf8) == Array(query.utf8))
    }
}
