"""Tensors that a call returned: what they are, and their values."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, List, Optional, Tuple

import torch

from .dtypes import name_of
from .frames import Bytes
from .result_files import ResultFiles

_CARRIERS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}

Node = Dict[str, Any]


class Outputs:
    """Collects the tensors of one result. ``described`` and ``payload`` go into the answer."""

    def __init__(self, files: ResultFiles, inline_bytes: int, places: Dict[Tuple[str, int], str]) -> None:
        self.described: List[Node] = []
        self.payload: List[Bytes] = []
        self._files = files
        self._inline_bytes = inline_bytes
        self._places = places
        self._payload_bytes = 0

    def add(self, key: str, tensor: torch.Tensor) -> Node:
        """Keeps a tensor's values under ``key``. Returns its description in FlashInfer's encoding.

        Refusal PYTHON_ERROR where its values find no room; RuntimeError where its device fails.
        """
        reason = _why_opaque(tensor)
        if reason is not None:
            return {"type": "torch.Tensor", "repr": f"<{reason} of shape {list(tensor.shape)}, which is not compared>"}
        plain = tensor.detach()
        if type(plain) is not torch.Tensor:
            plain = plain.as_subclass(torch.Tensor)
        shape, stride = list(plain.shape), list(plain.stride())
        dtype, device = str(plain.dtype), str(plain.device)
        is_contiguous = plain.is_contiguous()
        values, layout = _values_of(plain, is_contiguous)
        described = {
            "key": key,
            "dtype": name_of(plain.dtype),
            "shape": shape,
            "stride": stride,
            "device": device,
            "storage": self._place_of(plain, device),
            "layout": layout,
        }
        self._keep(described, values)
        return {
            "type": "torch.Tensor",
            "shape": shape,
            "dtype": dtype,
            "stride": stride,
            "device": device,
            "requires_grad": tensor.requires_grad,
            "is_contiguous": is_contiguous,
            "tensor_key": key,
        }

    def _keep(self, described: Node, values: torch.Tensor) -> None:
        size = values.numel() * values.element_size()
        described["bytes"] = size
        if size <= self._inline_bytes:
            described["inline"] = self._payload_bytes
            self.payload.append(_copy_out(values, size))
            self._payload_bytes += size
        else:
            host = values.cpu().contiguous()
            memory = (ctypes.c_ubyte * size).from_address(host.data_ptr())
            described["file"] = self._files.write(memoryview(memory).cast("B"))
        self.described.append(described)

    def _place_of(self, tensor: torch.Tensor, device: str) -> str:
        storage = tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage()
        address = storage.data_ptr()
        if address == 0:
            return f"empty:{len(self.described)}"
        return self._places.setdefault((device, address), f"result:{len(self._places)}")


def _why_opaque(tensor: torch.Tensor) -> Optional[str]:
    """What a tensor is whose values are no plain memory."""
    if tensor.layout is not torch.strided:
        return f"a sparse tensor ({tensor.layout})"
    if tensor.is_quantized:
        return "a quantised tensor"
    if tensor.device.type == "meta":
        return "a tensor without values (meta)"
    if getattr(tensor, "is_nested", False):
        return "a nested tensor"
    return None


def _values_of(tensor: torch.Tensor, is_contiguous: bool) -> Tuple[torch.Tensor, str]:
    """The values as integers of the elements' size; of a tensor whose elements overlap, the memory that it covers."""
    plain = tensor.resolve_conj().resolve_neg() if tensor.is_conj() or tensor.is_neg() else tensor
    layout = "contiguous"
    if not is_contiguous and plain is tensor and tensor.numel() > 0:
        covered = 1 + sum((count - 1) * step for count, step in zip(tensor.shape, tensor.stride()))
        if covered < tensor.numel():
            plain = tensor.as_strided((covered,), (1,), tensor.storage_offset())
            layout = "range"
    carrier = _CARRIERS.get(plain.element_size(), plain.dtype)
    return (plain if plain.dtype is carrier else plain.view(carrier)), layout


def _copy_out(values: torch.Tensor, size: int) -> Bytes:
    """Row-major copy, also of a view or from a device."""
    if size == 0:
        return b""
    copy = bytearray(size)
    torch.frombuffer(copy, dtype=values.dtype).view(values.shape).copy_(values)
    return copy
