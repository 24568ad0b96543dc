"""Importing modules and files, once each."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Callable, Dict, Union

from .failures import describe, first_line
from .refusal import Refusal


class Modules:
    """Modules by name and files by path. A module that failed to load is not tried again."""

    def __init__(self) -> None:
        self._loaded: Dict[str, Union[ModuleType, Refusal]] = {}

    def load(self, name: str) -> ModuleType:
        """Imports a module; whether it may be imported was asked before. Refusal MODULE_NOT_FOUND, PYTHON_ERROR."""
        return self._once(f"module '{name}'", name, lambda: importlib.import_module(name))

    def load_file(self, path: str) -> ModuleType:
        """Loads a file that the user named as a module of its own. Refusal MODULE_NOT_FOUND, PYTHON_ERROR."""
        return self._once(path, path, lambda: _load_file(path, len(self._loaded)))

    def _once(self, what: str, key: str, load: Callable[[], ModuleType]) -> ModuleType:
        found = self._loaded.get(key)
        if found is None:
            try:
                found = load()
            except BaseException as error:  # a module may raise anything, sys.exit included
                found = _refusal(what, key, error)
            self._loaded[key] = found
        if isinstance(found, Refusal):
            raise found.with_traceback(None)
        return found


def _load_file(path: str, number: int) -> ModuleType:
    stem = path.rpartition("/")[2].rpartition(".")[0]
    name = f"fir_target_{number}_{stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _refusal(what: str, key: str, error: BaseException) -> Refusal:
    if isinstance(error, ModuleNotFoundError) and error.name and f"{key}.".startswith(f"{error.name}."):
        return Refusal("MODULE_NOT_FOUND", f"there is no Python module '{key}'")
    if isinstance(error, FileNotFoundError) and error.filename == key:
        return Refusal("MODULE_NOT_FOUND", f"{key} is not there")
    described = describe(error)
    message = f"{what} could not be imported: {described.name}: {first_line(described.message)}"
    return Refusal("PYTHON_ERROR", message, described.name, described.stack)
