"""What the process of the worker is, before any code of others runs in it."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
import threading
import time
from typing import Callable, Optional

from .frames import write_all

_REQUESTS = 3
_ANSWERS = 4
_FIRST_OWN_DESCRIPTOR = 200
_PR_SET_PDEATHSIG = 1
_WATCH_SECONDS = 0.5


class Descriptors:
    """The worker's own copies of its pipes: called code may close, replace and inherit what it knows by number."""

    def __init__(self) -> None:
        self.requests = _move(_REQUESTS)
        self.answers = _move(_ANSWERS)
        self._outputs = [_copy(number) for number in (1, 2)]

    def mark_outputs(self, text: bytes) -> None:
        """Writes to where stdout and stderr went when the worker started. What nobody reads any more stays unmarked."""
        for descriptor in self._outputs:
            try:
                write_all(descriptor, text)
            except OSError:
                pass


class OutputFlusher:
    """Empties the buffers in front of stdout and stderr: Python's, whatever they are now, and those of C."""

    def __init__(self) -> None:
        self._flush_c = _find_fflush()

    def flush(self) -> None:
        """Best effort: called code may have put anything in the place of ``sys.stdout``."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:  # a flush of the called code's own may raise what it likes
                pass
        if self._flush_c is not None:
            self._flush_c(None)


def settle(parent: int) -> None:
    """Lets a terminal's Ctrl-C be the parent's, and ties the life of this process to the parent's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        except (AttributeError, OSError):
            pass
    starter = os.getppid()
    threading.Thread(target=_watch, args=(starter, parent), name="fir-replay-watch", daemon=True).start()


def _watch(starter: int, parent: int) -> None:
    """Ends the process once the process that started it, or the parent behind a launcher, is gone."""
    while os.getppid() == starter and (starter == parent or _exists(parent)):
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _move(descriptor: int) -> int:
    copy = _copy(descriptor)
    os.close(descriptor)
    return copy


def _copy(descriptor: int) -> int:
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_OWN_DESCRIPTOR)
    except (OSError, ValueError):
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)


def _find_fflush() -> Optional[Callable[[None], int]]:
    try:
        return ctypes.CDLL(None).fflush
    except (AttributeError, OSError):
        return None
