"""Read one YAML file into plain values with their lines.

YAML 1.2 rules for plain words (`yes`, `on` and `02:30` are text), duplicate keys refused, no custom tags. Keeping
comments while writing is not done here: reading must be fast, since Airflow re-reads every definition every 30 s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bulk_export.definitions.definition_file import UnreadableDefinitionError, read_definition
from bulk_export.definitions.yaml_nodes import MAX_DEPTH, MAX_NODES, Node, YamlError, parse_nodes
from bulk_export.errors import Problem

Place = tuple[str | int, ...]

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_QUOTED = frozenset("'\"|>")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MAX_KEY_CHARS = 200
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


def read_yaml(folder: Path, name: str) -> YamlFile:
    """Read a file; what is wrong with it becomes a `Problem`.

    Args:
        folder: the definitions folder.
        name: path of the file below it, which is also what problems call it.
    """
    try:
        return parse_yaml(read_definition(folder, name), shown_name(name))
    except FileNotFoundError as error:
        return _refused(shown_name(name), 0, f"cannot be read: {error.strerror}")
    except UnreadableDefinitionError as error:
        return _refused(shown_name(name), 0, str(error))


def shown_name(name: str) -> str:
    """A file's name for people, escaped where it is not UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()


def parse_yaml(raw: bytes, name: str) -> YamlFile:
    """Parse the content of a file; faults become a `Problem`.

    Args:
        raw: its bytes.
        name: what problems call it.
    """
    try:
        node = parse_nodes(raw.decode("utf-8-sig"))
        if node is None:
            return _refused(name, 0, "is empty")
        reader = _Reader(name)
        return YamlFile(reader.value(node, ()), reader.lines, tuple(reader.problems))
    except UnicodeDecodeError as error:
        return _refused(name, raw[: error.start].count(b"\n") + 1, "is not UTF-8 text")
    except YamlError as error:
        return _refused(name, error.line, str(error))


def _refused(name: str, line: int, message: str) -> YamlFile:
    return YamlFile(None, {(): line}, (Problem(name, line, "", message),))


class _Reader:
    """Turns nodes into values, collecting lines and problems on the way."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes = 0
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []

    def _problem(self, node: Node, place: Place, message: str) -> None:
        self.problems.append(Problem(self._name, node.line, dotted(place), message))

    def value(self, node: Node, place: Place) -> object:
        self._nodes += 1
        # Aliases make a small text a large tree.
        if self._nodes > MAX_NODES or len(place) > MAX_DEPTH:
            raise YamlError(node.line, "is too large or refers to itself")
        self.lines.setdefault(place, node.line)
        if node.is_mapping:
            return self._mapping(node, place)
        if node.items is not None:
            return [self.value(item, (*place, index)) for index, item in enumerate(node.items)]
        return self._scalar(node, place)

    def _mapping(self, node: Node, place: Place) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.pairs():
            key = key_node.text
            if key_node.items is not None or "\0" in key:
                self._problem(key_node, place, "a key must be a word")
            elif len(key) > _MAX_KEY_CHARS:
                self._problem(key_node, place, f"a key has at most {_MAX_KEY_CHARS} characters, not {len(key):,}")
            elif key in result:
                self._problem(key_node, (*place, key), "is given twice")
            else:
                self.lines[(*place, key)] = key_node.line
                result[key] = self.value(value_node, (*place, key))
        return result

    def _scalar(self, node: Node, place: Place) -> object:
        text = node.text
        if "\0" in text:
            self._problem(node, place, "has the character U+0000, which no database keeps")
            return text
        if node.tag not in {"", "!"} and not node.tag.startswith("tag:yaml.org,2002:"):
            self._problem(node, place, f"has the unknown tag {node.tag[:60]}")
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
