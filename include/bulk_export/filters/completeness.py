"""Whether filters are complete: every problem of every filter at once, with the nearest valid names.

A filter is complete when its field exists, its operator fits the field, every operand is present, of the right type
and ordered, and its time zone is known. The linter, the pages and `validate_filters` all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from bulk_export.filters.field_catalog import METADATA_PREFIX, WRITTEN_FROM, FilterField
from bulk_export.filters.operands import read_operands, shown

if TYPE_CHECKING:
    from bulk_export.definitions.models import Filter

CONTACT_ZONE = "contact"


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


def problems(filters: Sequence[Filter], catalogue: Mapping[str, FilterField]) -> list[FilterProblem]:
    """Everything that makes a search incomplete, in the order of its filters; empty when it can run."""
    if not filters:
        return [FilterProblem(None, "", "", "the search has no filter; at least one is needed")]
    return [
        FilterProblem(index, _cut(item.field), _cut(item.operator), message)
        for index, item in enumerate(filters)
        for message in _messages(item, catalogue)
    ]


def _messages(item: Filter, catalogue: Mapping[str, FilterField]) -> Iterable[str]:
    field = catalogue.get(item.field) if item.field else None
    if field is None:
        yield _unknown_field(item.field, catalogue)
        if not item.operator:
            yield "operator is missing"
    elif not item.operator:
        yield f"operator is missing; {field.key} takes {', '.join(field.operators)}"
    elif item.operator not in field.operators:
        yield (
            f"operator {shown(item.operator)} does not fit {field.key}, which takes {', '.join(field.operators)}"
            f"{_did_you_mean(item.operator, field.operators)}"
        )
    else:
        yield from read_operands(field, item.operator, item.value).problems
    if item.time_zone is not None and item.time_zone != CONTACT_ZONE and item.time_zone not in zone_names():
        yield (
            f"time_zone {shown(item.time_zone)} is neither 'contact' nor an IANA time zone"
            f"{_did_you_mean(item.time_zone, [CONTACT_ZONE, *sorted(zone_names())])}"
        )


def _unknown_field(name: str | None, catalogue: Mapping[str, FilterField]) -> str:
    if not name:
        return "field is missing"
    if name in WRITTEN_FROM:
        return f"field {shown(name)} is only a CSV column; filter on {WRITTEN_FROM[name]!r}"
    if name.startswith(METADATA_PREFIX):
        metadata = [key for key in catalogue if key.startswith(METADATA_PREFIX)]
        return (
            f"field {shown(name)} is not an exportable metadata key"
            f"{_did_you_mean(name, metadata) or '; the administrator lists them in settings.yaml exportable_metadata'}"
        )
    return f"field {shown(name)} does not exist{_did_you_mean(name, list(catalogue))}"


def _did_you_mean(name: str, valid: Sequence[str]) -> str:
    by_lower = {candidate.lower(): candidate for candidate in valid}
    near = get_close_matches(name.strip().lower()[:100], by_lower, n=1)
    return f". Did you mean {by_lower[near[0]]!r}?" if near else ""


def _cut(name: str | None) -> str:
    return " ".join((name or "")[:60].split())


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone name this machine knows."""
    return frozenset(available_timezones())
