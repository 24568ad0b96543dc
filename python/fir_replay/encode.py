"""Results in FlashInfer's encoding of values, but never cut short."""

from __future__ import annotations

import enum
from typing import Any, Dict, List

import torch

from .tensors_out import Outputs

# Of JSON: what the parent reads, and what the json module of every Python writes.
_DEEPEST = 900
_LONGEST_TEXT = 1000
_MOST_BITS = 10_000


def encode_result(result: Any, outputs: Outputs) -> Any:
    """Encodes what a call returned. The items of a tuple are keyed ``result_0`` and so on, as FlashInfer keeps them."""
    encoder = _Encoder(outputs)
    if isinstance(result, tuple):
        keys = [f"result_{index}" for index in range(len(result))]
        return encoder.items(result, "tuple", keys, 1)
    return encoder.value(result, "result", 1)


class _Encoder:
    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._open: Dict[int, None] = {}

    def value(self, value: Any, key: str, depth: int) -> Any:
        if isinstance(value, torch.Tensor):
            return self._outputs.add(key, value)
        if isinstance(value, torch.dtype):
            return {"type": "torch.dtype", "value": str(value)}
        if isinstance(value, enum.Enum):
            name = f"{type(value).__name__}.{value.name}"
            return {"type": "enum", "name": name, "value": self.value(value.value, key, depth + 1)}
        if value is None or isinstance(value, (bool, float, str)):
            return value
        if isinstance(value, int):
            return value if value.bit_length() <= _MOST_BITS else _described(value)
        if isinstance(value, (list, tuple)):
            keys = [f"{key}__{index}" for index in range(len(value))]
            return self.items(value, type(value).__name__, keys, depth)
        if isinstance(value, dict):
            return self._dict(value, key, depth)
        return _described(value)

    def items(self, value: Any, name: str, keys: List[str], depth: int) -> Any:
        if id(value) in self._open or depth + 2 > _DEEPEST:
            return {"type": name, "repr": "<cycle>"}
        self._open[id(value)] = None
        items = []
        for item, key in zip(value, keys):
            items.append(self.value(item, key, depth + 2))
        del self._open[id(value)]
        return {"type": name, "length": len(items), "items": items, "truncated": False}

    def _dict(self, value: Dict[Any, Any], key: str, depth: int) -> Any:
        if id(value) in self._open or depth + 3 > _DEEPEST:
            return {"type": "dict", "repr": "<cycle>"}
        self._open[id(value)] = None
        items = []
        for index, (name, item) in enumerate(list(value.items())):
            encoded = self.value(name, f"{key}__key_{index}", depth + 3)
            items.append({"key": encoded, "value": self.value(item, f"{key}__value_{index}", depth + 3)})
        del self._open[id(value)]
        return {"type": "dict", "length": len(items), "items": items, "truncated": False}


def _described(value: Any) -> Dict[str, str]:
    name = type(value).__name__
    try:
        return {"type": name, "repr": str(value)[:_LONGEST_TEXT]}
    except BaseException:  # the value's own code
        return {"type": name, "repr": "<not serializable>"}
