"""A worker's life: connect, load the predictor, serve, end."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from cortex_worker import chaining, construction, contract, inline, lifeline, loader, wire
from cortex_worker.control import Control
from cortex_worker.errors import ContractError, LoadError, ModelError
from cortex_worker.exchange import AnswerSettings
from cortex_worker.failure import describe, user_traceback
from cortex_worker.lifetime import Lifetime
from cortex_worker.output import Output
from cortex_worker.payload import PayloadReader
from cortex_worker.slot import Slot, SlotEnvironment

if TYPE_CHECKING:
    from types import FrameType

    from cortex_worker.metrics import MetricsClient
    from cortex_worker.models.clients import Models

# How long the last records, and the user's `atexit` functions, may take.
_FLUSH_SECONDS = 1.0
_TELL_SECONDS = 10.0
_EXIT_SECONDS = 5.0
_INTERNAL_ERROR = 70


class Worker:
    """The process: one predictor, and the threads that serve it."""

    def __init__(self, socket_path: str, worker_id: str, token: str) -> None:
        # User code may change the working directory before a slot is opened again.
        self._path = os.path.abspath(socket_path)
        self._id = worker_id
        self._token = token
        self._control = Control(self._path, worker_id, token)
        self._lifeline = lifeline.tie(self._path, worker_id, token)
        self._welcome = self._control.welcome
        self._records = self._control.records
        self._lifetime = Lifetime()
        self._ready = False
        self._ended: list[str] = []
        # The main thread waits on a socket, since a signal writes to it: one that came just before a wait on a lock
        # would be noticed only when the lock is free.
        self._waking, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._output = Output(self._records.line)
        self._models: Models | None = None
        self._metrics: MetricsClient | None = None

    def run(self) -> None:
        """Serve until the server says drain. Never returns."""
        signal.signal(signal.SIGTERM, self._on_terminate)
        # A Ctrl-C at the server's terminal is the server's to handle: it drains its workers itself. (A handler and not
        # SIG_IGN, which processes that the user starts would inherit.)
        signal.signal(signal.SIGINT, lambda *_: None)
        os.register_at_fork(after_in_child=self._after_fork)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        address = os.environ.pop("CORTEX_CHAINING_ADDRESS", None)
        if address is not None:
            names = os.environ.pop("CORTEX_CHAINING_NAMES", None)
            chaining.install(address, self._output.current, resolves=names is None)
        self._models = self._build_models()
        self._control.listen(self._drain, self._models)
        os.chdir(self._welcome.project_directory)
        loader.extend_path(self._welcome.project_directory, self._welcome.python_path)
        predictor_class, kept = self._load()
        self._start_thread(0, self._construct, predictor_class, kept)
        while len(self._ended) < self._welcome.threads:
            self._waking.recv(64)
        self._exit(self._lifetime.status)

    def _load(self) -> tuple[type[Any], contract.Contract]:
        stage = "import"
        try:
            module = loader.load_module(self._welcome.project_directory, self._welcome.predictor_path)
            inline.install()
            stage = "contract"
            found = loader.find_class(module, self._welcome.predictor_type)
            kept = contract.check(found, self._welcome.predictor_type, self._models is not None)
            if self._models is not None:
                stage = "models"
                self._models.holder.prepare()
            return found, kept
        except (LoadError, ContractError, ModelError) as error:
            self._fail(stage, str(error), str(error))
        except BaseException as error:  # The predictor's boundary: SystemExit at import is a failure too.
            self._records.missed(error, stage)
            self._fail(stage, describe(error), user_traceback(error))

    def _construct(self, predictor_class: type[Any], kept: contract.Contract) -> None:
        """Build the predictor on the thread that will serve it, open the other slots, and serve."""
        choice: dict[str, Any] = {"config": self._welcome.config, "job_spec": None}
        try:
            if self._models is not None:
                choice[contract.CLIENT_ARGUMENTS[self._welcome.predictor_type]] = self._models.client
            if "metrics_client" in kept.constructor:
                self._metrics = choice["metrics_client"] = self._build_metrics()
            arguments = {name: choice[name] for name in kept.constructor}
            predictor = construction.construct(predictor_class, arguments, self._models)
            environment = self._environment(predictor, kept)
            first = Slot(environment)
            inline.install()
        except BaseException as error:  # The predictor's boundary.
            self._records.missed(error, "constructor")
            self._fail("constructor", f"__init__: {describe(error)}", user_traceback(error))
        self._load_models()
        self._output.end_lines()
        self._ready = True
        ready = {
            "python": sys.version.split()[0],
            "pid": os.getpid(),
            "arguments": kept.request_arguments,
            "post_predict": kept.post_predict is not None,
            "signature": kept.signature(type(predictor).__name__),
        }
        self._records.tell(wire.READY, ready)
        for index in range(1, self._welcome.threads):
            self._start_thread(index, self._serve, Slot(environment), index)
        self._serve(first, 0)

    def _build_models(self) -> Models | None:
        welcome = self._welcome
        if welcome.models is None:
            return None
        # Only here: a predictor without models starts without any of this.
        from cortex_worker.models import clients

        try:
            return clients.build(welcome.api, welcome.predictor_type, welcome.models, self._records)
        except ValueError as error:
            self._fail("models", str(error), str(error))

    def _build_metrics(self) -> MetricsClient:
        # Only where it is asked for, so that others start without it.
        from cortex_worker.metrics import MetricsClient

        records = self._records
        return MetricsClient(
            lambda message: records.offer(wire.METRICS, message),
            lambda text: records.log("warning", text, self._output.current.request_id),
        )

    def _load_models(self) -> None:
        """Bring the latest version of each model into memory, unless they are loaded when asked for."""
        if self._models is None:
            return
        problems = self._models.holder.start()
        settings = self._welcome.models
        if problems and settings is not None and settings.strict:
            details = "\n".join(problem.details for problem in problems if problem.details)
            self._fail("models", "; ".join(str(problem) for problem in problems), details)

    def _environment(self, predictor: Any, kept: contract.Contract) -> SlotEnvironment:
        welcome = self._welcome
        return SlotEnvironment(
            predictor=predictor,
            contract=kept,
            payloads=PayloadReader(welcome.json_depth_limit, welcome.form_part_limit, welcome.spool_directory),
            answers=AnswerSettings(welcome.spool_directory, welcome.inline_limit),
            cancellations=self._control.cancellations,
            records=self._records,
            output=self._output,
            lifetime=self._lifetime,
            holder=None if self._models is None else self._models.holder,
        )

    def _serve(self, slot: Slot, index: int) -> None:
        slot.serve(self._path, self._id, self._token, index)

    def _start_thread(self, index: int, work: Any, *arguments: Any) -> None:
        threading.Thread(target=self._guard, args=(work, *arguments), name=f"slot-{index}", daemon=True).start()

    def _guard(self, work: Any, *arguments: Any) -> None:
        """Run a slot's thread. An error of the worker's own ends the process: a slot must not be missing silently."""
        try:
            work(*arguments)
            self._ended.append(threading.current_thread().name)
            with contextlib.suppress(BlockingIOError):
                self._wake.send(b"\0")
        except BaseException as error:
            self._records.log("error", f"the worker failed: {user_traceback(error)}")
            self._records.flush(_FLUSH_SECONDS)
            os._exit(_INTERNAL_ERROR)

    def _fail(self, stage: str, error: str, traceback: str) -> NoReturn:
        """Tell the server why there is no predictor, and end."""
        self._output.end_lines()
        # Models are not to be found in the predictor's file.
        where = "" if stage == "models" else f"{self._welcome.predictor_path}: "
        message = {"stage": stage, "error": f"{where}{error}", "traceback": traceback}
        self._records.tell(wire.FAILED, message)
        # All that the server will ever know of this start: not to be lost where the machine stands still for a moment.
        self._records.flush(_TELL_SECONDS)
        self._exit(1)

    def _drain(self) -> None:
        if not self._ready:
            os._exit(0)
        self._lifetime.drain()

    def _on_terminate(self, _signal: int, _frame: FrameType | None) -> None:
        self._drain()

    def _after_fork(self) -> None:
        # A child is ended by signals as any process is, and keeps no connection of the worker's open.
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._output.bypass()
        self._lifetime.after_fork()
        self._control.after_fork()
        if self._lifeline is not None:
            self._lifeline.socket.close()
        if self._models is not None:
            self._models.after_fork()
        if self._metrics is not None:
            self._metrics.after_fork()

    def _exit(self, status: int) -> NoReturn:
        """Run what the user left to `atexit`, and end, whatever threads of the user's still run."""
        self._output.end_lines()
        if self._metrics is not None:
            self._metrics.flush()
        self._records.flush(_FLUSH_SECONDS)
        watchdog = threading.Timer(_EXIT_SECONDS, os._exit, (status,))
        watchdog.daemon = True
        watchdog.start()
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
        self._records.flush(_FLUSH_SECONDS)
        os._exit(status)
