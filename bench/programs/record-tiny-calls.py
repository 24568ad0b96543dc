"""Writes a session of tiny calls in the layout of FlashInfer's recorder.

Usage: record-tiny-calls.py SESSION CALLS DIRECTORY_OF_FIR_DEMO_KERNELS

Every call has 1 KiB of inputs and 1 KiB of output; row_scale and scaled_mm
take turns.
"""

import json
import os
import sys

import torch

session, calls, kernels = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sys.path.insert(0, kernels)
import fir_demo_kernels  # noqa: E402

PID = 4242
SIGNATURES = {
    "row_scale": "(x, factor)",
    "scaled_mm": "(a, b, scale=1.0, out_dtype=torch.bfloat16)",
}


def describe(tensor):
    return {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype),
        "stride": list(tensor.stride()),
        "device": str(tensor.device),
    }


def size_of(tensors):
    return sum(t.numel() * t.element_size() for t in tensors.values())


def make_call(number):
    if number % 2:
        return "row_scale", {"arg_0": torch.randn(16, 16)}, {"arg_1": 0.5}
    tensors = {"arg_0": torch.randn(16, 8), "arg_1": torch.randn(8, 16)}
    return "scaled_mm", tensors, {
        "kwarg_scale": 0.5,
        "kwarg_out_dtype": {"type": "torch.dtype", "value": "torch.float32"},
    }


def compute(name, tensors):
    if name == "row_scale":
        return fir_demo_kernels.row_scale(tensors["arg_0"], 0.5)
    return fir_demo_kernels.scaled_mm(
        tensors["arg_0"], tensors["arg_1"], scale=0.5, out_dtype=torch.float32
    )


def record_call(number, index):
    name, inputs, values = make_call(number)
    sequence = (number + 1) // 2
    timestamp = f"20260101_{number // 1000:06d}_{number % 1000:03d}"
    dump = f"{timestamp}_pid{PID}_{name}_call{sequence:04d}"
    directory = os.path.join(session, dump)
    os.makedirs(directory)
    torch.save(inputs, os.path.join(directory, "inputs.pt"))
    outputs = {"result": compute(name, inputs)}
    torch.save(outputs, os.path.join(directory, "outputs.pt"))
    with open(os.path.join(directory, "metadata.jsonl"), "w") as own:
        for known in ({}, outputs):
            info = {
                "input_tensor_keys": list(inputs),
                "output_tensor_keys": list(known),
                "input_size_bytes": size_of(inputs),
                "input_size_mb": size_of(inputs) / 2**20,
            }
            if known:
                info["output_size_bytes"] = size_of(known)
                info["output_size_mb"] = size_of(known) / 2**20
            record = {
                "function_name": name,
                "module": "fir_demo_kernels",
                "call_sequence": sequence,
                "timestamp": timestamp,
                "process_id": PID,
                "input_metadata": values,
                "output_metadata": {},
                "tensor_info": info,
                "tensor_details": {k: describe(t) for k, t in {**inputs, **known}.items()},
                "tensor_format": "torch",
                "function_signature": SIGNATURES[name],
                "versions": {"torch": torch.__version__, "python": sys.version},
                "execution_status": "completed" if known else "inputs_saved",
                "graph_capture": False,
                "dump_dir": os.path.join(os.path.basename(session), dump),
            }
            line = json.dumps(record) + "\n"
            own.write(line)
            index.write(line)


torch.manual_seed(0)
with torch.no_grad(), open(os.path.join(session, "session.jsonl"), "w") as log:
    for call in range(1, calls + 1):
        record_call(call, log)
