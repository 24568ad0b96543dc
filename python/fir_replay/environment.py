"""What the first request sets up: where modules are found, torch, and the device."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata
from typing import Any, Dict, List, NamedTuple

from .failures import describe, first_line

_FLASHINFER_DISTRIBUTIONS = ("flashinfer-python", "flashinfer")
# What the worker needs later, which a file in the user's folders may have the name of.
_STANDARD = ("ast", "ctypes", "enum", "importlib.util", "inspect", "mmap", "re", "typing")
_OLDEST_TORCH = (1, 13)


class SetupFailure(Exception):
    """Why no call can be run here. ``code`` is one of the protocol's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Environment(NamedTuple):
    """What calls run in. ``device``: where tensors go; ``devices``: every CUDA device that there is."""

    torch: str
    device: str
    devices: List[str]
    versions: Dict[str, str]


def set_up(request: Dict[str, Any]) -> Environment:
    """Puts the user's folders in front of ``sys.path``, imports torch and chooses the device. SetupFailure."""
    if sys.byteorder != "little":
        raise SetupFailure("PYTHON_FAILED", "tensors are passed little-endian, and this machine is big-endian")
    for name in _STANDARD:
        importlib.import_module(name)
    sys.path[:0] = request["python_path"]
    torch = _import_torch()
    devices = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    device = _choose_device(request["device"], devices)
    if device != "cpu":
        torch.cuda.set_device(device)
    version = str(torch.__version__)
    return Environment(version, device, devices, {"torch": version, **_flashinfer_version()})


def _import_torch() -> Any:
    try:
        torch = importlib.import_module("torch")
    except BaseException as error:  # a module may raise anything, sys.exit included
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            raise SetupFailure("PYTHON_NO_TORCH", f"{sys.executable} has no torch") from None
        described = describe(error)
        message = f"torch could not be imported: {described.name}: {first_line(described.message)}"
        raise SetupFailure("PYTHON_FAILED", message) from None
    version = str(getattr(torch, "__version__", "")).split(".")
    numbers = tuple(int(part) for part in version[:2] if part.isdigit())
    if len(numbers) < 2 or not hasattr(torch, "frombuffer"):
        raise SetupFailure("PYTHON_FAILED", f"{getattr(torch, '__file__', 'torch')} is no torch that can run calls")
    if numbers < _OLDEST_TORCH:
        raise SetupFailure("PYTHON_FAILED", f"torch {'.'.join(version)} is too old: calls need 1.13 or newer")
    return torch


def _choose_device(wanted: str, devices: List[str]) -> str:
    if wanted == "cpu" or (wanted == "auto" and not devices):
        return "cpu"
    device = "cuda:0" if wanted in ("auto", "cuda") else wanted
    if device not in devices:
        there = ", ".join(devices) if devices else "no CUDA device"
        raise SetupFailure("DEVICE_MISSING", f"device {wanted} is not there: torch sees {there}")
    return device


def _flashinfer_version() -> Dict[str, str]:
    """By what was installed: FlashInfer itself is not imported for that."""
    for name in _FLASHINFER_DISTRIBUTIONS:
        try:
            return {"flashinfer": metadata.version(name)}
        except Exception:
            continue
    return {}
