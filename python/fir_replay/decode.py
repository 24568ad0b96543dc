"""Arguments from a record: FlashInfer's encoding of values, back to what the function was given."""

from __future__ import annotations

import enum
import re
from typing import Any, Dict, List, Mapping, Sequence

import torch

from .classes import Classes
from .literals import holds_tensors, is_cut, rebuild, torch_dtype
from .refusal import Refusal

_OBJECT = re.compile(r"<([^\s<>]+) object at 0x([0-9a-fA-F]{1,16})>")
_HASH = re.compile(r"[0-9a-f]{1,128}")
_LONGEST_TEXT = 64 * 1024 * 1024
_DIGITS = re.compile(r"-?\d{1,4000}")
_JS_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf"), "-0": -0.0}

Node = Dict[str, Any]


class Decoder:
    """Decodes the arguments of one call.

    ``devices``: recorded devices that are other ones here. ``notes`` collects what is worth saying about the arguments.
    """

    def __init__(
        self,
        tensors: Dict[str, torch.Tensor],
        objects: "LiveObjects",
        classes: Classes,
        devices: Mapping[str, str],
        notes: List[str],
    ) -> None:
        self._tensors = tensors
        self._objects = objects
        self._classes = classes
        self._devices = devices
        self._notes = notes
        self._made_up = 0

    def argument(self, recorded: Dict[str, Any], key: str) -> Any:
        """The argument of this key: what the record says, or the tensor that goes by the key.

        Refusal NOT_REPLAYABLE, VALUE_INVALID.
        """
        if key in recorded:
            return self._value(recorded[key], key)
        if key in self._tensors:
            return self._tensors[key]
        raise Refusal("NOT_REPLAYABLE", f"{key} was not saved")

    def _value(self, node: Any, key: str) -> Any:
        if not isinstance(node, (dict, list)):
            return node
        kind = node.get("type") if isinstance(node, dict) else None
        if isinstance(node, list) or not isinstance(kind, str):
            raise Refusal("VALUE_INVALID", f"{key} holds a value without a type")
        if node.get("truncated"):
            raise _cut(key, kind)
        if kind == "fir.redacted":
            return self._placeholder(node, key)
        if kind == "torch.Tensor":
            return self._tensor(node, key)
        if kind == "torch.dtype":
            return self._dtype(node, key)
        if kind == "enum":
            return self._enum(node, key)
        if kind.startswith("js."):
            return _javascript(node, kind, key)
        if "items" in node:
            return self._container(node, kind, key)
        return self._described(node, kind, key)

    def _placeholder(self, node: Node, key: str) -> Any:
        """As long as the text or the bytes that were left out; of one hash, the same."""
        kind, length, seed = node.get("of"), node.get("length"), node.get("hash")
        if kind not in ("string", "bytes", "bytearray") or not isinstance(length, int) or length < 0:
            raise Refusal("NOT_REPLAYABLE", f"{key} holds a {kind}, which was redacted")
        self._made_up += length
        if self._made_up > _LONGEST_TEXT:
            raise Refusal("VALUE_INVALID", f"{key} belongs to a value that is too large")
        seed = seed if isinstance(seed, str) and _HASH.fullmatch(seed) else "x"
        text = (seed * (length // len(seed) + 1))[:length]
        if kind == "string":
            return text
        return text.encode("ascii") if kind == "bytes" else bytearray(text, "ascii")

    def _tensor(self, node: Node, key: str) -> torch.Tensor:
        tensor = self._tensors.get(node.get("tensor_key", ""))
        if tensor is None:
            raise Refusal("NOT_REPLAYABLE", f"{key} holds a tensor whose values were not saved")
        return tensor

    def _dtype(self, node: Node, key: str) -> torch.dtype:
        dtype = torch_dtype(str(node.get("value")))
        if dtype is None:
            raise Refusal("NOT_REPLAYABLE", f"{key} holds {node.get('value')}, which torch {torch.__version__} lacks")
        return dtype

    def _enum(self, node: Node, key: str) -> enum.Enum:
        class_name, _, member = str(node.get("name")).partition(".")
        recorded = node.get("value")
        found: Any = self._classes.find_enum(class_name, member)
        if found is None:
            raise Refusal("NOT_REPLAYABLE", f"{key} holds an enum {class_name}, which was not found")
        value = found.__members__.get(member)
        if value is None and issubclass(found, enum.Flag) and isinstance(recorded, int):
            value = found(recorded)
        if value is None:
            raise Refusal("NOT_REPLAYABLE", f"{key} holds {class_name}.{member}, which the enum has no more")
        if isinstance(recorded, (int, float, str)) and not _is_same(value.value, recorded):
            self._notes.append(f"{key}: {class_name}.{member} is {value.value!r}, recorded {recorded!r}")
        return value

    def _container(self, node: Node, kind: str, key: str) -> Any:
        items = node["items"]
        if not isinstance(items, list):
            raise Refusal("VALUE_INVALID", f"{key} holds a {kind} whose items are no list")
        if node.get("length", len(items)) != len(items):
            raise _cut(key, kind)
        if kind == "dict":
            return self._dict(items, key)
        values = [self._value(item, key) for item in items]
        if kind == "list":
            return values
        if kind == "tuple":
            return tuple(values)
        if kind == "Size":
            return _size(values, key)
        found = self._classes.find_named_tuple(kind, len(values))
        if found is None:
            raise _unknown(key, kind)
        return tuple.__new__(found, values)

    def _dict(self, items: Sequence[Any], key: str) -> Dict[Any, Any]:
        made = {}
        for item in items:
            if not isinstance(item, dict) or "key" not in item or "value" not in item:
                raise Refusal("VALUE_INVALID", f"{key} holds a malformed dict")
            try:
                made[self._value(item["key"], key)] = self._value(item["value"], key)
            except TypeError as error:
                raise Refusal("VALUE_INVALID", f"{key} holds a malformed dict: {error}") from None
        return made

    def _described(self, node: Node, kind: str, key: str) -> Any:
        text = node.get("repr")
        if text is None:
            # So the recorder's first versions wrote containers.
            text = node.get("value")
        if not isinstance(text, str):
            raise _unknown(key, kind)
        match = _OBJECT.fullmatch(text)
        if match is not None:
            return self._objects.find(int(match.group(2), 16), kind, key)
        rebuilt = rebuild(kind, text, self._devices)
        if rebuilt is None:
            raise _not_whole(key, kind, text)
        if rebuilt.note is not None:
            self._notes.append(f"{key}: {rebuilt.note}")
        return rebuilt.value


class LiveObjects:
    """The objects that a call may name, by where they were in the recorded program."""

    def __init__(self, uses: Sequence[Dict[str, str]], live: Dict[str, Any]) -> None:
        self._uses = uses
        self._live = live

    def find(self, address: int, class_name: str, key: str) -> Any:
        """Refusal NOT_REPLAYABLE where no recorded call made the object."""
        for use in self._uses:
            is_named = use["self_id"] == str(address) and use["class"] in (class_name, "")
            if is_named and use["key"] in self._live:
                return self._live[use["key"]]
        raise Refusal("NOT_REPLAYABLE", f"{key} holds a {class_name} that no call before it made")


def _javascript(node: Node, kind: str, key: str) -> Any:
    """Numbers that strict JSON cannot hold, as fir writes them into the sessions that it rewrites."""
    value = node.get("value")
    if kind == "js.undefined":
        return None
    if kind == "js.number" and isinstance(value, str) and value in _JS_NUMBERS:
        return _JS_NUMBERS[value]
    if kind == "js.bigint" and isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    raise _unknown(key, kind)


def _size(values: List[Any], key: str) -> torch.Size:
    try:
        return torch.Size(values)
    except (TypeError, ValueError, RuntimeError):
        raise Refusal("VALUE_INVALID", f"{key} holds a Size of other things than numbers") from None


def _is_same(value: Any, recorded: Any) -> bool:
    return value == recorded or (value != value and recorded != recorded)


def _cut(key: str, kind: str) -> Refusal:
    return Refusal("NOT_REPLAYABLE", f"{key} holds a {kind} that was cut short when it was recorded")


def _not_whole(key: str, kind: str, text: str) -> Refusal:
    if holds_tensors(kind, text):
        return _unknown(key, f"{kind} of tensors")
    return _cut(key, kind) if is_cut(text) else _unknown(key, kind)


def _unknown(key: str, kind: str) -> Refusal:
    return Refusal("NOT_REPLAYABLE", f"{key} holds a {kind}, which was only described, not recorded")
