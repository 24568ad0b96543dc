"""Regions of files as memory of this process."""

from __future__ import annotations

import mmap
import os
from typing import NamedTuple

from .refusal import Refusal


class MappedRegion(NamedTuple):
    """Memory that begins with the page in which the region begins."""

    memory: mmap.mmap
    offset: int


def map_region(path: str, offset: int, size: int) -> MappedRegion:
    """Maps a region privately: what is written to it stays in this process. Refusal VALUE_INVALID, PYTHON_ERROR."""
    page = offset % mmap.ALLOCATIONGRANULARITY
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if os.fstat(descriptor).st_size < offset + size:
                raise Refusal("VALUE_INVALID", f"{path} ends before the tensors that it should hold")
            memory = mmap.mmap(descriptor, page + size, access=mmap.ACCESS_COPY, offset=offset - page)
        finally:
            os.close(descriptor)
    except (OSError, OverflowError, ValueError) as error:
        raise Refusal("PYTHON_ERROR", f"{path} can't be read: {error}") from None
    return MappedRegion(memory, page)
