"""The least that a replay of such a session takes: a loop in one process.

Usage: plain-replay.py SESSION DIRECTORY_OF_FIR_DEMO_KERNELS

For each dump: json.loads of its last record, torch.load of inputs and outputs,
the call without gradients, torch.allclose. Prints how many calls matched.
"""

import importlib
import inspect
import json
import os
import sys

import torch

session, kernels = sys.argv[1:]
sys.path.insert(0, kernels)
SAFE = {"weights_only": True} if "weights_only" in inspect.signature(torch.load).parameters else {}


def decode(value):
    if isinstance(value, dict) and value.get("type") == "torch.dtype":
        return getattr(torch, value["value"].split(".")[-1])
    return value


def load(directory, name):
    return torch.load(os.path.join(directory, name), map_location="cpu", **SAFE)


def replay(directory):
    with open(os.path.join(directory, "metadata.jsonl")) as log:
        record = json.loads(log.readlines()[-1])
    values = {k: decode(v) for k, v in record["input_metadata"].items()}
    values.update(load(directory, "inputs.pt"))
    positional = [values[k] for k in sorted(k for k in values if k.startswith("arg_"))]
    named = {k[len("kwarg_") :]: v for k, v in values.items() if k.startswith("kwarg_")}
    module = importlib.import_module(record["module"])
    with torch.no_grad():
        result = getattr(module, record["function_name"])(*positional, **named)
    expected = load(directory, "outputs.pt")["result"]
    return torch.allclose(result, expected, rtol=1e-3, atol=1e-3)


dumps = sorted(entry.path for entry in os.scandir(session) if entry.is_dir())
print(sum(replay(directory) for directory in dumps))
