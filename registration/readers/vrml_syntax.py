"""VRML97's syntax (ISO/IEC 14772-1, annex A): text to nodes, without prototypes and scripts."""

import re
from dataclasses import dataclass, field

import numpy as np

HEADER = "#VRML V2.0"
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|#[^\r\n]*')
# Commas are white space; a string, a bracket or brace, or anything up to the next of these.
_TOKEN = re.compile(r'[\s,]*("(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s,"\[\]{}]+)')
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:nan|inf(?:inity)?)", re.I)
_NOT_READ = ("PROTO", "EXTERNPROTO", "Script")
MAX_DEPTH = 100  # of nested nodes; more is no scan


@dataclass(slots=True)
class Node:
    """One node.

    Attributes:
        kind: its type, e.g. "IndexedFaceSet".
        fields: by name: float64 arrays (N,) of numbers, str of a word or string, lists of strings,
            or lists of nodes.
    """

    kind: str
    fields: dict = field(default_factory=dict)

    def nodes(self, name: str) -> list["Node"]:
        """The nodes of a field; empty where it has none."""
        value = self.fields.get(name, [])
        return [one for one in value if isinstance(one, Node)] if isinstance(value, list) else []

    def numbers(self, name: str) -> np.ndarray:
        """The numbers of a field (N,) float64; empty where it has none."""
        value = self.fields.get(name)
        return value if isinstance(value, np.ndarray) else np.zeros(0)

    def strings(self, name: str) -> list[str]:
        """The strings of a field; empty where it has none."""
        value = self.fields.get(name, [])
        return [value] if isinstance(value, str) else [one for one in value if type(one) is str]

    def flag(self, name: str, default: bool) -> bool:
        """A truth value."""
        return self.fields.get(name, "TRUE" if default else "FALSE") == "TRUE"


def parse(text: str) -> list[Node]:
    """The nodes at the top of a file.

    Raises:
        ValueError: no VRML97, or its syntax is broken; says what and at which line.
    """
    if not text.startswith(HEADER):
        raise ValueError(f"the first line is {text[:40].splitlines()[:1]}, not '{HEADER} utf8'")
    return _Parser(_STRING_OR_COMMENT.sub(_without_comment, text)).top()


def _without_comment(match: re.Match) -> str:
    return match.group() if match.group().startswith('"') else ""


class _Parser:
    def __init__(self, text: str):
        self.text, self.at, self.named = text, 0, {}

    def top(self) -> list[Node]:
        nodes = []
        while (word := self._peek()) is not None:
            if word == "ROUTE":  # an animation's wiring: ROUTE a.b TO c.d
                for _ in range(4):
                    self._next()
            else:
                nodes.append(self._node(0))
        return nodes

    def _node(self, depth: int) -> Node:
        word = self._next()
        if word == "USE":
            name = self._next()
            if name not in self.named:
                raise self._broken(f"USE of '{name}', which nothing DEFines before")
            return self.named[name]
        name = None
        if word == "DEF":
            name, word = self._next(), self._next()
        if word in _NOT_READ:
            raise self._broken(f"{word}, which no scan needs, is not read")
        if depth > MAX_DEPTH:
            raise self._broken(f"nodes nested deeper than {MAX_DEPTH}")
        node = Node(word)
        self._expect("{")
        while self._peek() not in ("}", None):
            if self._peek() == "ROUTE":
                for _ in range(4):
                    self._next()
                continue
            name_of_field = self._next()
            node.fields[name_of_field] = self._value(depth + 1)
        self._expect("}")
        if name is not None:
            self.named[name] = node
        return node

    def _value(self, depth: int):
        word = self._peek()
        if word == "[":
            return self._list(depth)
        if word is None:
            raise self._broken("the file ends too early")
        if word in "]{}":
            raise self._broken(f"'{word}' where a field's value should be")
        if word.startswith('"'):
            return _unquoted(self._next())
        if word in ("TRUE", "FALSE", "NULL"):
            return self._next()
        if _NUMBER.fullmatch(word):
            numbers = []
            while (word := self._peek()) is not None and _NUMBER.fullmatch(word):
                numbers.append(float(self._next()))
            return np.array(numbers)
        return [self._node(depth)]

    def _list(self, depth: int):
        """Numbers are read as one block: a scan has millions."""
        self._expect("[")
        end = self.text.find("]", self.at)
        word = self._peek()
        if word == "]" or (word is not None and _NUMBER.fullmatch(word)):
            if end < 0:
                raise self._broken("a list that never ends")
            block, start = self.text[self.at : end], self.at
            self.at = end + 1
            try:
                return np.array(block.replace(",", " ").split(), dtype=np.float64)
            except ValueError as error:
                self.at = start
                raise self._broken(f"a list of numbers: {error}") from error
        values = []
        while (word := self._peek()) not in ("]", None):
            quoted = word.startswith('"')
            values.append(_unquoted(self._next()) if quoted else self._node(depth))
        self._expect("]")
        return values

    def _peek(self) -> str | None:
        match = _TOKEN.match(self.text, self.at)
        return match.group(1) if match else None

    def _next(self) -> str:
        match = _TOKEN.match(self.text, self.at)
        if match is None:
            raise self._broken("the file ends too early")
        self.at = match.end()
        return match.group(1)

    def _expect(self, word: str) -> None:
        got = self._peek()
        if got != word:
            shown = "the end of the file" if got is None else f"'{got[:40]}'"
            raise self._broken(f"{shown} where '{word}' should be")
        self._next()

    def _broken(self, message: str) -> ValueError:
        return ValueError(f"line {self.text.count(chr(10), 0, self.at) + 1}: {message}")


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])
