"""Running one recorded call."""

from __future__ import annotations

import os
import time
from json import loads
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import torch

from .consent import Consent
from .decode import Decoder, LiveObjects
from .encode import encode_result
from .failures import describe, first_line
from .frames import Bytes
from .modules import Modules
from .refusal import Refusal
from .resolve import Callee, Request, Resolver
from .result_files import ResultFiles
from .tensors_in import Inputs
from .tensors_out import Outputs


class Prepared(NamedTuple):
    """A call that only needs to be made."""

    callee: Callee
    arguments: List[Any]
    named: Dict[str, Any]
    self_object: Any
    inputs: Inputs
    notes: List[str]


class Outcome(NamedTuple):
    """How a call ended, as the fields of its answer."""

    fields: Dict[str, Any]
    payload: List[Bytes]


class Runner:
    """Runs calls, and keeps the objects that live between them."""

    def __init__(self, setup: Dict[str, Any]) -> None:
        consent = Consent(setup["allow"])
        self._resolver = Resolver(consent, Modules())
        self._files = ResultFiles(setup["shared"], setup["fallback"])
        self._inline_bytes = setup["inline_bytes"]
        self._objects: Dict[str, Any] = {}
        self._process = os.getpid()

    def drop(self, keys: List[str]) -> None:
        """Lets go of objects."""
        for key in keys:
            self._objects.pop(key, None)

    def run(self, request: Request, payload: bytearray, on_invoke: Callable[[], None]) -> Outcome:
        """``on_invoke`` is told just before the call. Never raises for what the call, or its record, does."""
        try:
            prepared = self._prepare(request, payload)
        except BaseException as error:  # modules that are imported may do anything
            return _refused(error)
        on_invoke()
        return self._call(request, prepared)

    def _prepare(self, request: Request, payload: bytearray) -> Prepared:
        self_object = self._objects.get(request["self"]) if request["self"] is not None else None
        callee = self._resolver.resolve(request, None if self_object is None else type(self_object))
        inputs = Inputs(request, payload)
        begin, end = request["record"]
        notes = list(callee.notes)
        live = LiveObjects(request["uses"], self._objects)
        decoder = Decoder(inputs.tensors, live, callee.classes, request.get("devices", {}), notes)
        recorded = _input_metadata(payload[begin:end])
        positional = request["positional"]
        if request["kind"] != "function":
            # The object's own place.
            positional = positional[1:]
        arguments = [decoder.argument(recorded, key) for key in positional]
        named = {name: decoder.argument(recorded, key) for key, name in request["named"]}
        return Prepared(callee, arguments, named, self_object, inputs, notes)

    def _call(self, request: Request, prepared: Prepared) -> Outcome:
        callee, arguments, named, self_object, inputs, notes = prepared
        begin = time.perf_counter_ns()
        try:
            with torch.no_grad():
                if callee.makes is not None and self_object is None:
                    self_object = callee.makes.__new__(callee.makes)
                if callee.takes_self:
                    result = callee.function(self_object, *arguments, **named)
                else:
                    result = callee.function(*arguments, **named)
                _synchronize()
        except BaseException as error:  # SystemExit and its like are the call's, not the worker's
            duration = time.perf_counter_ns() - begin
            self._end_fork()
            return _threw(error, duration, notes)
        fields: Dict[str, Any] = {"end": "returned", "duration_us": (time.perf_counter_ns() - begin) / 1000}
        self._end_fork()
        made = result if callee.makes is None else self_object
        for key in request["makes"]:
            self._objects[key] = made
        fields["notes"], fields["once"] = notes, []
        if request["purpose"] == "state" or request["kind"] == "constructor":
            return Outcome(fields, [])
        try:
            outputs = Outputs(self._files, self._inline_bytes, inputs.places())
            with torch.no_grad():
                fields["result"] = encode_result(result, outputs)
            fields["tensors"] = outputs.described
            return Outcome(fields, outputs.payload)
        except BaseException as error:  # the results' own code
            return _refused(error)

    def _end_fork(self) -> None:
        """Ends a process that the call forked and that came back from it: the pipes are the worker's."""
        if os.getpid() != self._process:
            os._exit(0)


def _synchronize() -> None:
    """Waits for the device, so that its errors are those of this call."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _is_poisoned(error: BaseException) -> bool:
    """Whether every later use of the device will fail."""
    if not isinstance(error, RuntimeError):
        return False
    try:
        _synchronize()
    except RuntimeError:
        return True
    return False


def _input_metadata(text: bytearray) -> Dict[str, Any]:
    try:
        record = loads(text)
    except ValueError as error:
        raise Refusal("VALUE_INVALID", f"the record is no JSON: {error}") from None
    recorded = record.get("input_metadata") if isinstance(record, dict) else None
    return recorded if isinstance(recorded, dict) else {}


def _threw(error: BaseException, duration_ns: int, notes: List[str]) -> Outcome:
    name, message, stack = describe(error)
    fields: Dict[str, Any] = {
        "end": "threw",
        "error": {"name": name, "message": message, "stack": stack},
        "duration_us": duration_ns / 1000,
        "notes": notes,
        "once": [],
    }
    return Outcome(_with_fatal(fields, error), [])


def _refused(error: BaseException) -> Outcome:
    name, message, stack, code = _reason_of(error)
    described = {"name": name, "message": message, "code": code}
    if stack is not None:
        described["stack"] = stack
    fields: Dict[str, Any] = {"end": "refused", "error": described, "duration_us": 0, "notes": [], "once": []}
    return Outcome(_with_fatal(fields, error), [])


def _reason_of(error: BaseException) -> Tuple[str, str, Optional[str], str]:
    if isinstance(error, Refusal):
        return error.name, error.message, error.stack, error.code
    if isinstance(error, RecursionError):
        return "RecursionError", "the arguments or the result are nested too deeply", None, "VALUE_INVALID"
    name, message, stack = describe(error)
    return name, f"{name}: {first_line(message)}", stack, "PYTHON_ERROR"


def _with_fatal(fields: Dict[str, Any], error: BaseException) -> Dict[str, Any]:
    if _is_poisoned(error):
        fields["fatal"] = True
    return fields
