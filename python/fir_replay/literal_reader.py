"""Reads what ``str`` prints of Python's plain values: numbers, texts, bytes, None, True, False, and containers of them.

The same grammar, token by token, says in the parent which arguments can be made again.
"""

from __future__ import annotations

import ast
import re
from typing import Any, List, Tuple

_MAX_DEPTH = 100
_PART = r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-][0-9]+)?"
_END = r"(?![\w.])"
_SPACE = re.compile(" *")
_NAME = re.compile(rf"(?:None|True|False){_END}", re.ASCII)
_COMPLEX = re.compile(rf"\(-?{_PART}[+-]{_PART}j\)|-?{_PART}(?:[+-]{_PART})?j{_END}", re.ASCII)
_NUMBER = re.compile(rf"-?{_PART}{_END}", re.ASCII)
_INTEGER = re.compile(r"-?[0-9]+")
_ESCAPE = r"\\(?:[\\'\"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4})"
_UNPRINTED = r"\\\x00-\x1f\x7f-\x9f\ud800-\udfff"
_TEXT = re.compile(rf"'(?:[^'{_UNPRINTED}]|{_ESCAPE})*'|\"(?:[^\"{_UNPRINTED}]|{_ESCAPE})*\"")
_BYTE_ESCAPE = r"\\(?:[\\'\"nrt]|x[0-9a-f]{2})"
_BYTES = re.compile(rf"b'(?:[ -&(-\[\]-~]|{_BYTE_ESCAPE})*'|b\"(?:[ !#-\[\]-~]|{_BYTE_ESCAPE})*\"")
_EMPTY_SET = "set()"
_NAMES = {"None": None, "True": True, "False": False}


def read_literal(text: str) -> Any:
    """The value that the whole text says. ValueError where it is none; TypeError where a key or an item has no hash."""
    reader = _Reader(text)
    value = reader.value(0)
    if not reader.is_at_end():
        raise ValueError(text)
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def is_at_end(self) -> bool:
        self._take(_SPACE)
        return self._at == len(self._text)

    def value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError(self._text)
        self._take(_SPACE)
        name = self._take(_NAME)
        if name:
            return _NAMES[name]
        # In front of numbers and tuples: it may begin as either.
        number = self._take(_COMPLEX)
        if number:
            return complex(number)
        number = self._take(_NUMBER)
        if number:
            return int(number) if _INTEGER.fullmatch(number) else float(number)
        quoted = self._take(_TEXT) or self._take(_BYTES)
        if quoted:
            return ast.literal_eval(quoted)
        if self._take_mark(_EMPTY_SET):
            return set()
        if self._take_mark("["):
            return self._items("]", depth)[0]
        if self._take_mark("("):
            return self._tuple(depth)
        if self._take_mark("{"):
            return self._braces(depth)
        raise ValueError(self._text)

    def _tuple(self, depth: int) -> Tuple[Any, ...]:
        items, ends_with_comma = self._items(")", depth)
        if len(items) == 1 and not ends_with_comma:
            raise ValueError(self._text)
        return tuple(items)

    def _items(self, close: str, depth: int) -> Tuple[List[Any], bool]:
        items: List[Any] = []
        ends_with_comma = False
        while not self._take_mark(close):
            if items and not ends_with_comma:
                raise ValueError(self._text)
            items.append(self.value(depth + 1))
            ends_with_comma = self._take_mark(",")
        return items, ends_with_comma

    def _braces(self, depth: int) -> Any:
        """A dict, or a set where its first item is no pair."""
        if self._take_mark("}"):
            return {}
        first = self.value(depth + 1)
        if not self._take_mark(":"):
            if self._take_mark(","):
                return {first, *self._items("}", depth)[0]}
            self._require("}")
            return {first}
        made = {first: self.value(depth + 1)}
        while self._take_mark(",") and not self._is_next("}"):
            key = self.value(depth + 1)
            self._require(":")
            made[key] = self.value(depth + 1)
        self._require("}")
        return made

    def _take(self, token: "re.Pattern[str]") -> str:
        match = token.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match.group()

    def _take_mark(self, mark: str) -> bool:
        is_there = self._is_next(mark)
        if is_there:
            self._at += len(mark)
        return is_there

    def _is_next(self, mark: str) -> bool:
        self._take(_SPACE)
        return self._text.startswith(mark, self._at)

    def _require(self, mark: str) -> None:
        if not self._take_mark(mark):
            raise ValueError(self._text)
