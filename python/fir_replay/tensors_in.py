"""The tensors of a request: their memory, and views of it with the recorded layouts."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

import torch

from .dtypes import Dtype, find_dtype
from .mapped_files import map_region
from .refusal import Refusal

_ALIGNMENT = 16

Tensors = Dict[str, torch.Tensor]


class Inputs:
    """Tensors by key, and where the memory of each storage of the request begins, by device."""

    def __init__(self, request: Dict[str, Any], payload: bytearray) -> None:
        self.tensors: Tensors = {}
        self._storages: List[Dict[str, Any]] = request["storages"]
        self._payload = payload
        self._memory: Dict[Tuple[int, str], torch.Tensor] = {}
        for described in request["tensors"]:
            self.tensors[described["key"]] = self._tensor(described)

    def places(self) -> Dict[Tuple[str, int], str]:
        """Names of the storages by device and address: by them a result that shares memory with an argument is known."""
        return {
            (str(memory.device), memory.data_ptr()): f"input:{index}"
            for (index, _), memory in self._memory.items()
            if memory.numel() > 0
        }

    def _tensor(self, described: Dict[str, Any]) -> torch.Tensor:
        key = described["key"]
        dtype = find_dtype(described["dtype"])
        if dtype is None:
            raise Refusal("NOT_REPLAYABLE", f"torch {torch.__version__} has no tensors of {described['dtype']} ({key})")
        shape, stride = described["shape"], described["stride"]
        memory = self._memory_of(described["storage"], described["device"])
        offset = _checked_offset(key, dtype, shape, stride, described["offset"], memory.numel())
        try:
            empty = torch.empty(0, dtype=dtype.torch, device=memory.device)
            tensor = empty.set_(_storage_of(memory), offset, shape, stride)
            if described.get("parameter"):
                return torch.nn.Parameter(tensor, requires_grad=bool(described.get("requires_grad")))
            return tensor.requires_grad_() if described.get("requires_grad") else tensor
        except (RuntimeError, TypeError, ValueError) as error:
            raise Refusal("VALUE_INVALID", f"{key} is no tensor that torch can make: {error}") from None

    def _memory_of(self, index: int, device: str) -> torch.Tensor:
        """The bytes of a storage, on one device: tensors that shared them do so there."""
        memory = self._memory.get((index, device))
        if memory is None:
            if not 0 <= index < len(self._storages):
                raise Refusal("VALUE_INVALID", f"there is no storage {index}")
            memory = _load(self._storages[index], self._payload)
            if device != "cpu":
                memory = memory.to(device)
            self._memory[(index, device)] = memory
        return memory


def _load(storage: Dict[str, Any], payload: bytearray) -> torch.Tensor:
    size = storage["bytes"]
    if size == 0:
        return torch.empty(0, dtype=torch.uint8, device="cpu")
    if "file" in storage:
        region = map_region(storage["file"], storage["offset"], size)
        mapped = torch.frombuffer(region.memory, dtype=torch.uint8, count=size, offset=region.offset)
        return mapped if region.offset % _ALIGNMENT == 0 else _copy(mapped)
    begin = storage["inline"]
    if not 0 <= begin <= begin + size <= len(payload):
        raise Refusal("VALUE_INVALID", "a storage is outside of its frame")
    return _copy(torch.frombuffer(payload, dtype=torch.uint8, count=size, offset=begin))


def _copy(memory: torch.Tensor) -> torch.Tensor:
    """Memory of torch's own: aligned, and free to be resized."""
    return torch.empty(memory.numel(), dtype=torch.uint8, device="cpu").copy_(memory)


def _storage_of(memory: torch.Tensor) -> Any:
    if hasattr(memory, "untyped_storage"):
        return memory.untyped_storage()
    return memory.storage().untyped()


def _checked_offset(
    key: str, dtype: Dtype, shape: Sequence[int], stride: Sequence[int], offset: int, available: int
) -> int:
    """The offset in elements; ``set_`` would make a storage that is too small larger. Refusal VALUE_INVALID."""
    if len(shape) != len(stride) or offset < 0 or any(count < 0 for count in (*shape, *stride)):
        raise Refusal("VALUE_INVALID", f"the layout of {key} makes no sense")
    if 0 in shape:
        return 0
    last = offset + sum((count - 1) * step for count, step in zip(shape, stride))
    if (last + 1) * dtype.size > available:
        raise Refusal("VALUE_INVALID", f"{key} reaches beyond the {available} bytes of its storage")
    return offset
