import CortexSpec
import Testing

@Suite struct ModelAddressTests {
    @Test(arguments: [
        ("models/iris/", ModelAddress.path("models/iris/")),
        ("/abs/olute", .path("/abs/olute")),
        ("~/models", .path("~/models")),
        ("~", .path("~")),
        ("../up", .path("../up")),
        ("a:b//c", .path("a:b//c")),
        ("file:///abs/a%20b/", .path("/abs/a b/")),
        ("file://localhost/abs", .path("/abs")),
        ("s3://bucket/key", .url("s3://bucket/key/")),
        ("S3://bucket/a/b///", .url("s3://bucket/a/b/")),
        ("gs://bucket/", .url("gs://bucket/")),
        ("az://container/x", .url("az://container/x/")),
        ("abfs://container@account.dfs.core.windows.net/x", .url("abfs://container@account.dfs.core.windows.net/x/")),
        ("http://host:8000", .url("http://host:8000/")),
        ("https://host/models/iris", .url("https://host/models/iris/")),
    ]) func `a place is a path or a folder of a store`(text: String, expected: ModelAddress) throws {
        #expect(try ModelAddress.parse(text) == expected)
    }

    @Test(arguments: [
        ("", "is empty"),
        ("a\nb", #""a\nb" has a control character in it"#),
        ("~other/models", #""~other/models" names another user's home"#),
        ("hdfs://host/x", "hdfs:// is not supported"),
        ("ftp://host/x", "ftp:// is not supported"),
        ("s3://bucket", #""s3://bucket" names a whole bucket"#),
        ("s3://bucket///", #""s3://bucket///" names a whole bucket"#),
        ("s3:///key", #""s3:///key" is incomplete"#),
        ("http:///x", #""http:///x" is incomplete"#),
        ("s3://key:secret@bucket/x", "the URL holds a user name or password"),
        ("https://me@host/x", "the URL holds a user name or password"),
        ("abfs://a:b@c/x", "the URL holds a user name or password"),
        ("https://host/x?sig=secret", "the URL has a ? in it"),
        ("s3://bucket/x#y", "the URL has a # in it"),
        ("s3://bucket/a/../b", #""s3://bucket/a/../b" has . or .. as a part"#),
        ("file://host/x", #""file://host/x" is no file URL"#),
        ("file:///a%0", #""file:///a%0" is no file URL"#),
        ("file:///a%00", #""file:///a%00" is no file URL"#),
    ]) func `all else is told with what is allowed`(text: String, message: String) {
        let flaw = #expect(throws: ModelAddress.Flaw.self) { try ModelAddress.parse(text) }
        #expect(flaw?.message == message)
        #expect(flaw?.allowed.contains("secret") == false)
    }
}
