"""Read one YAML file into plain values with their lines.

YAML 1.2 rules for plain words (`yes`, `on` and `02:30` are text), duplicate keys refused, no custom tags. Keeping
comments while writing is not done here: reading must be fast, since Airflow re-reads every definition every 30 s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bulk_export.errors import Problem

Place = tuple[str | int, ...]

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_QUOTED = frozenset("'\"|>")  # a plain word's style is '' or None, depending on the parser
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_BYTES = 1 << 20
_MAX_NODES = 20_000  # an alias bomb stops here; the largest sensible definition has a few hundred
_MAX_DEPTH = 20
_MAX_DIGITS = 400  # far above any operand, far below where int() becomes slow


@dataclass(frozen=True, slots=True)
class YamlFile:
    """One file, read.

    Attributes:
        value: mappings, lists, text, numbers, booleans and None; None when nothing could be read.
        lines: the 1-based line of each value, by its path of keys and indexes; `()` is the document.
        problems: why `value` is None, or what in it is unusable.
    """

    value: object
    lines: Mapping[Place, int]
    problems: tuple[Problem, ...]

    def line(self, place: Place) -> int:
        """The line of a value, or of the nearest enclosing one."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read_yaml(path: Path, name: str) -> YamlFile:
    """Read a file; what is wrong with it becomes a `Problem`.

    Args:
        path: of the file.
        name: what problems call it.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        return _refused(name, 0, f"cannot be read: {error.strerror}")
    if len(raw) > _MAX_BYTES:
        return _refused(name, 0, f"is {len(raw):,} bytes long; a definition holds at most {_MAX_BYTES:,}")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _refused(name, raw[: error.start].count(b"\n") + 1, "is not UTF-8 text")
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _refused(name, mark.line + 1 if mark else 0, f"is not YAML: {error.problem or error.context}")
    except (yaml.YAMLError, RecursionError) as error:
        return _refused(name, 0, f"is not YAML: {str(error).splitlines()[0]}")
    if node is None:
        return _refused(name, 0, "is empty")
    reader = _Reader(name)
    value = reader.value(node, ())
    return YamlFile(value, reader.lines, tuple(reader.problems))


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _refused(name: str, line: int, message: str) -> YamlFile:
    return YamlFile(None, {(): line}, (Problem(name, line, "", message),))


class _Reader:
    """Turns composed nodes into values, collecting lines and problems on the way."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes = 0
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []

    def _problem(self, node: yaml.Node, place: Place, message: str) -> None:
        self.problems.append(Problem(self._name, node.start_mark.line + 1, dotted(place), message))

    def value(self, node: yaml.Node, place: Place) -> object:
        self._nodes += 1
        if self._nodes > _MAX_NODES or len(place) > _MAX_DEPTH:
            if not any("too large" in problem.message for problem in self.problems):
                self._problem(node, (), "is too large or refers to itself")
            return None
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem(key_node, place, "a key must be a word")
                continue
            key = str(key_node.value)
            if key in result:
                self._problem(key_node, (*place, key), "is given twice")
                continue
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            result[key] = self.value(value_node, (*place, key))
        return result

    def _scalar(self, node: Any, place: Place) -> object:
        text = str(node.value)
        if not str(node.tag).startswith("tag:yaml.org,2002:"):
            self._problem(node, place, f"has the unknown tag {node.tag}")
            return text
        if node.style in _QUOTED:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text) and len(text) < _MAX_DIGITS:
            return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
        if _FLOAT.fullmatch(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return text


def dotted(place: Place) -> str:
    """`("filters", 1, "value")` as people write it: `filters[1].value`."""
    words = ""
    for part in place:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else part
    return words
