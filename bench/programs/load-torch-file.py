"""Loads a .pt and prints the milliseconds that it took.

Usage: load-torch-file.py FILE copy|check|map|open

copy: torch.load, which copies every byte into memory and looks at no checksum.
check: the same, then zlib.crc32 over every tensor. map: with mmap=True, then a
sum over every byte. open: with mmap=True and nothing read, the median of many.
"""

import ctypes
import io
import statistics
import sys
import time
import zlib

import torch

OPENS = 50
path, mode = sys.argv[1:]
options = {"mmap": True, "weights_only": True} if mode in ("map", "open") else {}


def memory_of(tensor):
    size = tensor.numel() * tensor.element_size()
    return (ctypes.c_char * size).from_address(tensor.data_ptr())


def milliseconds():
    start = time.perf_counter()
    tensors = torch.load(path, **options)
    for tensor in tensors.values():
        if mode == "map":
            tensor.view(torch.int64).sum()
        elif mode == "check":
            zlib.crc32(memory_of(tensor))
    return (time.perf_counter() - start) * 1000


# What torch imports at the first load is start-up, not reading.
buffer = io.BytesIO()
torch.save({}, buffer)
buffer.seek(0)
torch.load(buffer)
print(statistics.median(milliseconds() for _ in range(OPENS if mode == "open" else 1)))
