"""Change keys of a YAML text and leave the rest.

Comments, order, quotes and layout stay as somebody wrote them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from bulk_export.definitions.yaml_layout import with_layout_of
from bulk_export.definitions.yaml_nodes import YamlError, parse_nodes
from bulk_export.errors import DefinitionError

# Lists of at most so many plain values are written in one line, as people do: [mon, thu].
_FLOW_ITEMS = 12
# A key, and the dash of its list in the same column.
_FLUSH_LIST = re.compile(r"^( *)[^\s#-][^\n]*:[^\S\n]*\n\1- ", re.MULTILINE)


def edit_yaml(text: str, changes: Mapping[str, object]) -> str:
    """The text with its keys changed.

    Args:
        text: a YAML mapping; empty for a new file.
        changes: what the keys shall be; None takes a key away, a mapping is gone into, keys not given stay.

    Raises:
        DefinitionError: DEFINITION_INVALID when the text is no YAML mapping: it cannot be edited key by key.
    """
    yaml = _yaml(flush=_FLUSH_LIST.search(text) is not None)
    try:
        parse_nodes(text)  # whose limits are also those of the editor, which calls itself once a level
        document = yaml.load(text) if text.strip() else CommentedMap()
    except (YAMLError, YamlError) as error:
        raise _not_editable() from error
    if not isinstance(document, CommentedMap):
        raise _not_editable()
    written = _dumped(yaml, document)
    _merge(document, changes)
    changed = _dumped(yaml, document)
    if not text.strip():
        return changed
    kept = with_layout_of(text, written, changed)
    try:
        return kept if yaml.load(kept) == document else changed
    except YAMLError:  # a line that was put in does not fit between theirs
        return changed


def _yaml(*, flush: bool) -> Any:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=2 if flush else 4, offset=0 if flush else 2)
    return yaml


def _dumped(yaml: Any, document: Any) -> str:
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _not_editable() -> DefinitionError:
    return DefinitionError(
        "DEFINITION_INVALID",
        "the file is not a YAML mapping, so it cannot be edited key by key",
        hint="Fix it with a text editor; `bulk-export validate` names the line.",
    )


def _merge(document: Any, changes: Mapping[str, object]) -> None:
    for key, value in changes.items():
        if value is None:
            document.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(document.get(key), dict):
            _merge(document[key], value)
        elif isinstance(value, Sequence) and not isinstance(value, str) and isinstance(document.get(key), list):
            _merge_list(document[key], value)
        elif key not in document or not _same(document[key], value):
            document[key] = _fresh(value)


def _merge_list(items: Any, wanted: Sequence[object]) -> None:
    """Items that stay keep their comments; a mapping in a list is given whole, so keys it lacks go."""
    for index, value in enumerate(wanted[: len(items)]):
        if isinstance(value, Mapping) and isinstance(items[index], dict):
            _merge(items[index], dict.fromkeys(items[index]) | {k: v for k, v in value.items() if v is not None})
        elif not _same(items[index], value):
            items[index] = _fresh(value)
    for value in wanted[len(items) :]:
        items.append(_fresh(value))
    del items[len(wanted) :]


def _same(present: object, wanted: object) -> bool:
    # 1 and True are equal in Python, and not at all in a definition.
    return type(present) is type(wanted) and present == wanted if isinstance(wanted, bool) else present == wanted


def _fresh(value: object) -> object:
    """A value as it is written anew: small things in one line, text that reads as something else in quotes."""
    if isinstance(value, Mapping):
        mapping = CommentedMap({key: _fresh(item) for key, item in value.items() if item is not None})
        if all(not isinstance(item, list | tuple | dict) or _is_short(item) for item in mapping.values()):
            mapping.fa.set_flow_style()
        return mapping
    if isinstance(value, Sequence) and not isinstance(value, str):
        sequence = CommentedSeq([_fresh(item) for item in value])
        if _is_short(value):
            sequence.fa.set_flow_style()
        return sequence
    if isinstance(value, str) and value[:1].isdigit():
        return DoubleQuotedScalarString(value)  # 02:30 and 2026-11-01 stay text for every reader of YAML
    return value


def _is_short(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(not isinstance(item, list | tuple | dict) or _is_short(item) for item in value.values())
    return (
        isinstance(value, Sequence)
        and len(value) <= _FLOW_ITEMS
        and all(not isinstance(item, list | tuple | dict) for item in value)
    )
