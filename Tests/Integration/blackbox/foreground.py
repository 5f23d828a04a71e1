"""A process of ours that a test starts and ends."""

from __future__ import annotations

import signal
import subprocess


class Foreground:
    """One that runs until it is told to end, or killed."""

    process: subprocess.Popen[bytes] | None = None
    """Nil before it is started; it may have ended by itself."""

    @property
    def pid(self) -> int:
        """Its own process."""
        assert self.process is not None
        return self.process.pid

    def stop(self) -> None:
        """Ends it in good order, or with force where it does not end."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=60)
