"""Values of which a recorder kept the name of the class and the text, rebuilt by fixed grammars: nothing is evaluated."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple

import torch

from .literal_reader import read_literal

_CUT_LENGTH = 1000
_DEVICE = re.compile(r"[a-z]+(?::[0-9]{1,9})?")
_TORCH_NAME = re.compile(r"torch\.(\w+)")
_SIZE = re.compile(r"torch\.Size\((\[[-0-9, ]*\])\)")
_RANGE = re.compile(r"range\((-?[0-9]+), (-?[0-9]+)(?:, (-?[0-9]+))?\)")
_CALL = re.compile(r"\w+\((.*)\)", re.DOTALL)
_INTEGER = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(r"-?(?:[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|inf|nan)")
_CONTAINERS = ("list", "tuple", "dict")
_TENSOR = re.compile(r"\btensor\(")
_INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "longlong", "ulonglong")
_FLOATS = ("float16", "float32", "float64", "longdouble")
_COMPLEX = ("complex64", "complex128")
_BOOLS = ("bool", "bool_")


class Rebuilt(NamedTuple):
    """A value, and what is worth saying about it."""

    value: Any
    note: Optional[str] = None


def rebuild(name: str, text: str, devices: Mapping[str, str]) -> Optional[Rebuilt]:
    """The value of class ``name`` whose ``str`` was ``text``; None where the text does not hold all of it.

    ``devices``: recorded devices that are other ones here.
    """
    if is_cut(text):
        return None
    parse = _PARSERS.get(name)
    try:
        if parse is not None:
            return Rebuilt(parse(text))
        if name == "device":
            return _device(text, devices)
        return _numpy_scalar(name, text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, OverflowError):
        return None


def is_cut(text: str) -> bool:
    """Whether the text is as long as what the recorder keeps of one: it may have been cut."""
    return len(text) >= _CUT_LENGTH


def holds_tensors(name: str, text: str) -> bool:
    """Whether the text of a container shows tensors: their values are printed rounded, and in part."""
    return name in _CONTAINERS and _TENSOR.search(text) is not None


def _literal(kind: type) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = read_literal(text)
        if type(value) is not kind:
            raise ValueError(text)
        return value

    return parse


def _size(text: str) -> torch.Size:
    return torch.Size(read_literal(_matched(_SIZE, text)[0]))


def _range(text: str) -> range:
    start, stop, step = _matched(_RANGE, text)
    return range(int(start), int(stop), int(step or "1"))


def _slice(text: str) -> slice:
    return slice(*_literal(tuple)(f"({_argument(text, 'slice')})"))


def _bytearray(text: str) -> bytearray:
    return bytearray(_literal(bytes)(_argument(text, "bytearray")))


def _set(text: str) -> set:
    return set() if text == "set()" else _literal(set)(text)


def _frozenset(text: str) -> frozenset:
    return frozenset() if text == "frozenset()" else frozenset(_literal(set)(_argument(text, "frozenset")))


def _ellipsis(text: str) -> Any:
    if text != "Ellipsis":
        raise ValueError(text)
    return ...


def _torch_constant(kind: type) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = getattr(torch, _matched(_TORCH_NAME, text)[0], None)
        if not isinstance(value, kind):
            raise ValueError(text)
        return value

    return parse


_PARSERS: Dict[str, Callable[[str], Any]] = {
    "complex": complex,
    "bytes": _literal(bytes),
    "bytearray": _bytearray,
    "range": _range,
    "slice": _slice,
    "set": _set,
    "frozenset": _frozenset,
    "list": _literal(list),
    "tuple": _literal(tuple),
    "dict": _literal(dict),
    "ellipsis": _ellipsis,
    "Size": _size,
    "dtype": _torch_constant(torch.dtype),
    "layout": _torch_constant(torch.layout),
    "memory_format": _torch_constant(torch.memory_format),
}


def torch_dtype(text: str) -> Optional[torch.dtype]:
    """``torch.bfloat16`` by its name; None where this torch has no such type."""
    try:
        return _PARSERS["dtype"](text)
    except ValueError:
        return None


def _device(text: str, devices: Mapping[str, str]) -> Rebuilt:
    if _DEVICE.fullmatch(text) is None:
        raise ValueError(text)
    try:
        return Rebuilt(torch.device(devices.get(text, text)))
    except RuntimeError:
        raise ValueError(text) from None


def _numpy_scalar(name: str, text: str) -> Optional[Rebuilt]:
    value: Any
    if name in _INTEGERS:
        value = int(_matched(_INTEGER, text, whole=True)[0])
    elif name in _FLOATS:
        value = float(_matched(_FLOAT, text, whole=True)[0])
    elif name in _COMPLEX:
        value = complex(text)
    elif name in _BOOLS and text in ("True", "False"):
        value = text == "True"
    else:
        return None
    try:
        import numpy
    except Exception as error:
        return Rebuilt(value, f"numpy can't be imported ({error}): a {name} is passed as a {type(value).__name__}")
    kind = numpy.bool_ if name in _BOOLS else getattr(numpy, name)
    return Rebuilt(kind(text) if name == "longdouble" else kind(value))


def _matched(pattern: "re.Pattern[str]", text: str, whole: bool = False) -> Tuple[str, ...]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return (match.group(),) if whole else match.groups()


def _argument(text: str, function: str) -> str:
    if not text.startswith(f"{function}("):
        raise ValueError(text)
    return _matched(_CALL, text)[0]
