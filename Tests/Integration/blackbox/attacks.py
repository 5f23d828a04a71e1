"""What a client may send on one connection, and what must come of it: rows of the fault list as data."""

from __future__ import annotations

from dataclasses import dataclass

ECHO = "http-echo"
"""The API that the rows ask."""


@dataclass(frozen=True)
class Attack:
    """One row: bytes, and the answers to them."""

    id: str
    """Begins with its number in the fault list."""
    data: bytes
    status: int | None = 400
    """Of every answer; nil where the connection ends without one."""
    code: str | None = None
    """Of the error."""
    words: str = ""
    """A part of the answer's body."""
    count: int = 1
    """How many answers there are."""
    is_counted: bool = True
    """Whether a metric of the API counts it; what is refused before its path is known is of no API."""
    closes: bool = False
    """Whether the connection ends with the last answer; else the next request on it is answered."""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of the answer, each with a part of its value."""


def request(
    *headers: str, target: str = f"/{ECHO}", body: bytes = b"", method: str = "POST", version: str = "1.1"
) -> bytes:
    """A request as bytes; nothing is added to it but a host."""
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def good(*headers: str, version: str = "1.1") -> bytes:
    """A request that is answered with 200."""
    return request("Content-Type: application/json", "Content-Length: 2", *headers, body=b"{}", version=version)


def _missing(path: str, method: str = "POST", words: str = "") -> Attack:
    data = request("Content-Length: 0", target=path, method=method)
    return Attack(f"A01 {path}", data, 404, "NO_SUCH_API", words, is_counted=False)


def _method(method: str) -> Attack:
    allow = (("allow", "POST"), ("allow", "GET"))
    return Attack(
        f"A03 {method}",
        request(method=method),
        405,
        "METHOD_NOT_ALLOWED",
        headers=allow,
        is_counted=False,
        method=method,
    )


def _garbage(name: str, data: bytes) -> Attack:
    return Attack(f"A04 {name}", data, 400, "MALFORMED_REQUEST", is_counted=False, closes=True)


def _framing(id_: str, *headers: str, body: bytes = b"{}") -> Attack:
    return Attack(id_, request(*headers, body=body), 400, "MALFORMED_REQUEST", is_counted=False, closes=True)


CHUNKED = "Transfer-Encoding: chunked"
PREFLIGHT = ("Origin: http://example.org", "Access-Control-Request-Method: POST")

ATTACKS = [
    *(_missing(path) for path in ("/notapi/v2", "/v2/notapi", "/v2/models/notapi/foo", "/predict", f"/{ECHO}/more")),
    Attack(
        "A02 unknown API",
        request("Content-Length: 0", target="/http-ecko"),
        404,
        "NO_SUCH_API",
        words=ECHO,
        is_counted=False,
    ),
    *(_method(method) for method in ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND")),
    Attack("A03 HEAD", request(method="HEAD"), 200, method="HEAD", is_counted=False),
    Attack(
        "A03 OPTIONS",
        request(*PREFLIGHT, method="OPTIONS"),
        204,
        is_counted=False,
        headers=(("access-control-allow-origin", "*"), ("access-control-allow-methods", "POST")),
    ),
    Attack(
        "A03 CONNECT",
        b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n" + bytes(1000),
        404,
        is_counted=False,
        closes=True,
    ),
    _garbage("NULs", b"\x00\x01\x02\x03\r\n\r\n"),
    _garbage("a method alone", b"POST\r\n\r\n"),
    _garbage("NUL in the method", b"P\x00ST /http-echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    _garbage("version 9.9", b"POST /http-echo HTTP/9.9\r\nHost: a\r\n\r\n"),
    _garbage("another protocol", b"POST /http-echo HTTQ/1.1\r\nHost: a\r\n\r\n"),
    _garbage("HTTP/0.9", b"POST /http-echo\r\n\r\n"),
    _garbage("no colon", b"POST /http-echo HTTP/1.1\r\nno colon\r\n\r\n"),
    _garbage("no name", b"POST /http-echo HTTP/1.1\r\n: no name\r\n\r\n"),
    _garbage("space before the colon", b"POST /http-echo HTTP/1.1\r\nHost : a\r\n\r\n"),
    _garbage("method in lower case", b"post /http-echo HTTP/1.1\r\nHost: a\r\n\r\n"),
    _garbage("endless method", b"A" * 100_000 + b" / HTTP/1.1\r\nHost: a\r\n\r\n"),
    Attack("A04 a chunk of no size", request(CHUNKED, body=b"ZZ\r\nx\r\n0\r\n\r\n"), closes=True),
    Attack("A04 a chunk of too great a size", request(CHUNKED, body=b"FFFFFFFFFFFFFFFFFF\r\nx\r\n"), closes=True),
    _garbage("NUL in a header", request("X-A: a\x00b")),
    Attack(
        "A04 a path that climbs",
        request("Content-Length: 0", target="/../../../etc/passwd"),
        404,
        "NO_SUCH_API",
        is_counted=False,
    ),
    Attack(
        "A04 an escaped path that climbs",
        request("Content-Length: 0", target="/%2e%2e/%2e%2e/etc/passwd"),
        404,
        "NO_SUCH_API",
        is_counted=False,
    ),
    *(
        _framing(f"A07 length {length[:20]}", f"Content-Length: {length}")
        for length in ("-1", "abc", str(2**64), "0x10", "1.5", "+2", "2, 3")
    ),
    _framing("A07 two lengths", "Content-Length: 2", "Content-Length: 3"),
    _framing("A07 a length and chunks", "Content-Length: 2", CHUNKED),
    _framing("A07 chunks and a length", CHUNKED, "Content-Length: 2"),
    Attack("A07 an unknown coding", request("Transfer-Encoding: xchunked", body=b"{}"), 501, closes=True),
    _framing("A07 chunks that are not the last coding", "Transfer-Encoding: chunked, gzip"),
    Attack("A07 no host", b"POST /http-echo HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
    Attack("A07 two hosts", request("Host: other", "Content-Length: 0")),
    Attack("A10 over the limit", request(f"Content-Length: {2**30 + 1}"), 413, "BODY_TOO_LARGE", closes=True),
    *(
        Attack(
            f"A14 {coding}",
            request(f"Content-Encoding: {coding}", "Content-Length: 2", body=b"{}"),
            415,
            "UNSUPPORTED_ENCODING",
            words=coding,
        )
        for coding in ("br", "zstd", "foo")
    ),
    Attack(
        "A15 10,000 headers",
        request(*(f"X-{number}: 1" for number in range(10_000))),
        431,
        "HEADERS_TOO_LARGE",
        is_counted=False,
        closes=True,
    ),
    Attack(
        "A15 a header of 1 MB", request("X-A: " + "a" * 2**20), 431, "HEADERS_TOO_LARGE", is_counted=False, closes=True
    ),
    Attack("A15 a path of 70 KB", request("Content-Length: 0", target="/" + "a" * 70_000), 414, is_counted=False),
    Attack(
        "A15 10,000 parameters",
        request("Content-Length: 0", target=f"/{ECHO}?" + "a=b&" * 10_000),
        200,
    ),
    Attack("A17 a hundred at once", good() * 100, 200, count=100),
    Attack("A18 Expect with a body", good("Expect: 100-continue"), 200),
    Attack("A18 Expect without one", request("Content-Length: 0", "Expect: 100-continue"), 200),
    Attack(
        "A18 Expect and too much",
        request(f"Content-Length: {2**30 + 1}", "Expect: 100-continue"),
        413,
        "BODY_TOO_LARGE",
        closes=True,
    ),
    Attack("A19 HTTP/1.0", good(version="1.0"), 200, closes=True),
    Attack("A19 HTTP/1.0 that stays", good("Connection: keep-alive", version="1.0"), 200),
    Attack("A19 Connection: close", good("Connection: close"), 200, closes=True),
    Attack("A21 HTTP/2 unasked", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, is_counted=False, closes=True),
    Attack(
        "A21 a TLS handshake",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512),
        400,
        is_counted=False,
        closes=True,
    ),
    Attack("A21 an offer of h2c", good("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"), 200, closes=True),
    Attack("A21 an offer of websocket", good("Connection: Upgrade", "Upgrade: websocket"), 200, closes=True),
    Attack("D12 a timeout of zero", good("X-Request-Timeout: 0"), 400),
    Attack("D12 a timeout that is none", good("X-Request-Timeout: NaN"), 400),
    Attack("D12 a negative timeout", good("X-Request-Timeout: -1"), 400),
    Attack("H17 an escaped path", request("Content-Length: 0", target="/%0a%1b[31m{}"), 404, is_counted=False),
    Attack("H17 a header with an escape", good("X-Request-ID: \x1b[31m"), is_counted=False, closes=True),
]  # fmt: skip
