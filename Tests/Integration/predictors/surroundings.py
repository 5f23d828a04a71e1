"""Does to its own process what its query says, and otherwise works."""

import concurrent.futures
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
import time
from multiprocessing import shared_memory

from starlette.responses import FileResponse

if os.environ.get("SIGNALS") == "replaced":
    # At import, since Python allows it on the main thread only, and `predict` runs on another.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)

HELD = []


def square(number):
    return number * number


def announce(pipe):
    pipe.send(os.getpid())
    time.sleep(600)


def fill(name):
    block = shared_memory.SharedMemory(name)
    block.buf[:5] = b"works"
    block.close()


class PythonPredictor:
    def __init__(self, config):
        self.children = []

    def predict(self, payload, query_params):
        fault = query_params.get("fault")
        if fault is None:
            return {"ok": True, "pid": os.getpid(), "payload": payload}
        return getattr(self, fault.replace("-", "_"))(query_params.get("way"))

    # Descriptors

    def take_descriptors(self, way):
        """Takes all there are; a low limit stands for a long time of leaking."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, most))
        taken = HELD if way == "keep" else []
        try:
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            if way == "keep":
                return {"taken": len(taken)}
            for descriptor in taken:
                os.close(descriptor)
            raise

    def large(self, way):
        return "x" * (2 << 20)

    # Processes

    def fork(self, way):
        child = os.fork()
        if child == 0:
            if way == "raise":
                raise ValueError("in the child")
            if way == "print":
                print("the child prints")
            if way == "stay":
                time.sleep(600)
            return "the child's answer"
        if way != "stay":
            os.waitpid(child, 0)
        return {"child": child}

    def multiprocess(self, way):
        context = multiprocessing.get_context(way)
        with context.Pool(2) as pool:
            squares = pool.map(square, range(5))
            # Or its end would be a SIGTERM, which processes that ignore it survive.
            pool.close()
            pool.join()
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
            squares.append(executor.submit(square, 5).result())
        block = shared_memory.SharedMemory(create=True, size=16)
        try:
            process = context.Process(target=fill, args=(block.name,))
            process.start()
            process.join()
            return {"squares": squares, "shared": bytes(block.buf[:5]).decode()}
        finally:
            block.close()
            block.unlink()

    def leave_children(self, way):
        pids = []
        for daemon in (True, False):
            ours, theirs = multiprocessing.get_context(way).Pipe()
            child = multiprocessing.get_context(way).Process(target=announce, args=(theirs,), daemon=daemon)
            child.start()
            self.children.append(child)
            pids.append(ours.recv())
        return {"children": pids, "pid": os.getpid()}

    # Threads, folders, files

    def threads(self, way):
        for daemon in (True, False):
            threading.Thread(target=time.sleep, args=(600,), daemon=daemon).start()

        def talk():
            while True:
                print("the thread prints")
                time.sleep(0.001)

        threading.Thread(target=talk, daemon=True).start()
        return {"pid": os.getpid()}

    def block_signals(self, way):
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        return {"pid": os.getpid()}

    def change_folder(self, way):
        os.makedirs("gone")
        os.chdir("gone")
        os.rmdir(os.path.join("..", "gone"))
        return {"pid": os.getpid()}

    def file(self, way):
        return FileResponse(way)

    def close_output(self, way):
        if way == "streams":
            sys.stdout.close()
            sys.stderr.close()
            sys.__stdout__.close()
            sys.__stderr__.close()
        elif way == "none":
            sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None
        else:
            for descriptor in range(3):
                os.close(descriptor)
        print("printed after the end")
        return {"pid": os.getpid()}

    # Lines

    def say(self, way):
        forged = '{"ts":"2020-01-01T00:00:00.000Z","level":"error","api":"other","stream":"cortex","message":"forged"}'
        texts = {
            "ansi": "\x1b[2J\x1b[31mred\x07\x9b1m\x7f",
            "forged": f"before\r{forged}\n{forged}",
            "separators": f"one\u2028{forged}\u2029\x0b\x0c\x1c\x85two",
            "surrogates": "half \udcff of \ud83d a pair",
            "nul": "a\0b",
            "long": "y" * 100_000_000,
        }
        print(texts[way], end="\nend of print\n")

    def write(self, way):
        every = bytes(byte for byte in range(256) if byte != 10) * 40
        texts = {"binary": every, "invalid": b"\xff\xfe\xc3(\xed\xa0\x80 latin \xe9", "long": b"z" * 100_000_000}
        data = memoryview(texts[way] + b"\nend of write\n")
        while data:
            data = data[os.write(1, data) :]

    def chatter(self, way):
        line = "w" * 199 + "\n"
        for _ in range(100_000):
            os.write(1, line.encode()) if way == "write" else sys.stdout.write(line)
        return {"pid": os.getpid()}

    def knock(self, way):
        """Says nonsense on the socket of workers, a thousand times."""
        path = sys.argv[sys.argv.index("--socket") + 1]
        for _ in range(1000):
            with socket.socket(socket.AF_UNIX) as knocking:
                knocking.connect(path)
                knocking.sendall(b"\xff" * 16)
                knocking.recv(1)
        return {"pid": os.getpid()}
