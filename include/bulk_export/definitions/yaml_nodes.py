"""Parse YAML into nodes, within limits.

From libyaml's events and not with its composer, which calls itself once a level: a text of fifty thousand brackets
would end the process, and with it everything that reads definitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_NODES = 20_000  # the largest sensible definition has a few hundred
MAX_DEPTH = 20

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TOO_LARGE = "is too large or refers to itself"


class YamlError(Exception):
    """A text that is no YAML, or beyond the limits.

    Attributes:
        line: 1-based; 0 for the whole text.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(slots=True, eq=False)
class Node:
    """A value as written.

    Attributes:
        line: 1-based, where it starts.
        tag: as written; empty without one.
        text: of a scalar.
        style: of a scalar: its quotes, `|`, `>`, or empty for a plain word.
        items: of a list; of a mapping keys and values in turn; None for a scalar.
        is_mapping: whether it is a mapping.
    """

    line: int
    tag: str = ""
    text: str = ""
    style: str = ""
    items: list[Node] | None = None
    is_mapping: bool = False

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """Keys and values of a mapping."""
        items = self.items or []
        return zip(items[::2], items[1::2], strict=True)


def parse_nodes(text: str) -> Node | None:
    """The one document of a text; None when it is empty.

    An alias is the very node that it names, so a tree may be larger than its text, and may hold itself.

    Raises:
        YamlError: it is not YAML, has several documents, is nested too deep or has too many values.
    """
    composer = _Composer()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(mark.line + 1 if mark else 0, f"is not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise YamlError(0, f"is not YAML: {str(error).splitlines()[0]}") from error
    return composer.root


@dataclass(slots=True)
class _Composer:
    """Nodes out of events, without recursion."""

    root: Node | None = None
    open: list[Node] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    count: int = 0

    def take(self, event: Any) -> None:
        kind, line = type(event), event.start_mark.line + 1
        if kind is yaml.ScalarEvent:
            self._add(event, Node(line, event.tag or "", event.value, event.style or ""))
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            node = Node(line, event.tag or "", items=[], is_mapping=kind is yaml.MappingStartEvent)
            self._add(event, node)
            self.open.append(node)
            if len(self.open) > MAX_DEPTH:
                raise YamlError(line, f"{_TOO_LARGE}: more than {MAX_DEPTH} values inside of each other")
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self.open.pop()
        elif kind is yaml.AliasEvent:
            if event.anchor not in self.anchors:
                raise YamlError(line, f"is not YAML: there is no anchor &{event.anchor[:60]}")
            self._place(self.anchors[event.anchor], line)
        elif kind is yaml.DocumentStartEvent and self.root is not None:
            raise YamlError(line, "is not YAML: a second document starts here")

    def _add(self, event: Any, node: Node) -> None:
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._place(node, node.line)

    def _place(self, node: Node, line: int) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            raise YamlError(line, f"{_TOO_LARGE}: more than {MAX_NODES:,} values")
        if self.open:
            items = self.open[-1].items
            assert items is not None
            items.append(node)
        else:
            self.root = node
