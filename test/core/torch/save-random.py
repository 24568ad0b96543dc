"""Saves random tensors with random views under a directory (argument 1), and prints what a reader is to find as JSON."""

import hashlib
import json
import os
import random
import sys

import torch

DTYPES = (
    "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128"
).split()
FILES = 40


def random_storage(draw):
    name = draw.choice(DTYPES)
    dtype = getattr(torch, name)
    count = draw.choice([0, 1, 2, 7, 24, 100, 999])
    raw = bytearray(draw.randrange(2 if name == "bool" else 256) for _ in range(count * torch.empty(0, dtype=dtype).element_size()))
    return torch.frombuffer(raw, dtype=torch.uint8).view(dtype) if raw else torch.empty(0, dtype=dtype)


def random_view(draw, flat):
    """Any layout that fits into the elements of `flat`."""
    shape, stride, left = [], [], flat.numel() - 1
    if left < 0:
        return flat.reshape(draw.choice([(0,), (0, 3), (2, 0, 4)]))
    offset = draw.randint(0, left)
    left -= offset
    for _ in range(draw.randint(0, 4)):
        size = draw.choice([0, 1, 1, 2, 3, 5])
        step = draw.choice([0, 1, 2, 3, 8])
        if (size - 1) * step > left:
            continue
        left -= max(size - 1, 0) * step
        shape.append(size)
        stride.append(step)
    return flat.as_strided(shape, stride, offset)


def decorate(draw, tensor):
    kind = draw.randrange(4) if tensor.is_floating_point() else 3
    if kind == 0:
        return torch.nn.Parameter(tensor, requires_grad=draw.random() < 0.5)
    if kind == 1:
        return tensor.detach().requires_grad_()
    return tensor


def describe(tensor, groups):
    plain = tensor.detach()
    storage = plain.storage()
    storage = storage.untyped() if hasattr(storage, "untyped") else storage
    size = plain.element_size()
    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}.get(size)
    values = (plain if whole is None else plain.view(whole)).numpy().tobytes()
    return {
        "dtype": str(tensor.dtype)[len("torch.") :],
        "shape": list(tensor.shape),
        "stride": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "storageBytes": storage.nbytes(),
        "group": groups.setdefault(storage.data_ptr(), len(groups)) if storage.nbytes() else None,
        "requiresGrad": tensor.requires_grad,
        "isParameter": isinstance(tensor, torch.nn.Parameter),
        "sha256": hashlib.sha256(values).hexdigest(),
    }


def main():
    directory = sys.argv[1]
    draw = random.Random(7)
    expected = {}
    for number in range(FILES):
        storages = [random_storage(draw) for _ in range(draw.randint(1, 4))]
        views = {
            f"arg_{index}": decorate(draw, random_view(draw, draw.choice(storages)))
            for index in range(draw.randint(0, 9))
        }
        groups = {}
        name = f"{number}.pt"
        torch.save(views, os.path.join(directory, name), pickle_protocol=2 + number % 4)
        expected[name] = {key: describe(view, groups) for key, view in views.items()}
    torch.save(
        {"a": torch.arange(3)}, os.path.join(directory, "legacy.pt"), _use_new_zipfile_serialization=False
    )
    torch.save({"slice": torch.arange(100000.0)[10:14]}, os.path.join(directory, "slice.pt"))
    whole = torch.arange(20)
    torch.save([whole[:10], whole[2:4]], os.path.join(directory, "overlap.pt"))
    torch.save(
        {
            "transposed": torch.arange(6.0).reshape(2, 3).t(),
            "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
        },
        os.path.join(directory, "strided.pt"),
    )
    json.dump(expected, sys.stdout)


main()
