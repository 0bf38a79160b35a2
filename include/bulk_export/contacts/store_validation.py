"""Checks, and their words, that every contact store shares."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from bulk_export.contacts.base import StoreReport
from bulk_export.contacts.schema import STORE_COLUMNS
from bulk_export.errors import Problem

# Of a relation of matches: contacts, root recordings, stored bytes of the contacts. DuckDB and PostgreSQL take it.
COUNTS = "count(*) FILTER (WHERE NOT root), count(*) FILTER (WHERE root), sum(media_bytes) FILTER (WHERE NOT root)"
_SHOWN_DUPLICATES = 5
LARGEST_NOTED_BYTES = 2**50


def duplicates_in(source: str) -> str:
    """A query of contact ids that a relation repeats.

    The first of them, and how often.
    """
    return (
        f"SELECT contact_id, count(*) FROM {source} WHERE contact_id IS NOT NULL GROUP BY contact_id"
        f" HAVING count(*) > 1 ORDER BY contact_id LIMIT {_SHOWN_DUPLICATES}"
    )


def duplicate_problems(place: str, rows: Iterable[Sequence[object]]) -> list[Problem]:
    """What `duplicates_in` found, in words; `place` is the folder or table."""
    return [Problem(place, 0, "contact_id", f"{row[0]} is there {row[1]} times") for row in rows]


def fetched_twice(place: str) -> Problem:
    """The problem of a contact that was fetched twice."""
    return Problem(place, 0, "contact_id", "the same contact is there more than once")


def null_problem(place: str, column: str, count: int) -> Problem:
    """A column that may not be null is."""
    return Problem(place, 0, column, f"is null in {count} contacts")


def year_problems(place: str, bad_starts: int, bad_updates: int) -> list[Problem]:
    """Moments that Python, and every consumer of a job table, cannot hold."""
    return [
        Problem(place, 0, column, f"is outside the years 1 to 9999 in {count} contacts")
        for column, count in (("started_at", bad_starts), ("updated_at", bad_updates))
        if count
    ]


def store_report(
    contacts: int, present: Collection[str], ignored: Iterable[str], unread: tuple[str, ...] = ()
) -> StoreReport:
    """The report of a usable store with these of the known columns."""
    return StoreReport(
        contacts=contacts,
        columns=tuple(column for column in STORE_COLUMNS if column in present),
        absent=tuple(column for column in STORE_COLUMNS if column not in present),
        ignored=tuple(ignored),
        unread=unread,
    )
