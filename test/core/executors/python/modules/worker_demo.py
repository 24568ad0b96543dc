"""Functions that the tests of the replay worker call."""

import asyncio
import collections
import ctypes
import enum
import os
import subprocess
import sys
import threading
import time
from subprocess import call as spawn_command  # noqa: F401 - a function of another module

import torch
from worker_enums import Colour as Paint

Pair = collections.namedtuple("Pair", ["left", "right"])


class Mode(enum.Enum):
    FAST = "fast"
    EXACT = torch.float32


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


def describe(*args, **kwargs):
    """Class and text of each argument."""
    return {
        name: f"{type(value).__module__}.{type(value).__qualname__} {value!r}"
        for name, value in [*((str(i), v) for i, v in enumerate(args)), *kwargs.items()]
    }


def paint(colour=Paint.RED):
    return describe(colour)


def layout(tensor):
    return {
        "shape": list(tensor.shape),
        "stride": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "values": tensor.tolist(),
        "class": type(tensor).__name__,
        "requires_grad": tensor.requires_grad,
        "dtype": str(tensor.dtype),
    }


def add_into(out, x, *others):
    """Adds in place, and returns what shares memory with ``out``."""
    out.add_(x)
    return (out, *others)


def twice(x):
    return x * 2


def grow(x):
    return x.resize_(1000)


def grad_mode(weight):
    y = weight * 2
    return y.requires_grad, torch.is_grad_enabled(), weight


def give(name):
    """One of many kinds of results."""
    return RESULTS[name]()


def _cycle():
    value = [1]
    value.append(value)
    return value


def _deep():
    value = 0
    for _ in range(5000):
        value = [value]
    return value


async def _later():
    return 1


class _Unprintable:
    def __str__(self):
        raise SystemExit(3)


RESULTS = {
    "none": lambda: None,
    "scalars": lambda: [1, 1.0, True, None, "text \ud800", float("nan"), float("-inf"), 2**70, -0.0],
    "huge": lambda: 10**5000,
    "pair": lambda: Pair(torch.ones(2), [torch.zeros(1), {"w": torch.ones(1), 2: "b"}]),
    "inside": lambda: [Pair(1, 2), (torch.ones(1),)],
    "empty": lambda: (),
    "dict": lambda: {"sum": torch.ones(1)},
    "tensor key": lambda: {torch.ones(1): 1},
    "dtype": lambda: torch.bfloat16,
    "enum": lambda: Mode.FAST,
    "enum of a dtype": lambda: Mode.EXACT,
    "set": lambda: {1},
    "cycle": _cycle,
    "deep": _deep,
    "coroutine": _later,
    "generator": lambda: (i for i in range(3)),
    "unprintable": _Unprintable,
    "bool": lambda: torch.tensor([True, False]),
    "bfloat16": lambda: torch.ones(2, dtype=torch.bfloat16),
    "complex": lambda: torch.tensor([1 + 2j]).conj(),
    "imaginary": lambda: torch.tensor([1 + 2j]).conj().imag,
    "complex128": lambda: torch.tensor([[1 + 2j, 3 + 4j]], dtype=torch.complex128).t(),
    "transposed": lambda: torch.arange(6.0).view(2, 3).t(),
    "expanded": lambda: torch.arange(3.0).expand(100_000, 3),
    "no elements": lambda: torch.empty(0, 3),
    "scalar": lambda: torch.tensor(2.5),
    "parameter": lambda: torch.nn.Parameter(torch.ones(2)),
    "sparse": lambda: torch.eye(2).to_sparse(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8),
    "meta": lambda: torch.empty(2, device="meta"),
    "large": lambda: torch.arange(100_000.0),
    "large and strided": lambda: torch.arange(100_000.0)[::2],
}


def fail(kind):
    if kind == "exit":
        sys.exit("enough")
    if kind == "interrupt":
        raise KeyboardInterrupt
    if kind == "generator exit":
        raise GeneratorExit("closed")
    if kind == "recursion":
        fail(kind)
    if kind == "cause":
        try:
            {}["missing"]
        except KeyError as error:
            raise ValueError("no such thing") from error
    if kind == "unprintable":
        raise type("Unprintable", (Exception,), {"__str__": lambda self: 1 / 0})
    asyncio.run(_later())
    raise ValueError(f"bad {kind}")


def end(how):
    if how == "exit":
        os._exit(7)
    if how == "segfault":
        ctypes.string_at(0)
    if how == "abort":
        os.abort()
    if how == "hang":
        time.sleep(3600)
    if how == "fork" and os.fork() == 0:
        return "child"
    return os.getpid()


def speak():
    """Writes in every way there is."""
    print("printed")
    sys.stderr.write("to stderr")
    ctypes.CDLL(None).printf(b"from C ")
    thread = threading.Thread(target=lambda: print("from a thread"))
    thread.start()
    thread.join()
    os.write(1, b"written ")
    subprocess.run([sys.executable, "-S", "-c", "print('from a child')"], check=True)


def replace_stdout():
    class Stream:
        def write(self, text):
            return len(text)

        def flush(self):
            raise SystemExit(5)

    sys.stdout = sys.stderr = Stream()
    for descriptor in range(20):
        try:
            os.close(descriptor)
        except OSError:
            pass


def where():
    return {"path": sys.path, "cwd": os.getcwd(), "modules": sorted(sys.modules)}


def answer_descriptors():
    """Which of the first descriptors are open."""
    found = []
    for descriptor in range(10):
        try:
            os.fstat(descriptor)
            found.append(descriptor)
        except OSError:
            pass
    return found


def touch(path):
    open(path, "w").close()


class Counter:
    """A class whose constructor takes a start; its subclasses inherit it."""

    def __init__(self, start=0):
        self.value = start

    def add(self, amount, other=None):
        self.value += amount + (other.value if other is not None else 0)
        return self.value

    @staticmethod
    def double(value):
        return value * 2

    class Inner:
        def __init__(self, name):
            self.name = name

        def hello(self):
            return f"hello {self.name}"


class NamedCounter(Counter):
    def __init__(self, name, start):
        super().__init__(start)
        self.name = name

    def label(self):
        return f"{self.name} {self.value}"


class Needy:
    def __new__(cls, needed):
        return super().__new__(cls)

    def __init__(self, needed):
        self.needed = needed


def reset(counter, value):
    """Takes the object first, as a method would."""
    counter.value = value
    return counter.value


def make_counter(start):
    return Counter(start)
