"""From the names in a record to the function that is called."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from .classes import Classes
from .consent import Consent, check_module_name, is_dunder, is_known
from .modules import Modules
from .refusal import Refusal
from .signatures import has_signature, is_recorded_by_flashinfer, module_of, original_of

Request = Dict[str, Any]


class Callee(NamedTuple):
    """What to call. ``makes``: the class whose new object comes first; ``takes_self``: the object does."""

    function: Callable[..., Any]
    classes: Classes
    makes: Optional[Any] = None
    takes_self: bool = False
    notes: Tuple[str, ...] = ()


class Resolver:
    """Finds functions by the paths that records have for them: ``function`` or ``Class.method``, over own attributes.

    Nothing is imported that consent does not cover, and what is found must belong to where it was looked for.
    """

    def __init__(self, consent: Consent, modules: Modules) -> None:
        self._consent = consent
        self._modules = modules
        self._known: Dict[Tuple[Any, ...], Callee] = {}

    def resolve(self, request: Request, self_class: Optional[type]) -> Callee:
        """``self_class``: of the live object that the call is a method of.

        Refusal NOT_ALLOWED, MODULE_NOT_FOUND, EXPORT_NOT_FOUND, NOT_REPLAYABLE, PYTHON_ERROR.
        """
        place, target = request.get("class") or {}, request.get("target") or {}
        key = (
            request["function"],
            request["module"],
            request["kind"],
            request["signature"],
            place.get("module"),
            place.get("qualname"),
            target.get("file"),
            target.get("export"),
            self_class,
        )
        callee = self._known.get(key)
        if callee is None:
            callee = self._find(request, self_class)
            self._known[key] = callee
        return callee

    def _find(self, request: Request, self_class: Optional[type]) -> Callee:
        parts = _checked_path(request["function"])
        if request.get("target") is not None:
            return self._find_target(request, parts, self_class)
        self._consent.require(request["module"], request["function"])
        if request["kind"] == "constructor":
            return self._find_constructor(request, self_class or self._find_class(request))
        if request["kind"] == "method":
            return self._find_method(request, parts[-1], self_class)
        return self._callee(request, self._find_function(request, parts))

    def _callee(self, request: Request, function: Callable[..., Any], **more: Any) -> Callee:
        classes = Classes(self._consent, original_of(function), request["module"])
        return Callee(function, classes, **more)

    def _find_function(self, request: Request, parts: List[str]) -> Callable[..., Any]:
        module, name = request["module"], request["function"]
        found = vars(self._modules.load(module)).get(parts[0])
        if len(parts) == 2:
            if not isinstance(found, type):
                raise _missing(module, f"class '{parts[0]}'")
            self._check_home(found, module, name)
            found = getattr(found, parts[1]) if parts[1] in vars(found) else None
        if not callable(found):
            raise _missing(module, f"function '{name}'")
        self._check_home(found, module, name)
        self._check_function(found, module, name)
        return found

    def _check_home(self, value: Any, module: str, name: str) -> None:
        """What a module only imported is another one's, unless that is of the same package and allowed too."""
        home = module_of(value)
        if home == module:
            return
        is_near = home is not None and home.partition(".")[0] == module.partition(".")[0]
        if home is None or not is_near or not self._consent.covers(home, name):
            raise _foreign(module, name, home)

    def _check_function(self, function: Any, module: str, name: str) -> None:
        """Of FlashInfer's modules only what its recorder records is known."""
        home = module_of(function)
        if home is None or not (home == module or self._consent.covers(home, name)):
            raise _foreign(module, name, home)
        if is_known(home) and not self._consent.allows(home, name) and not is_recorded_by_flashinfer(function):
            what = f"{home}.{name} is none of the functions that FlashInfer records"
            raise Refusal("NOT_ALLOWED", f"{what}; add --allow '{home}'")

    def _find_class(self, request: Request) -> type:
        place = request.get("class")
        if place is None:
            raise Refusal("NOT_REPLAYABLE", "the class of the object was not recorded")
        name = request["function"]
        module_name, qualname = place["module"], place["qualname"]
        self._require_class(module_name, qualname, name)
        path = qualname.split(".")
        if len(path) > 3 or not all(_is_plain(part) for part in path):
            raise Refusal("EXPORT_NOT_FOUND", f"class '{qualname[:200]}' of {module_name} can't be reached by its name")
        found: Any = self._modules.load(module_name)
        for index, part in enumerate(path):
            own = vars(found).get(part)
            if _is_package(found) and not isinstance(own, type) and index < len(path) - 1:
                # The repr of an object tells no package from a class around the class.
                module_name = f"{module_name}.{part}"
                self._require_class(module_name, qualname, name)
                own = self._modules.load(module_name)
            elif not isinstance(own, type):
                raise _missing(module_name, f"class '{qualname}'")
            else:
                self._check_home(own, module_name, qualname)
            found = own
        return found

    def _require_class(self, module: str, qualname: str, function: str) -> None:
        check_module_name(module)
        if not self._consent.allows(module, qualname):
            self._consent.require(module, function)

    def _find_constructor(self, request: Request, made: type) -> Callee:
        """The ``__init__`` that was recorded, which may be an inherited one."""
        candidates = [vars(each)["__init__"] for each in made.__mro__[:-1] if "__init__" in vars(each)]
        if not candidates:
            raise _missing(made.__module__, f"constructor of '{made.__name__}' that could have been recorded")
        chosen = _best(candidates, request)
        notes: Tuple[str, ...] = ()
        if not has_signature(chosen, request["signature"]):
            notes = (f"{made.__name__} has no constructor {request['signature'][:500]} any more: its own is called",)
        self._check_function(chosen, request["module"], request["function"])
        return self._callee(request, chosen, makes=made, takes_self=True, notes=notes)

    def _find_method(self, request: Request, name: str, self_class: Optional[type]) -> Callee:
        """The method of the object's class, or else a function of the module that takes the object first."""
        if self_class is None:
            raise Refusal("NOT_REPLAYABLE", "the object that it is a method of was not made by any call before it")
        candidates = [vars(each)[name] for each in self_class.__mro__ if name in vars(each)]
        functions = [each for each in candidates if callable(each)]
        if functions:
            chosen = _best(functions, request)
        else:
            module = self._modules.load(request["module"])
            chosen = vars(module).get(name)
            if not callable(chosen):
                what = f"method '{name}' in class '{self_class.__name__}', nor a function of that name"
                raise _missing(request["module"], what)
            self._check_home(chosen, request["module"], request["function"])
        self._check_function(chosen, request["module"], request["function"])
        return self._callee(request, chosen, takes_self=True)

    def _find_target(self, request: Request, parts: List[str], self_class: Optional[type]) -> Callee:
        """A candidate that the user put in the place of a function, or of a class and its members."""
        target = request["target"]
        module = self._modules.load_file(target["file"])
        found: Any = module
        around: Any = None
        for part in target["export"].split("."):
            around, found = found, getattr(found, part, None)
        if not callable(found):
            raise Refusal("EXPORT_NOT_FOUND", f"{target['file']} has no function or class '{target['export']}'")
        kind = request["kind"]
        if kind == "constructor":
            made = found if isinstance(found, type) else around
            if not isinstance(made, type):
                return self._callee(request, found)
            inits = [vars(each)["__init__"] for each in made.__mro__ if "__init__" in vars(each)]
            return self._callee(request, _best(inits, request), makes=made, takes_self=True)
        if isinstance(found, type) and (kind == "method" or len(parts) == 2):
            found = getattr(found, parts[-1], None)
            if not callable(found):
                raise Refusal("EXPORT_NOT_FOUND", f"{target['export']} of {target['file']} has no '{parts[-1]}'")
        if kind == "method" and self_class is None:
            raise Refusal("NOT_REPLAYABLE", "the object that it is a method of was not made by any call before it")
        return self._callee(request, found, takes_self=kind == "method")


def _checked_path(name: str) -> List[str]:
    parts = name.split(".")
    if len(parts) > 2 or not all(_is_plain(part) for part in parts[:-1]):
        raise Refusal("EXPORT_NOT_FOUND", f"'{name[:200]}' is no path to a function: at most Class.method")
    if not (_is_plain(parts[-1]) or parts[-1] == "__init__"):
        raise Refusal("EXPORT_NOT_FOUND", f"'{name[:200]}' is no name of a function that is called by name")
    return parts


def _is_plain(part: str) -> bool:
    return part.isidentifier() and not is_dunder(part)


def _best(functions: List[Any], request: Request) -> Any:
    """The recorded signature first, then what a recorder wraps, the recorded module, and the order of the classes."""
    if len(functions) == 1:
        return functions[0]

    def rank(function: Any) -> Tuple[bool, bool, bool]:
        is_other = not has_signature(function, request["signature"])
        return (is_other, not is_recorded_by_flashinfer(function), module_of(function) != request["module"])

    return min(functions, key=rank)


def _is_package(value: Any) -> bool:
    return isinstance(value, ModuleType) and hasattr(value, "__path__")


def _foreign(module: str, name: str, home: Optional[str]) -> Refusal:
    where = "is not defined there" if home is None else f"belongs to module '{home}'"
    return Refusal("NOT_ALLOWED", f"'{name}' of module '{module}' {where}")


def _missing(module: str, what: str) -> Refusal:
    return Refusal("EXPORT_NOT_FOUND", f"module '{module}' has no {what}")
