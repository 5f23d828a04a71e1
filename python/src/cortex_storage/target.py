"""The file that an object becomes."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from cortex_storage.faults import StorageFault, of_disk

if TYPE_CHECKING:
    from cortex_storage.objects import StoredObject


class Target:
    """One object on its way to disk: parts are written in any order, and from any thread."""

    def __init__(self, entry: StoredObject, shown: str, folder: str, name: str) -> None:
        """Make the file, which must not be there, and the folders above it.

        Raises:
            StorageFault: in the name of the object.
        """
        self.entry = entry
        self.shown = shown
        self.missing = entry.size
        self._folder = folder
        self._lock = threading.Lock()
        self._writers = 0
        self._is_abandoned = False
        path = os.path.join(folder, name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._descriptor = os.open(path, flags, 0o644)
        except OSError as error:
            raise of_disk(error, shown, folder) from error

    def write(self, piece: Any, offset: int) -> None:
        """Write all of a piece: near the end of a disk less is written at first, and then it fails.

        Raises:
            StorageFault: it was not written, or nobody wants it any more.
        """
        with self._lock:
            if self._is_abandoned:
                raise StorageFault("cancelled", f"{self.shown} is not wanted any more")
            self._writers += 1
        rest = memoryview(piece)
        try:
            while rest:
                count = os.pwrite(self._descriptor, rest, offset)
                rest = rest[count:]
                offset += count
        except OSError as error:
            raise of_disk(error, self.shown, self._folder) from error
        finally:
            with self._lock:
                self._writers -= 1
                is_last = self._is_abandoned and self._writers == 0
            if is_last:
                os.close(self._descriptor)

    def finish(self) -> None:
        """Close the file, which must be whole."""
        size = os.fstat(self._descriptor).st_size
        try:
            # Some file systems tell only now that there was no room.
            os.close(self._descriptor)
        except OSError as error:
            raise of_disk(error, self.shown, self._folder) from error
        if size != self.entry.size:
            raise StorageFault("truncated", f"{self.shown}: {size:,} of {self.entry.size:,} bytes were written")

    def abandon(self) -> None:
        """Close the file as it is, now or after the write that goes on. None begins any more."""
        with self._lock:
            self._is_abandoned = True
            is_idle = self._writers == 0
        if is_idle:
            os.close(self._descriptor)
