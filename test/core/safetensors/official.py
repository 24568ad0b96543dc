"""What the official safetensors library makes of files: called by the tests with one command and JSON on stdin."""

import json
import sys

import numpy
import safetensors
import safetensors.numpy
from safetensors import TensorSpec, deserialize, serialize, serialize_file

# Bits of one element of the header's shape, and the name that the writer takes the dtype by.
WRITABLE = {
    "BOOL": (8, "bool"),
    "U8": (8, "uint8"),
    "I8": (8, "int8"),
    "U16": (16, "uint16"),
    "I16": (16, "int16"),
    "U32": (32, "uint32"),
    "I32": (32, "int32"),
    "U64": (64, "uint64"),
    "I64": (64, "int64"),
    "F16": (16, "float16"),
    "BF16": (16, "bfloat16"),
    "F32": (32, "float32"),
    "F64": (64, "float64"),
    "C64": (64, "complex64"),
    "F8_E4M3": (8, "float8_e4m3fn"),
    "F8_E5M2": (8, "float8_e5m2"),
    "F8_E4M3FNUZ": (8, "float8_e4m3fnuz"),
    "F8_E5M2FNUZ": (8, "float8_e5m2fnuz"),
    "F8_E8M0": (8, "float8_e8m0fnu"),
    "F4": (4, "float4_e2m1fn_x2"),
}


def specs(tensors, buffers):
    """TensorSpec takes F4 shapes in bytes of two values, and addresses of memory that `buffers` keeps alive."""
    made = {}
    for name, tensor in tensors.items():
        data = numpy.frombuffer(bytes(tensor["data"]) + b"\0", dtype=numpy.uint8)
        buffers.append(data)
        shape = list(tensor["shape"])
        if tensor["dtype"] == "F4" and shape:
            shape[-1] //= 2
        made[name] = TensorSpec(
            dtype=WRITABLE[tensor["dtype"]][1],
            shape=shape,
            data_ptr=data.ctypes.data,
            data_len=len(tensor["data"]),
        )
    return made


def described(items):
    return {
        name: {"dtype": tensor["dtype"], "shape": list(tensor["shape"]), "data": bytes(tensor["data"]).hex()}
        for name, tensor in items
    }


def read(request):
    """Tensors of a file, the bytes that the library writes for them, and their values where numpy has the dtype."""
    with open(request["path"], "rb") as file:
        items = deserialize(file.read())
    buffers = []
    writable = {name: tensor for name, tensor in items if tensor["dtype"] in WRITABLE}
    again = serialize(specs(writable, buffers), request.get("metadata"))
    return {"tensors": described(items), "again": bytes(again).hex()}


def values(request):
    """Every element of a file of numpy's dtypes as float64, and its metadata."""
    arrays = safetensors.numpy.load_file(request["path"])
    with safetensors.safe_open(request["path"], "np") as file:
        metadata = file.metadata()
    numbers = {}
    for name, array in arrays.items():
        kind = numpy.complex128 if array.dtype.kind == "c" else numpy.float64
        numbers[name] = array.astype(kind).tobytes().hex()
    return {"values": numbers, "metadata": metadata}


def write(request):
    """Writes random tensors of every dtype and says what they are."""
    random = numpy.random.default_rng(request["seed"])
    tensors = {}
    for dtype, (bits, _) in WRITABLE.items():
        for index in range(4):
            shape = [int(size) for size in random.integers(0, 5, size=index)]
            if dtype == "F4":
                shape = [*shape, 2 * int(random.integers(0, 4))]
            count = int(numpy.prod(shape)) * bits // 8
            data = random.integers(0, 2 if dtype == "BOOL" else 256, size=count, dtype=numpy.uint8)
            tensors[f"{dtype}.{index} é"] = {"dtype": dtype, "shape": shape, "data": data.tobytes()}
    buffers = []
    serialize_file(specs(tensors, buffers), request["path"], {"maker": "official \"library\" é"})
    return described(tensors.items())


def verdicts(request):
    """For each file: null where the library reads it, else its error."""
    found = []
    for path in request["paths"]:
        try:
            with open(path, "rb") as file:
                deserialize(file.read())
            found.append(None)
        except Exception as error:
            found.append(str(error))
    return found


COMMANDS = {"read": read, "values": values, "write": write, "verdicts": verdicts}
json.dump(COMMANDS[sys.argv[1]](json.load(sys.stdin)), sys.stdout)
