"""A small server that speaks the wire protocol, and the worker process that it drives."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import textwrap
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = struct.Struct("<IBBHQ")
TIMEOUT = 20.0
SOURCES = Path(__file__).resolve().parent.parent / "src"
CONTENT = {1: "application/json", 2: "text/plain; charset=utf-8", 3: "application/octet-stream"}


@dataclass
class Frame:
    kind: int
    flags: int
    code: int
    number: int
    body: bytes


@dataclass
class Answer:
    """One answer, put together from its frames."""

    kind: str
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    content: int = 0
    form: int = 0
    flags: int = 0
    predict_us: int = 0
    path: str = ""
    chunks: list[bytes] = field(default_factory=list)
    broken: bool = False
    report: dict[str, Any] = field(default_factory=dict)
    idle: bool = False

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def type(self) -> str:
        return CONTENT.get(self.content) or "".join(self.header("content-type"))


class Peer:
    """The server's end of one connection."""

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(TIMEOUT)
        self.socket = connected
        self._held: bytearray | None = None
        self._file = connected.makefile("rb")
        hello = self.read()
        assert hello is not None
        assert hello.kind == 0x10
        self.hello: dict[str, Any] = json.loads(hello.body)

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def read(self) -> Frame | None:
        head = self._file.read(16)
        if len(head) < 16:
            return None
        length, kind, flags, code, number = HEAD.unpack(head)
        return Frame(kind, flags, code, number, self._file.read(length))

    def expect(self) -> Frame:
        frame = self.read()
        assert frame is not None, "the worker closed the connection"
        return frame

    def hold(self) -> None:
        """Keep what is sent from now on, until `release` sends it in one go."""
        self._held = bytearray()

    def release(self) -> None:
        self.release_in(None)

    def release_in(self, size: int | None) -> None:
        """The same in pieces: of `size` bytes up to the first 4,096, and of 64 KiB and as many after that."""
        held, self._held = self._held, None
        assert held is not None
        sent = 0
        while sent < len(held):
            end = len(held) if size is None else sent + size + (0 if sent < 4096 else 65_536)
            self.socket.sendall(held[sent:end])
            sent = end

    def release_part(self, size: int) -> None:
        """Send the beginning of what was held back, and forget the rest."""
        held, self._held = self._held, None
        assert held is not None
        self.socket.sendall(held[:size])

    def send(self, kind: int, body: bytes = b"", number: int = 0, code: int = 0, flags: int = 0) -> None:
        frame = HEAD.pack(len(body), kind, flags, code, number) + body
        if self._held is None:
            self.socket.sendall(frame)
        else:
            self._held += frame

    def request(
        self,
        body: bytes = b"",
        kind: int = 1,
        number: int = 1,
        request_id: str = "r-1",
        deadline: int = 0,
        flags: int = 0,
        hops: int = 0,
        **meta: Any,
    ) -> None:
        encoded = json.dumps(meta).encode() if meta else b""
        name = request_id.encode()
        fixed = struct.pack("<QIHHI", deadline, 1, hops, len(name), len(encoded))
        self.send(0x01, fixed + name + encoded + body, number, kind, flags)

    def answer(self, number: int = 1, idle: bool = True) -> Answer:
        """Read one whole answer; with `idle`, its `IDLE` too where one is announced."""
        result = self._parse(self.expect(), number)
        if idle and result.flags & 1:
            frame = self.expect()
            assert (frame.kind, frame.number) == (0x16, number)
            result.idle = True
        return result

    def _parse(self, frame: Frame, number: int) -> Answer:
        assert frame.number == number
        if frame.kind == 0x17:
            return Answer("skipped", status=frame.code)
        if frame.kind == 0x15:
            (taken,) = struct.unpack_from("<I", frame.body)
            report = json.loads(frame.body[4:])
            return Answer("failure", frame.code, flags=frame.flags, predict_us=taken, report=report)
        assert frame.kind in (0x11, 0x12)
        taken, content, form, count = struct.unpack_from("<IBBH", frame.body)
        position, headers = 8, []
        for _ in range(count):
            name_length, value_length = struct.unpack_from("<HI", frame.body, position)
            position += 6
            name = frame.body[position : position + name_length].decode("latin-1")
            position += name_length
            headers.append((name, frame.body[position : position + value_length].decode("latin-1")))
            position += value_length
        answer = Answer("answer", frame.code, headers, frame.body[position:], content, form, frame.flags, taken)
        if form:
            answer.path = answer.body.decode()
            answer.body = Path(answer.path).read_bytes()
            self.send(0x02, number=number)
        if frame.kind == 0x12:
            answer.kind = "stream"
            while (part := self.expect()).kind == 0x13:
                assert part.body
                answer.chunks.append(part.body)
            assert part.kind == 0x14
            answer.body, answer.broken, answer.flags = b"".join(answer.chunks), part.code == 1, part.flags
        return answer


def _log_record(frame: Frame) -> dict[str, Any]:
    (length,) = struct.unpack_from("<H", frame.body)
    record = {
        "level": ("info", "warning", "error")[frame.code],
        "message": frame.body[2 + length :].decode(),
        "stream": ("worker", "stdout", "stderr")[frame.flags],
    }
    return {**record, "request_id": frame.body[2 : 2 + length].decode()} if length else record


class Worker:
    """A worker process with its project, and the connections that it opens."""

    def __init__(
        self,
        home: Path,
        predictor: str,
        python: str = sys.executable,
        files: dict[str, bytes] | None = None,
        environment: dict[str, str] | None = None,
        **welcome: Any,
    ) -> None:
        self.project = home / "project"
        self.spool = home / "spool"
        for folder in (self.project, self.spool):
            folder.mkdir(exist_ok=True)
        (self.project / "predictor.py").write_text(textwrap.dedent(predictor))
        for name, contents in (files or {}).items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents)
        self.welcome = {
            "protocol": 1,
            "capabilities": [],
            "api": "test",
            "api_version": 1,
            "project_directory": str(self.project),
            "predictor_path": "predictor.py",
            "predictor_type": "python",
            "python_path": None,
            "config": {},
            "threads": 1,
            "spool_directory": str(self.spool),
            "inline_limit": 1 << 20,
            "json_depth_limit": 512,
            "form_part_limit": 1000,
            "models": None,
            **welcome,
        }
        # Short, since a socket's path is bounded.
        self.path = os.path.join("/tmp", f"cw-{os.getpid()}-{os.urandom(6).hex()}")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.settimeout(TIMEOUT)
        self._listener.bind(self.path)
        self._listener.listen(16)
        self._peers: list[Peer] = []
        self._reader: threading.Thread | None = None
        self.logs: list[dict[str, Any]] = []
        self._log_added = threading.Condition()
        #: Where the files of a version are, or what is said instead: answers to `ENSURE`.
        self.on_disk: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"error": "nothing", "code": "?"}
        self._events: dict[int, Queue[dict[str, Any]]] = defaultdict(Queue)
        own = {"CORTEX_WORKER_TOKEN": "secret", "PYTHONPATH": str(SOURCES)}
        self.process = subprocess.Popen(
            [python, "-m", "cortex_worker", "--socket", self.path, "--worker", "w1"],
            cwd=self.project,
            env={**os.environ, **(environment or {}), **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.control = self.accept()
        self.control.socket.settimeout(None)
        self.control.send(0x30, json.dumps(self.welcome).encode())
        if sys.platform == "linux" and self.welcome["protocol"] == 1:
            self.lifeline = self.accept()

    def accept(self) -> Peer:
        connected, _ = self._listener.accept()
        peer = Peer(connected)
        self._peers.append(peer)
        return peer

    def listen(self) -> None:
        """Read the control connection from now on."""
        self._reader = threading.Thread(target=self._read_control, daemon=True)
        self._reader.start()

    def ready(self) -> dict[str, Any]:
        return self._events[0x20].get(timeout=TIMEOUT)

    def failed(self) -> dict[str, Any]:
        message = self._events[0x21].get(timeout=TIMEOUT)
        assert self.process.wait(TIMEOUT) == 1
        return message

    def event(self, kind: int) -> dict[str, Any]:
        """The next message of this kind on the control connection; waits for it."""
        return self._events[kind].get(timeout=TIMEOUT)

    def log(self, text: str) -> dict[str, Any]:
        """The first log record that contains `text`; waits for it."""
        with self._log_added:
            found = self._log_added.wait_for(
                lambda: next((r for r in self.logs if text in r["message"]), None), TIMEOUT
            )
        assert found, f"no log record with {text!r} in {self.logs}"
        return found

    def _read_control(self) -> None:
        while (frame := self.control.read()) is not None:
            message = _log_record(frame) if frame.kind == 0x22 else json.loads(frame.body)
            if frame.kind == 0x23:
                self.control.send(0x34, json.dumps(self.on_disk(message)).encode(), frame.number)
            if frame.kind == 0x22:
                with self._log_added:
                    self.logs.append(message)
                    self._log_added.notify_all()
            else:
                self._events[frame.kind].put(message)

    def close_process(self) -> bytes:
        """End the process, and give what it wrote to its file descriptors."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        assert self.process.stdout is not None
        return b"" if self.process.stdout.closed else self.process.communicate()[0]

    def close(self) -> None:
        """End everything."""
        self.close_process()
        if self._reader is not None:
            self._reader.join(TIMEOUT)
        for peer in self._peers:
            peer.close()
        self._listener.close()
        os.unlink(self.path)
