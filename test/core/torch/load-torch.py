"""Loads the files named in a JSON list on stdin as torch does, and prints what is in them as JSON."""

import ctypes
import json
import sys

import torch


def values(tensor):
    if tensor.element_size() == 1:
        # Torch copies no float4.
        tensor = tensor.view(torch.uint8)
    own = tensor.detach().contiguous().clone()
    return ctypes.string_at(own.data_ptr(), own.numel() * own.element_size()).hex() if own.numel() else ""


def describe(tensor):
    storage = tensor.untyped_storage() if hasattr(tensor, "untyped_storage") else tensor.storage().untyped()
    return {
        "dtype": str(tensor.dtype),
        "shape": list(tensor.shape),
        "stride": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "storage": storage.data_ptr(),
        "storageBytes": storage.nbytes(),
        "values": values(tensor),
    }


def load(path):
    tensors = torch.load(path, weights_only=True)
    return {key: describe(tensor) for key, tensor in tensors.items()}


json.dump([load(path) for path in json.load(sys.stdin)], sys.stdout)
