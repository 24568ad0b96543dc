"""Frames on a pipe: mark (16 bytes), length of the JSON (u32 LE), of the payload (u64 LE), the JSON, the payload."""

from __future__ import annotations

import os
import select
import struct
from json import dumps, loads
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Union

Bytes = Union[bytes, bytearray, memoryview]

_LENGTHS = struct.Struct("<IQ")
_MARK_BYTES = 16
_HEADER_BYTES = _MARK_BYTES + _LENGTHS.size


class Frame(NamedTuple):
    """A JSON object and the bytes that it speaks of."""

    message: Dict[str, Any]
    payload: bytearray


class FrameReader:
    """Reads the frames of a descriptor."""

    def __init__(self, descriptor: int, mark: bytes) -> None:
        self._file = open(descriptor, "rb", buffering=1 << 18, closefd=False)
        self._mark = mark

    def read(self) -> Optional[Frame]:
        """The next frame; None at the end. EOFError where the pipe ends inside one, ValueError where it is none."""
        header = self._file.read(_HEADER_BYTES)
        if not header:
            return None
        if len(header) < _HEADER_BYTES:
            raise EOFError("the pipe of requests ended inside a frame")
        if header[:_MARK_BYTES] != self._mark:
            raise ValueError("what came over the pipe of requests is no frame")
        json_bytes, payload_bytes = _LENGTHS.unpack_from(header, _MARK_BYTES)
        text = self._read_exactly(json_bytes)
        return Frame(loads(text), self._read_exactly(payload_bytes))

    def _read_exactly(self, size: int) -> bytearray:
        """The bytes themselves, never a buffer of the size that a frame claims."""
        first = self._file.read(min(size, 1 << 20))
        taken = bytearray(first)
        while len(taken) < size:
            more = self._file.read(min(size - len(taken), 1 << 20))
            if not more:
                raise EOFError("the pipe of requests ended inside a frame")
            taken += more
        return taken


class FrameWriter:
    """Writes frames to a descriptor, each with one call of the system where the pipe takes it whole."""

    def __init__(self, descriptor: int, mark: bytes) -> None:
        self._descriptor = descriptor
        self._mark = mark

    def write(self, message: Dict[str, Any], payload: Sequence[Bytes] = ()) -> None:
        """OSError where the pipe is closed. ValueError and RecursionError where JSON cannot hold the message."""
        text = dumps(message, separators=(",", ":")).encode("ascii")
        lengths = _LENGTHS.pack(len(text), sum(len(chunk) for chunk in payload))
        chunks: List[Bytes] = [self._mark, lengths, text]
        chunks += payload
        write_all(self._descriptor, b"".join(chunks))


def write_all(descriptor: int, data: Bytes) -> None:
    """Writes everything, also to a descriptor that the called code made non-blocking. OSError."""
    rest = memoryview(data)
    while len(rest) > 0:
        try:
            rest = rest[os.write(descriptor, rest[: 1 << 30]) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
