"""Files through which large tensors go to the parent."""

from __future__ import annotations

import os
from typing import Tuple

from .frames import Bytes, write_all
from .refusal import Refusal


class ResultFiles:
    """New files in shared memory or, where that is full or missing, in a folder of the disk.

    They are written, never stored to through a mapping: a full file system is an error, not a signal.
    """

    def __init__(self, shared: str, fallback: str) -> None:
        self._folders: Tuple[str, ...] = tuple(dict.fromkeys((shared, fallback)))
        self._count = 0

    def write(self, data: Bytes) -> str:
        """The path of a new file with these bytes. Refusal PYTHON_ERROR where neither folder has room."""
        self._count += 1
        failure = "no folder was given"
        for folder in self._folders:
            path = os.path.join(folder, f"out-{os.getpid()}-{self._count}")
            try:
                _write_new(path, data)
                return path
            except OSError as error:
                failure = f"{folder}: {error.strerror or error}"
        raise Refusal("PYTHON_ERROR", f"a result of {len(data)} bytes can't be handed over: {failure}")


def _write_new(path: str, data: Bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, data)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)
