"""Element types by the names that torch gives them."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional

import torch

_NAMES = (
    "bool",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex32",
    "complex64",
    "complex128",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float4_e2m1fn_x2",
)


class Dtype(NamedTuple):
    """An element type and the bytes of one element."""

    torch: torch.dtype
    size: int


_known: Dict[str, Optional[Dtype]] = {}


def find_dtype(name: str) -> Optional[Dtype]:
    """None where this torch has no tensors of the type."""
    if name not in _known:
        _known[name] = _find(name) if name in _NAMES else None
    return _known[name]


def name_of(dtype: torch.dtype) -> str:
    """``float32`` of ``torch.float32``."""
    return str(dtype)[len("torch.") :]


def _find(name: str) -> Optional[Dtype]:
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        return None
    return Dtype(dtype, torch.empty(0, dtype=dtype, device="cpu").element_size())
