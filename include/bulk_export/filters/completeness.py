"""Find every problem that keeps filters from running.

All of them at once, with the nearest valid names.

A filter is complete when its field exists, its operator fits the field, every operand is present, of the right type
and ordered, and its time zone is known. The linter, the pages and `validate_filters` all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulk_export.fields import Kind
from bulk_export.filters.field_catalog import METADATA_PREFIX, WRITTEN_FROM, FilterField
from bulk_export.filters.limits import MAX_CONTACT_ZONE_FILTERS, MAX_FILTERS, MAX_SEARCH_WORDS
from bulk_export.filters.operands import read_operands, shown
from bulk_export.filters.words import words_of
from bulk_export.suggestions import did_you_mean, nearest
from bulk_export.time_zones import CONTACT_ZONE, nearest_zone, zone_names

if TYPE_CHECKING:
    from bulk_export.definitions.models import Filter


@dataclass(frozen=True, slots=True)
class FilterProblem:
    """One thing that keeps a search from running.

    Attributes:
        index: position of the filter, None when the search as a whole is meant.
        field: the field as written, empty when missing.
        operator: the operator as written, empty when missing.
        message: what is wrong, such as `value is missing`.
    """

    index: int | None
    field: str
    operator: str
    message: str

    def __str__(self) -> str:
        if self.index is None:
            return f"filters: {self.message}"
        place = " ".join(part for part in (f"filters[{self.index}]", self.field, self.operator) if part)
        return f"{place}: {self.message}"


def problems(filters: Sequence[Filter], catalog: Mapping[str, FilterField]) -> list[FilterProblem]:
    """Everything that makes a search incomplete.

    In the order of its filters; empty when it can run.
    """
    if not filters:
        return [FilterProblem(None, "", "", "the search has no filter; at least one is needed")]
    if too_large := _too_large(filters, catalog):
        return [FilterProblem(None, "", "", message) for message in too_large]
    return [
        FilterProblem(index, _cut(item.field), _cut(item.operator), message)
        for index, item in enumerate(filters)
        for message in _messages(item, catalog)
    ]


def _too_large(filters: Sequence[Filter], catalog: Mapping[str, FilterField]) -> list[str]:
    """What no contact store would answer in time; nothing else is looked at then."""
    if len(filters) > MAX_FILTERS:
        return [f"the search has {len(filters):,} filters; at most {MAX_FILTERS} are allowed"]
    fields = [(item, catalog[item.field]) for item in filters if item.field and item.field in catalog]
    own_zone = sum(
        item.time_zone == CONTACT_ZONE and field.kind in {Kind.DATE, Kind.TIMESTAMP} for item, field in fields
    )
    words = sum(_word_count(item, field) for item, field in fields)
    found = []
    if own_zone > MAX_CONTACT_ZONE_FILTERS:
        found.append(
            f"the search has {own_zone} filters in each contact's own time zone; at most {MAX_CONTACT_ZONE_FILTERS} "
            "are allowed"
        )
    if words > MAX_SEARCH_WORDS:
        found.append(
            f"the search has {words:,} words in its filters on text; at most {MAX_SEARCH_WORDS} are allowed in all"
        )
    return found


def _word_count(item: Filter, field: FilterField) -> int:
    if field.kind is not Kind.WORDS or item.operator not in field.operators:
        return 0
    return sum(len(words_of(str(term))) for term in read_operands(field, item.operator, item.value).values)


def _messages(item: Filter, catalog: Mapping[str, FilterField]) -> Iterable[str]:
    field = catalog.get(item.field) if item.field else None
    if field is None:
        yield _unknown_field(item.field, catalog)
        if not item.operator:
            yield "operator is missing"
    elif not item.operator:
        yield f"operator is missing; {field.key} takes {', '.join(field.operators)}"
    elif item.operator not in field.operators:
        yield (
            f"operator {shown(item.operator)} does not fit {field.key}, which takes {', '.join(field.operators)}"
            f"{_sentence(did_you_mean(item.operator, field.operators))}"
        )
    else:
        yield from read_operands(field, item.operator, item.value).problems
    if item.time_zone is not None and item.time_zone != CONTACT_ZONE and item.time_zone not in zone_names():
        yield (
            f"time_zone {shown(item.time_zone)} is neither 'contact' nor an IANA time zone"
            f"{_sentence(nearest_zone(item.time_zone))}"
        )


def _unknown_field(name: str | None, catalog: Mapping[str, FilterField]) -> str:
    if not name:
        return "field is missing"
    if name in WRITTEN_FROM:
        return f"field {shown(name)} is only a CSV column; filter on {WRITTEN_FROM[name]!r}"
    if name.startswith(METADATA_PREFIX):
        return f"field {shown(name)} is not an exportable metadata key{_exportable_key(name, catalog)}"
    return f"field {shown(name)} does not exist{_sentence(did_you_mean(name, catalog))}"


def _exportable_key(name: str, catalog: Iterable[str]) -> str:
    # Without the prefix, which makes any two of them look alike.
    keys = [key.removeprefix(METADATA_PREFIX) for key in catalog if key.startswith(METADATA_PREFIX)]
    near = nearest(name.removeprefix(METADATA_PREFIX), keys)
    if near is None:
        return "; the administrator lists them in settings.yaml exportable_metadata"
    return f". Did you mean '{METADATA_PREFIX}{near}'?"


def _sentence(hint: str) -> str:
    """A hint after a message that has no full stop."""
    return f".{hint}" if hint else ""


def _cut(name: str | None) -> str:
    return " ".join((name or "")[:60].split())
