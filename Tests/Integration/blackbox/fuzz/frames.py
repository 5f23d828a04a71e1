"""Connections of HTTP/2, made frame by frame and then spoilt."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Callable, NamedTuple

import hpack

from blackbox.fuzz.grammar import API, NAMES, SPECIAL, VALUES, WORDS, Case

DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, PADDED, PRIORITISED = 1, 4, 8, 32
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
LAST = b"the last"
"""Of the ping that ends each case."""

Header = tuple[bytes, bytes]


class Frame(NamedTuple):
    """A frame to send; its length is that of its payload, unless it lies."""

    type: int
    flags: int
    stream: int
    payload: bytes = b""
    length: int | None = None

    def __bytes__(self) -> bytes:
        length = len(self.payload) if self.length is None else self.length
        head = bytes([length >> 16 & 255, length >> 8 & 255, length & 255, self.type & 255, self.flags & 255])
        return head + (self.stream & 0xFFFFFFFF).to_bytes(4, "big") + self.payload


class FrameGrammar:
    """Cases of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._kinds: list[tuple[int, str, Callable[[list[Frame]], None] | None]] = [
            (3, "valid", None),
            (3, "head", None),
            (3, "frames", self._spoil_frames),
            (2, "settings", self._add_settings),
            (2, "windows", self._add_windows),
            (2, "resets", self._add_resets),
            (1, "bytes", None),
        ]

    def case(self, number: int) -> Case:
        """The case of that number: the same for the same seed, if all before it were made."""
        ((_, kind, spoil),) = self.random.choices(self._kinds, [weight for weight, _, _ in self._kinds])
        ids = [f"a{number}-{index}" for index in range(self.random.randint(1, 6))]
        frames = [Frame(SETTINGS, 0, 0), *self._requests(ids, is_spoilt=kind == "head")]
        if spoil:
            spoil(frames)
        # The server's settings come before all else, so they can be acknowledged unseen.
        frames += [Frame(SETTINGS, 1, 0), Frame(PING, 0, 0, LAST)]
        data = PREFACE + b"".join(map(bytes, frames))
        if kind == "bytes":
            data = self._spoil_bytes(data)
        return Case(kind, self._cut(data), ids, kind == "valid")

    def _cut(self, data: bytes) -> list[bytes]:
        count = self.random.choice([0, 0, 1, 2, 5, 20])
        places = sorted(self.random.randrange(len(data)) for _ in range(count))
        return [data[a:b] for a, b in zip([0, *places], [*places, len(data)]) if a < b]

    # What is right

    def _requests(self, ids: Sequence[str], *, is_spoilt: bool) -> list[Frame]:
        """Streams whose frames come in between each other's; they are numbered as they begin."""
        encoder = hpack.Encoder()
        frames: list[Frame] = []
        waiting = list(ids)
        open_: list[list[Frame]] = []
        stream = 1
        while waiting or open_:
            if waiting and (not open_ or self.random.random() < 0.5):
                # All of a case, and their answers, are within the windows that everybody gives.
                body = json.dumps({"a": "x" * self.random.choice([0, 10, 1000, 4000])}).encode()
                head = self._head(waiting.pop(0), body)
                if is_spoilt and self.random.random() < 0.7:
                    self._spoil_head(head)
                # Ids in plain, so that a case can be sent again under others.
                block = encoder.encode(head, huffman=False)
                frames += self._blocks(stream, block)
                open_.append(self._bodies(stream, body))
                stream += 2
            else:
                frames.append(self.random.choice(open_).pop(0))
                open_ = [rest for rest in open_ if rest]
            if self.random.random() < 0.2:
                frames.append(self._aside(stream))
        return frames

    def _head(self, id_: str, body: bytes) -> list[Header]:
        path = self.random.choice([API, API + "/", API + "/predict", API + "?a=b&c=%20"])
        head = [(b":method", b"POST"), (b":scheme", b"https"), (b":path", path.encode()), (b":authority", b"localhost")]
        self.random.shuffle(head)
        head += [(b"content-type", b"application/json"), (b"x-request-id", id_.encode())]
        if self.random.random() < 0.5:
            head.append((b"content-length", str(len(body)).encode()))
        return head

    def _blocks(self, stream: int, block: bytes) -> list[Frame]:
        places = sorted(self.random.randrange(len(block)) for _ in range(self.random.choice([0, 0, 0, 1, 3])))
        pieces = [block[a:b] for a, b in zip([0, *places], [*places, len(block)])]
        flags = 0
        if self.random.random() < 0.2:
            flags |= PRIORITISED
            pieces[0] = bytes([0, 0, 0, 0, 9]) + pieces[0]
        if self.random.random() < 0.2:
            flags |= PADDED
            pieces[0] = b"\x05" + pieces[0] + bytes(5)
        frames = [
            Frame(HEADERS if index == 0 else CONTINUATION, 0, stream, piece) for index, piece in enumerate(pieces)
        ]
        frames[0] = frames[0]._replace(flags=flags)
        return [*frames[:-1], frames[-1]._replace(flags=frames[-1].flags | END_HEADERS)]

    def _bodies(self, stream: int, body: bytes) -> list[Frame]:
        places = {0, len(body), *range(0, len(body), 16_000)}
        places |= {self.random.randrange(len(body)) for _ in range(self.random.choice([0, 1, 3]))}
        ends = sorted(places)
        frames = [Frame(DATA, 0, stream, body[a:b]) for a, b in zip(ends, ends[1:])]
        if self.random.random() < 0.2:
            frames[0] = frames[0]._replace(flags=PADDED, payload=b"\x09" + frames[0].payload + bytes(9))
        if self.random.random() < 0.3:
            return [*frames, Frame(DATA, END_STREAM, stream)]
        if self.random.random() < 0.2:
            trailer = hpack.Encoder().encode([], huffman=False) + b"\x00\x05x-sum\x011"
            return [*frames, Frame(HEADERS, END_STREAM | END_HEADERS, stream, trailer)]
        return [*frames[:-1], frames[-1]._replace(flags=frames[-1].flags | END_STREAM)]

    def _aside(self, next_stream: int) -> Frame:
        """What means nothing to a request."""
        return self.random.choice(
            [
                Frame(PING, 0, 0, b"12345678"),
                Frame(PRIORITY, 0, next_stream, bytes([0, 0, 0, 0, 1])),
                Frame(WINDOW, 0, 0, bytes([0, 0, 1, 0])),
                Frame(SETTINGS, 0, 0, b"\x00\x03\x00\x00\x00\x00"),
                Frame(0xFA, 0xFF, 0, b"of a kind that nobody knows"),
            ]
        )

    # What is not

    def _spoil_head(self, head: list[Header]) -> None:
        index = self.random.randrange(len(head))
        name, value = head[index]
        lower = [name.lower() for name in NAMES]
        how = self.random.randrange(6)
        if how == 0:
            head[index] = (name, self.random.choice([*WORDS, *VALUES]))
        elif how == 1:
            head[index] = (self.random.choice([*lower, *NAMES, b":other", name.upper()]), value)
        elif how == 2:
            head.insert(self.random.randint(0, len(head)), (self.random.choice(lower), self.random.choice(VALUES)))
        elif how == 3:
            del head[index]
        elif how == 4:
            head.extend([head[index]] * self.random.choice([1, 2, 300]))
        else:
            self.random.shuffle(head)

    def _spoil_frames(self, frames: list[Frame]) -> None:
        for _ in range(self.random.randint(1, 3)):
            index = self.random.randrange(len(frames))
            frame = frames[index]
            how = self.random.randrange(8)
            if how == 0:
                frames[index] = frame._replace(type=self.random.choice([*range(12), 255]))
            elif how == 1:
                frames[index] = frame._replace(flags=frame.flags ^ self.random.choice([1, 4, 8, 32, 255]))
            elif how == 2:
                frames[index] = frame._replace(stream=self.random.choice([0, 1, 2, 3, 99, 2**31 - 1, 2**31 | 1]))
            elif how == 3:
                frames[index] = frame._replace(payload=self._spoil_bytes(frame.payload))
            elif how == 4:
                length = self.random.choice(
                    [0, len(frame.payload) + 1, max(len(frame.payload) - 1, 0), 16_385, 2**24 - 1]
                )
                frames[index] = frame._replace(length=length)
            elif how == 5 and len(frames) > 1:
                del frames[index]
            elif how == 6:
                frames[index:index] = [frame] * self.random.choice([1, 2, 300])
            else:
                self.random.shuffle(frames)

    def _add_settings(self, frames: list[Frame]) -> None:
        keys = [1, 2, 3, 4, 5, 6, 8, 9, 0, 0xFFFF]
        values = [0, 1, 100, 16_383, 16_384, 65_535, 2**24 - 1, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
        for _ in range(self.random.randint(1, 3)):
            entries = [(self.random.choice(keys), self.random.choice(values)) for _ in range(self.random.randint(0, 4))]
            payload = b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in entries)
            self._insert(frames, Frame(SETTINGS, self.random.choice([0, 0, 0, 1]), 0, payload))

    def _add_windows(self, frames: list[Frame]) -> None:
        for _ in range(self.random.randint(1, 4)):
            increment = self.random.choice([0, 1, 65_535, 2**31 - 1, 2**31, 2**32 - 1])
            self._insert(frames, Frame(WINDOW, 0, self._stream(), increment.to_bytes(4, "big")))

    def _add_resets(self, frames: list[Frame]) -> None:
        for _ in range(self.random.randint(1, 4)):
            code = self.random.choice([0, 1, 7, 8, 13, 2**32 - 1]).to_bytes(4, "big")
            self._insert(frames, Frame(RESET, 0, self._stream(), code))

    def _insert(self, frames: list[Frame], frame: Frame) -> None:
        frames.insert(self.random.randint(1, len(frames)), frame)

    def _stream(self) -> int:
        return self.random.choice([0, 1, 1, 3, 3, 5, 7, 2, 101])

    def _spoil_bytes(self, data: bytes) -> bytes:
        spoilt = bytearray(data)
        for _ in range(self.random.randint(1, 5)):
            place = self.random.randrange(len(spoilt) + 1)
            piece = self.random.choice([*SPECIAL, self.random.randbytes(1), self.random.randbytes(40)])
            how = self.random.randrange(3)
            if how == 0:
                spoilt[place:place] = piece
            elif how == 1:
                spoilt[place : place + len(piece)] = piece
            else:
                del spoilt[place : place + self.random.choice([1, 1, 10, 100])]
        return bytes(spoilt)
