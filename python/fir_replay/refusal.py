"""Why a call is not run."""

from __future__ import annotations

from typing import Optional


class Refusal(Exception):
    """A call that cannot or may not be run. ``code`` is one of the protocol's."""

    def __init__(self, code: str, message: str, name: Optional[str] = None, stack: Optional[str] = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.name = name or "Refusal"
        self.stack = stack
