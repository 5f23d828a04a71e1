"""Requests, made and then spoilt: by grammar where that reaches deeper, by bytes where it surprises."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import random
import zlib
from dataclasses import dataclass, field
from typing import Callable

API = "/fuzz"


@dataclass
class Case:
    """What one client sends on one connection, in pieces."""

    kind: str
    pieces: list[bytes]
    ids: list[str]
    """Of its requests, in order; the last one asks to close."""
    must_answer: bool = False
    """Nothing in it is wrong: each request gets its answer, and it is 200."""
    hidden: list[str] = field(default_factory=list)
    """Ids of requests that are inside the body of another, and must never be answered."""

    def again(self) -> Case:
        """The same bytes cut in the same places, but for the ids, which the log has once each."""
        data = b"".join(self.pieces)
        ids = [chr(ord(id_[0]) + 1) + id_[1:] for id_ in self.ids]
        for old, new in zip(self.ids, ids):
            data = data.replace(old.encode(), new.encode())
        ends = list(itertools.accumulate(len(piece) for piece in self.pieces))
        pieces = [data[start:end] for start, end in zip([0, *ends], ends)]
        return dataclasses.replace(self, pieces=pieces, ids=ids)


class Grammar:
    """Cases of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._kinds: list[tuple[int, str, Callable[[], list[bytes]]]] = [
            (2, "valid", self._valid),
            (4, "head", self._spoilt_heads),
            (3, "bytes", self._spoilt_bytes),
            (2, "chunks", self._spoilt_chunks),
            (2, "smuggling", self._smuggling),
            (1, "gzip", self._gzip),
            (1, "form", self._form),
            (1, "json", self._json),
        ]

    def case(self, number: int) -> Case:
        """The case of that number: the same for the same seed, if all before it were made."""
        ((_, kind, make),) = self.random.choices(self._kinds, [weight for weight, _, _ in self._kinds])
        requests = make()
        ids = [f"a{number}-{index}" for index in range(len(requests))]
        marked = [_mark(request, id_) for request, id_ in zip(requests, ids)]
        hidden = [f"a{number}-hidden"] if kind == "smuggling" else []
        last = f"a{number}-last"
        data = b"".join(marked).replace(b"HIDDEN", f"a{number}-hidden".encode())
        data += post(b"{}", "Connection: close", f"X-Request-ID: {last}")
        return Case(kind, self._cut(data), [*ids, last], kind == "valid", hidden)

    def _cut(self, data: bytes) -> list[bytes]:
        count = self.random.choice([0, 0, 1, 2, 5, 20])
        places = sorted(self.random.randrange(len(data)) for _ in range(count))
        return [data[a:b] for a, b in zip([0, *places], [*places, len(data)]) if a < b]

    # Each makes the requests of a case. `X-Request-ID: ID` stands where its own id goes.

    def _valid(self) -> list[bytes]:
        return [self._request() for _ in range(self.random.randint(0, 6))]

    def _request(self) -> bytes:
        body = json.dumps({"a": "x" * self.random.choice([0, 10, 5000])}).encode()
        path = self.random.choice([API, API + "/", API + "/predict", API + "?a=b&c=%20", "http://localhost" + API])
        make = self.random.choice([post, post, chunked])
        return make(body, "X-Request-ID: ID", path=path)

    def _spoilt_heads(self) -> list[bytes]:
        request = self._request()
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        for _ in range(self.random.randint(1, 3)):
            self.random.choice([self._spoil_line, self._add_line, self._drop_line, self._repeat_line])(lines)
        return [*self._valid()[:1], b"\r\n".join(lines) + b"\r\n\r\n" + body]

    def _spoil_line(self, lines: list[bytes]) -> None:
        index = self.random.randrange(len(lines))
        if index == 0 and self.random.random() < 0.7:
            words = lines[0].split(b" ")
            words[self.random.randrange(len(words))] = self.random.choice(WORDS)
            lines[0] = b" ".join(words)
        else:
            name, _, value = lines[index].partition(b":")
            lines[index] = self.random.choice(
                [
                    name + b": " + self.random.choice(VALUES),
                    name + self.random.choice(COLONS) + value,
                    self.random.choice(NAMES) + b":" + value,
                ]
            )

    def _add_line(self, lines: list[bytes]) -> None:
        line = self.random.choice(NAMES) + b": " + self.random.choice(VALUES)
        lines.insert(self.random.randint(1, len(lines)), line)

    def _drop_line(self, lines: list[bytes]) -> None:
        del lines[self.random.randrange(len(lines))]
        if not lines:
            lines.append(b"")

    def _repeat_line(self, lines: list[bytes]) -> None:
        line = self.random.choice(lines)
        lines.extend([line] * self.random.choice([1, 2, 300]))

    def _spoilt_bytes(self) -> list[bytes]:
        data = bytearray(self._request())
        for _ in range(self.random.randint(1, 5)):
            place = self.random.randrange(len(data) + 1)
            piece = self.random.choice([*SPECIAL, self.random.randbytes(1), self.random.randbytes(40)])
            how = self.random.randrange(3)
            if how == 0:
                data[place:place] = piece
            elif how == 1:
                data[place : place + len(piece)] = piece
            else:
                del data[place : place + self.random.choice([1, 1, 10, 100])]
        return [bytes(data)]

    def _spoilt_chunks(self) -> list[bytes]:
        size = self.random.choice(SIZES)
        line_end = self.random.choice([b"\r\n", b"\r\n", b"\n", b"\r", b"", b"\r\n\r\n"])
        rest = self.random.choice(
            [b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n", b"0\r\n" * 3, b"", b"-0\r\n\r\n"]
        )
        head = (
            b"POST " + API.encode() + b" HTTP/1.1\r\nHost: a\r\nX-Request-ID: ID\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        return [head + size + line_end + b"{}" + line_end + rest]

    def _smuggling(self) -> list[bytes]:
        hidden = f"POST {API} HTTP/1.1\r\nHost: a\r\nX-Request-ID: HIDDEN\r\nContent-Length: 0\r\n\r\n".encode()
        first = f"POST {API} HTTP/1.1\r\nHost: a\r\nX-Request-ID: ID\r\n".encode()
        te = self.random.choice([b"chunked", b"Chunked", b"identity, chunked", b"xchunked", b" chunked", b"\tchunked"])
        length = str(len(hidden) + 5).encode()
        return [
            self.random.choice(
                [
                    # A length for one reader, chunks for the other.
                    first
                    + b"Content-Length: "
                    + length
                    + b"\r\nTransfer-Encoding: "
                    + te
                    + b"\r\n\r\n0\r\n\r\n"
                    + hidden,
                    first
                    + b"Transfer-Encoding: "
                    + te
                    + b"\r\nContent-Length: "
                    + length
                    + b"\r\n\r\n0\r\n\r\n"
                    + hidden,
                    # Two lengths.
                    first + b"Content-Length: 0\r\nContent-Length: " + str(len(hidden)).encode() + b"\r\n\r\n" + hidden,
                    first + b"Content-Length: 0, " + str(len(hidden)).encode() + b"\r\n\r\n" + hidden,
                    first + b"Content-Length: +0\r\n\r\n" + hidden,
                    first + b"Content-Length : 0\r\n\r\n" + hidden,
                    # A coding that is not there twice.
                    first + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
                    first + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + hidden,
                    first + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + hidden,
                    # A line that is folded, or ends in the wrong way.
                    first
                    + b"X: a\r\n Content-Length: 0\r\nContent-Length: "
                    + str(len(hidden)).encode()
                    + b"\r\n\r\n"
                    + hidden,
                    first
                    + b"Transfer-Encoding:\n chunked\r\nContent-Length: "
                    + length
                    + b"\r\n\r\n0\r\n\r\n"
                    + hidden,
                    # A chunk whose extension or size hides a line.
                    first + b"Transfer-Encoding: chunked\r\n\r\n0;\nx\r\n\r\n" + hidden,
                    first + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + hidden,
                ]
            )
        ]

    def _gzip(self) -> list[bytes]:
        plain = self.random.choice([b"{}", b'{"a": "' + b"x" * 100_000 + b'"}', bytes(3 << 20)])
        body = self.random.choice([gzip.compress(plain), zlib.compress(plain), plain[:1000]])
        how = self.random.randrange(4)
        if how == 0:
            body = body[: self.random.randrange(len(body))]
        elif how == 1:
            place = self.random.randrange(len(body))
            body = body[:place] + self.random.randbytes(1) + body[place + 1 :]
        elif how == 2:
            body += self.random.choice([body, b"trailing", bytes(100)])
        encoding = self.random.choice(["gzip", "GZIP", "x-gzip", "deflate", "br", "gzip, gzip", "", "identity"])
        make = self.random.choice([post, chunked])
        return [make(body, "X-Request-ID: ID", f"Content-Encoding: {encoding}")]

    def _form(self) -> list[bytes]:
        body = bytearray(
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
            b'--x\r\nContent-Disposition: form-data; name="f"; filename="g"\r\n'
            b"Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"
        )
        for _ in range(self.random.randint(0, 4)):
            place = self.random.randrange(len(body))
            body[place : place + self.random.randint(0, 9)] = self.random.choice(
                [*SPECIAL, b"--x", b"--x--", b'"', b";"]
            )
        media = self.random.choice(
            ["multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary="]
        )
        return [post(bytes(body), "X-Request-ID: ID", media=media)]

    def _json(self) -> list[bytes]:
        body = bytearray(b'{"a": [1, 2.5e3, "\\u00e9", null, true], "b": {"c": "d"}}')
        for _ in range(self.random.randint(1, 4)):
            place = self.random.randrange(len(body))
            body[place : place + self.random.randint(0, 3)] = self.random.choice(
                [*SPECIAL, b"[" * 600, b'"', b"\\ud800", b"1e999", b"NaN", b"-", self.random.randbytes(2)]
            )
        return [post(bytes(body), "X-Request-ID: ID")]


WORDS = [
    b"",
    b"GET",
    b"OPTIONS",
    b"PUT",
    b"TRACE",
    b"CONNECT",
    b"PRI",
    b"post",
    b"A" * 100_000,
    b"\x00",
    b"\xff\xfe",
    b"/",
    b"*",
    b"//",
    b"/..",
    b"/%2e%2e/",
    b"/fuzz#a",
    b"/fuzz?" + b"a=b&" * 5000,
    b"/" + b"a" * 70_000,
    b"/%00",
    b"/%zz",
    b"http://",
    b"http://[::1",
    b"localhost:80",
    b"HTTP/1.0",
    b"HTTP/1.2",
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"HTTP/1",
    b"HTTQ/1.1",
]
NAMES = [
    b"Host",
    b"Content-Length",
    b"Transfer-Encoding",
    b"Content-Type",
    b"Content-Encoding",
    b"Connection",
    b"Expect",
    b"Upgrade",
    b"X-Request-Timeout",
    b"Authorization",
    b"Origin",
    b"Access-Control-Request-Method",
    b"traceparent",
    b"TE",
    b"Trailer",
    b"Accept",
    b"Range",
    b"X-Request-ID",
    b"Cookie",
    b"",
    b" ",
    b"a b",
    b"\x00",
    b"\xff",
    b"(",
    b"X" * 1000,
]
VALUES = [
    b"",
    b" ",
    b"0",
    b"-1",
    b"1",
    b"2",
    b"9" * 30,
    b"0x10",
    b"1.5",
    b"abc",
    b"chunked",
    b"identity",
    b"gzip",
    b"close",
    b"keep-alive",
    b"100-continue",
    b"200-ok",
    b"h2c",
    b"websocket",
    b"500ms",
    b"0",
    b"NaN",
    b"1e3",
    b"Bearer x",
    b"null",
    b"http://a",
    b"*",
    b"POST",
    b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01",
    b"application/json",
    b"\x00",
    b"\x7f",
    b"\xff",
    b"a" * 100_000,
    b"a\r",
    b"a\nb: c",
    b"a\r\n b",
    b'"',
    b",",
    b";",
    b"a, b",
    b"multipart/form-data; boundary=x",
]
COLONS = [b"", b" :", b"::", b":\t", b":\x00", b"=", b":\r\n ", b"\t:"]
SPECIAL = [
    b"\x00",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b" ",
    b"\t",
    b":",
    b"\xff",
    b"\x80",
    b"\x1b[31m",
    b"%00",
]
SIZES = [
    b"2",
    b"02",
    b"2 ",
    b" 2",
    b"2;a=b",
    b'2;a="\r\n"',
    b"0x2",
    b"-2",
    b"+2",
    b"",
    b"G",
    b"F" * 15,
    b"F" * 16,
    b"F" * 17,
    b"2\t",
    b"2;" + b"a" * 20_000,
    b"0" * 20_000 + b"2",
    b"80000000",
    b"40000001",
    b"3",
    b"1",
]


def post(body: bytes, *headers: str, path: str = API, media: str = "application/json") -> bytes:
    """A request whose body has a length."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {media}",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(body: bytes, *headers: str, path: str = API, media: str = "application/json") -> bytes:
    """A request whose body is in two chunks."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {media}",
        "Transfer-Encoding: chunked",
        *headers,
    ]
    parts = [body[: len(body) // 2], body[len(body) // 2 :]]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part)
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + chunks + b"0\r\n\r\n"


def _mark(request: bytes, id_: str) -> bytes:
    return request.replace(b"X-Request-ID: ID", b"X-Request-ID: " + id_.encode(), 1)
