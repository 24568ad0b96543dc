"""The loop of the worker: a request, the call, an answer."""

from __future__ import annotations

import importlib
import os
import sys
from platform import python_version
from typing import Any, Dict, List, NoReturn

from .environment import Environment, SetupFailure, set_up
from .frames import Frame, FrameReader, FrameWriter
from .process import Descriptors, OutputFlusher, settle

_MARK_DIGITS = 32


def main(arguments: List[str]) -> NoReturn:
    """Answers requests until there are no more."""
    if len(arguments) != 2 or len(arguments[0]) != _MARK_DIGITS or not arguments[1].isdigit():
        sys.exit("this program is started by fir, with pipes of its own")
    mark = bytes.fromhex(arguments[0])
    settle(int(arguments[1]))
    descriptors = Descriptors()
    Worker(mark, descriptors).serve()
    sys.exit(0)


class Worker:
    """Answers the requests that come over the worker's pipes."""

    def __init__(self, mark: bytes, descriptors: Descriptors) -> None:
        self._mark = mark.hex().encode()
        self._descriptors = descriptors
        self._reader = FrameReader(descriptors.requests, mark)
        self._writer = FrameWriter(descriptors.answers, mark)
        self._flusher = OutputFlusher()

    def serve(self) -> None:
        """Sets up with the first request, then runs calls; returns when the parent has closed the pipe."""
        first = self._reader.read()
        if first is None:
            return
        environment = self._set_up(first.message)
        runner = _load_runner(first.message)
        self._writer.write(_ready(environment))
        while True:
            frame = self._reader.read()
            if frame is None:
                return
            if frame.message["type"] == "drop":
                runner.drop(frame.message["keys"])
            elif frame.message["type"] == "run":
                self._run(runner, frame)
            # What the frame holds is large, and the next one may be long in coming.
            del frame

    def _set_up(self, request: Dict[str, Any]) -> Environment:
        try:
            return set_up(request)
        except SetupFailure as failure:
            self._writer.write({"type": "failed", "code": failure.code, "message": failure.message})
            sys.exit(1)

    def _run(self, runner: Any, frame: Frame) -> None:
        request, payload = frame
        number = request["id"]

        def on_invoke() -> None:
            self._writer.write({"type": "phase", "id": number, "phase": "invoke"})

        fields, chunks = runner.run(request, payload, on_invoke)
        self._flusher.flush()
        self._descriptors.mark_outputs(b"\0%s %d\0" % (self._mark, number))
        self._writer.write({"type": "outcome", "id": number, **fields}, chunks)
        if fields.get("fatal"):
            os._exit(1)


def _load_runner(setup: Dict[str, Any]) -> Any:
    """Modules that need torch, which is imported once its place is known. Leaves no compiled files."""
    writes_bytecode = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    run = importlib.import_module("fir_replay.run")
    sys.dont_write_bytecode = writes_bytecode
    return run.Runner(setup)


def _ready(environment: Environment) -> Dict[str, Any]:
    return {"type": "ready", "python": python_version(), **environment._asdict()}
