"""Enums and named tuples, which a record names by their class alone."""

from __future__ import annotations

import enum
import inspect
import sys
import typing
from types import ModuleType
from typing import Any, Callable, Dict, Iterator, Optional, Tuple

from .consent import Consent

IsWanted = Callable[[Any], bool]


class Classes:
    """Looks for classes where the called function has them at hand. Nothing is imported for a name."""

    def __init__(self, consent: Consent, function: Callable[..., Any], module: str) -> None:
        self._consent = consent
        self._function = function
        self._module = module
        self._found: Dict[Tuple[str, str], Optional[type]] = {}

    def find_enum(self, name: str, member: str) -> Optional[type]:
        """The enum of this name; where there are several, one that has the member."""

        def has_member(value: Any) -> bool:
            return is_enum(value) and member in value.__members__

        return self._find("enum", name, has_member) or self._find("flag", name, is_enum)

    def find_named_tuple(self, name: str, length: int) -> Optional[type]:
        """The named tuple of this name with so many fields."""

        def is_wanted(value: Any) -> bool:
            return is_named_tuple(value) and len(value._fields) == length

        return self._find(f"tuple {length}", name, is_wanted)

    def _find(self, kind: str, name: str, is_wanted: IsWanted) -> Optional[type]:
        key = (kind, name)
        known = self._found.get(key)
        if known is not None and is_wanted(known):
            return known
        found = next((each for each in self._candidates(name) if is_wanted(each)), None)
        self._found[key] = found
        return found

    def _candidates(self, name: str) -> Iterator[Any]:
        yield from _named(getattr(self._function, "__globals__", {}), name)
        yield from (each for each in _classes_of_signature(self._function) if each.__name__ == name)
        package = self._module.partition(".")[0]
        for module_name, module in list(sys.modules.items()):
            is_near = module_name == package or module_name.startswith(f"{package}.")
            if is_near and isinstance(module, ModuleType) and self._consent.covers(module_name, name):
                yield from _named(vars(module), name)


def is_enum(value: Any) -> bool:
    """Whether a value is an enum class."""
    return isinstance(value, type) and issubclass(value, enum.Enum)


def is_named_tuple(value: Any) -> bool:
    """Whether a value is a class of named tuples."""
    return isinstance(value, type) and issubclass(value, tuple) and isinstance(getattr(value, "_fields", None), tuple)


def _named(names: Dict[str, Any], name: str) -> Iterator[Any]:
    """What goes by the name, classes that have it and go by another one, and those inside of classes."""
    if name in names:
        yield names[name]
    classes = [value for value in list(names.values()) if isinstance(value, type)]
    for value in classes:
        if value.__name__ == name:
            yield value
    for value in classes:
        inner = vars(value).get(name)
        if isinstance(inner, type):
            yield inner


def _classes_of_signature(function: Callable[..., Any]) -> Iterator[type]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return
    for parameter in parameters:
        yield type(parameter.default)
        for annotation in (parameter.annotation, *typing.get_args(parameter.annotation)):
            if isinstance(annotation, type):
                yield annotation
