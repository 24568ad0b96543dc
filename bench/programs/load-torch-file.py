"""Loads a .pt and prints the milliseconds that it took.

Usage: load-torch-file.py FILE copy|map|open

copy: torch.load, which copies every byte into memory. map: with mmap=True, then
a sum over every byte. open: with mmap=True and nothing read, the median of many.
"""

import io
import statistics
import sys
import time

import torch

OPENS = 50
path, mode = sys.argv[1:]
options = {} if mode == "copy" else {"mmap": True, "weights_only": True}


def milliseconds():
    start = time.perf_counter()
    tensors = torch.load(path, **options)
    if mode == "map":
        for tensor in tensors.values():
            tensor.view(torch.int64).sum()
    return (time.perf_counter() - start) * 1000


# What torch imports at the first load is start-up, not reading.
buffer = io.BytesIO()
torch.save({}, buffer)
buffer.seek(0)
torch.load(buffer)
print(statistics.median(milliseconds() for _ in range(OPENS if mode == "open" else 1)))
