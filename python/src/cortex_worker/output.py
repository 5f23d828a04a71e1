"""`sys.stdout` and `sys.stderr` of the user: lines become log records with the request's id."""

from __future__ import annotations

import io
import sys
import threading
from typing import TYPE_CHECKING, Any, Callable, TextIO

from cortex_worker.current import CurrentRequest
from cortex_worker.text import encode_text

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Lines of more bytes are cut.
LINE_LIMIT = 64 << 10

#: (stream, text, request id or None)
LineSink = Callable[[str, str, "str | None"], None]


class _Line(threading.local):
    """The unfinished line of one thread."""

    def __init__(self) -> None:
        self.text = ""
        self.cut = False


class OutputStream(io.TextIOBase):
    """A text stream that gives each line to a sink. File descriptors 1 and 2 stay as they were.

    Lines are gathered per thread, so that those of two requests never mix. Closing it only ends the line: a library
    that closes `sys.stdout` must not break the next request.
    """

    def __init__(self, name: str, original: TextIO | None, current: CurrentRequest, sink: LineSink) -> None:
        super().__init__()
        self._name = name
        self._original = original
        self._current = current
        self._sink: LineSink | None = sink
        self._line = _Line()
        #: Whether any thread has ever written to it.
        self.used = False

    encoding = "utf-8"
    errors = "backslashreplace"

    @property
    def name(self) -> str:
        return f"<{self._name}>"

    @property
    def buffer(self) -> Any:
        """The bytes' way out, past the records: what is written there goes to the file descriptor."""
        return self._stream().buffer

    def fileno(self) -> int:
        return self._stream().fileno()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._sink is None:
            # A process forked off the worker: nobody sends records there.
            stream = self._stream()
            count = stream.write(text)
            stream.flush()
            return count
        self.used = True
        start = 0
        while (stop := text.find("\n", start)) >= 0:
            self._append(text, start, stop)
            self.end_line(always=True)
            start = stop + 1
        self._append(text, start, len(text))
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        for line in lines:
            self.write(line)

    def end_line(self, always: bool = False) -> None:
        """Give away the unfinished line of this thread, if there is one."""
        line = self._line
        if self._sink is None or not (line.text or always):
            return
        text, line.text = line.text, ""
        if len(text) * 4 > LINE_LIMIT and len(encoded := encode_text(text)) > LINE_LIMIT:
            text = encoded[:LINE_LIMIT].decode("utf-8", "ignore")
            line.cut = True
        if line.cut:
            text += f" … (cut at {LINE_LIMIT >> 10} KiB)"
            line.cut = False
        self._sink(self._name, text, self._current.request_id)

    def close(self) -> None:
        self.end_line()

    def bypass(self) -> None:
        """From now on, write to the file descriptor."""
        self._sink = None

    def _append(self, text: str, start: int, stop: int) -> None:
        line = self._line
        room = LINE_LIMIT - len(line.text)
        if stop - start > room:
            line.cut = True
            stop = start + room
        if stop > start:
            line.text += text[start:stop]

    def _stream(self) -> TextIO:
        if self._original is None:
            raise io.UnsupportedOperation("the process was started without this stream")
        return self._original


class Output:
    """Both streams, put in the place of the interpreter's."""

    def __init__(self, sink: LineSink) -> None:
        self.current = CurrentRequest()
        self._streams = (
            OutputStream("stdout", sys.__stdout__, self.current, sink),
            OutputStream("stderr", sys.__stderr__, self.current, sink),
        )
        sys.stdout, sys.stderr = self._streams

    def end_lines(self) -> None:
        """Give away what this thread has printed without an end of line."""
        for stream in self._streams:
            if stream.used:
                stream.end_line()

    def bypass(self) -> None:
        """Undo the replacement, in a forked process."""
        for stream in self._streams:
            stream.bypass()
