"""What a function's source and signature say about it."""

from __future__ import annotations

import inspect
import re
from typing import Any, Optional

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_QUOTED = re.compile(r"(['\"])(?:\\.|(?!\1)[^\\])*\1", re.DOTALL)
_REDACTED = "…"
_DECORATOR = re.compile(r"@(?:\w+\.)*(?:flashinfer_api|flashinfer_experimental_api)\b")
_DEFINITION = re.compile(r"(?:async\s+)?def\s")


def original_of(function: Any) -> Any:
    """The function inside its decorators."""
    plain = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
    try:
        return inspect.unwrap(plain)
    except ValueError:
        return plain


def module_of(value: Any) -> Optional[str]:
    """The module that a function or class was defined in."""
    module = getattr(original_of(value), "__module__", None)
    return module if isinstance(module, str) else None


def has_signature(function: Any, recorded: str) -> bool:
    """Whether the function's signature reads as it was recorded, but for addresses and redacted texts."""
    try:
        signature = str(inspect.signature(function))
    except (TypeError, ValueError):
        return False
    if _REDACTED in recorded:
        signature = _QUOTED.sub(_REDACTED, signature)
        recorded = _QUOTED.sub(_REDACTED, recorded)
    return signature == recorded or _ADDRESS.sub("", signature) == _ADDRESS.sub("", recorded)


def is_recorded_by_flashinfer(function: Any) -> bool:
    """Whether the function's source begins with a decorator of FlashInfer's recorder."""
    try:
        lines = inspect.getsource(original_of(function)).splitlines()
    except (OSError, TypeError, SyntaxError):
        return False
    indent = len(lines[0]) - len(lines[0].lstrip()) if lines else 0
    for line in lines:
        text = line[indent:]
        if _DECORATOR.match(text):
            return True
        if _DEFINITION.match(text):
            return False
    return False
