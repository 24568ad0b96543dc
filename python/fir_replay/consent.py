"""What the user agreed to run."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Dict, Iterable, Tuple

from .refusal import Refusal

_KNOWN = "flashinfer"
_COLLECTIVES = "flashinfer.comm"
_OWN = "fir_replay"
_LONGEST_NAME = 500


class Consent:
    """Modules that may be imported: FlashInfer's own, and those that a pattern of ``--allow`` covers."""

    def __init__(self, allow: Iterable[str]) -> None:
        self._patterns = tuple(allow)
        self._allowed: Dict[Tuple[str, str], bool] = {}

    def require(self, module: str, name: str) -> None:
        """Refuses what may not be imported for the function or class ``name`` of the module."""
        check_module_name(module)
        if self.covers(module, name):
            return
        raise Refusal("NOT_ALLOWED", f"{_describe(module)}; add --allow '{module}'")

    def covers(self, module: str, name: str) -> bool:
        """Whether code of the module may run: it is FlashInfer's own, or allowed."""
        return is_known(module) or self.allows(module, name)

    def allows(self, module: str, name: str) -> bool:
        """Whether a pattern names the module, or the function or class in it."""
        key = (module, name)
        allowed = self._allowed.get(key)
        if allowed is None:
            names = (module, f"{module}.{name}")
            allowed = any(fnmatchcase(each, pattern) for pattern in self._patterns for each in names)
            self._allowed[key] = allowed
        return allowed


def is_known(module: str) -> bool:
    """FlashInfer's modules are known, but for those whose functions wait for other ranks."""
    return _is_in(module, _KNOWN) and not _is_in(module, _COLLECTIVES)


def check_module_name(module: str) -> None:
    """Refuses what is no name of a module, the modules whose import runs a program, and the worker's own."""
    parts = module.split(".")
    if len(module) > _LONGEST_NAME or not all(part.isidentifier() for part in parts):
        raise Refusal("NOT_ALLOWED", f"{module[:100]!r} is no name of a Python module")
    if any(is_dunder(part) for part in parts):
        raise Refusal("NOT_ALLOWED", f"importing module '{module}' would run a program; use --target")
    if _is_in(module, _OWN):
        raise Refusal("NOT_ALLOWED", f"module '{module}' is the replay worker's own")


def is_dunder(name: str) -> bool:
    """Names that Python itself gives a meaning to."""
    return name.startswith("__") and name.endswith("__")


def _describe(module: str) -> str:
    if _is_in(module, _COLLECTIVES):
        return f"module '{module}' is for collective operations, which would wait for ranks that are not here"
    return f"module '{module}' is not allowed"


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
