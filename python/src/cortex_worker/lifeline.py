"""Ends the process with its server, even while it cannot run a line of Python.

The control connection's end of file does so too, but somebody has to read it: not while a C call holds the interpreter,
and not while the process is stopped. So there is a connection on which nothing is ever said, and the kernel is asked to
kill the worker's process group when something happens to it, which can only be its end.

(Not `PR_SET_PDEATHSIG`: it tells of the end of the *thread* that started the process, and the server's threads come and
go.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from cortex_worker.connection import Connection


def tie(path: str, worker: str, token: str) -> Connection | None:
    """Tie this process to the server; None where the system cannot."""
    if sys.platform != "linux":
        return None
    import fcntl

    connection = Connection(path)
    connection.hello(worker, token, "lifeline", 0)
    # The server starts each worker in a session of its own; whoever starts one by hand has others in the group.
    pid = os.getpid()
    owner = -pid if os.getpgrp() == pid else pid
    descriptor = connection.socket.fileno()
    with contextlib.suppress(OSError):  # A kernel in a sandbox may lack it: then there is one safeguard less.
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, owner)
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_ASYNC)
    return connection
