"""What code raised, in words."""

from __future__ import annotations

import importlib
import os
import traceback
from types import TracebackType
from typing import NamedTuple, Optional

_OWN_DIRECTORY = os.path.dirname(os.path.abspath(__file__)) + os.sep
_IMPORTLIB_DIRECTORY = os.path.dirname(importlib.__file__) + os.sep
_LONGEST_MESSAGE = 20_000
_LONGEST_STACK = 100_000


class Failure(NamedTuple):
    """An exception as it is told: class, message, and the traceback of the called code alone."""

    name: str
    message: str
    stack: str


def describe(error: BaseException) -> Failure:
    """Never raises, whatever the exception's own methods do."""
    name = type(error).__name__
    try:
        message = str(error)
    except BaseException:  # the exception's own code
        message = "<its message could not be made>"
    return Failure(name, message[:_LONGEST_MESSAGE], _stack_of(error, name, message))


def first_line(message: str) -> str:
    """The first line of a message that may have many."""
    return message.strip().partition("\n")[0]


def _stack_of(error: BaseException, name: str, message: str) -> str:
    try:
        lines = traceback.format_exception(type(error), error, _without_own(error.__traceback__))
    except BaseException:  # the exception's own code
        return f"{name}: {message}"[:_LONGEST_STACK]
    return "".join(lines)[-_LONGEST_STACK:]


def _without_own(trace: Optional[TracebackType]) -> Optional[TracebackType]:
    while trace is not None and _is_own(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_own(path: str) -> bool:
    """Frames of the worker, and of the machinery by which it imports modules."""
    return path.startswith((_OWN_DIRECTORY, _IMPORTLIB_DIRECTORY, "<frozen importlib"))
