from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from bulk_export.state.database import transaction
from bulk_export.state.events import Event, append_event, list_events

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def three(state: Engine) -> None:
    append_event(state, "ana", "created", "export weekly", "", T0)
    append_event(state, "ana", "edited", "export weekly", "schedule", T0 + timedelta(minutes=1))
    append_event(state, "eve", "refused", "audit", "no permission", T0 + timedelta(minutes=2))


def test_events_are_listed_newest_first_in_pages(state: Engine) -> None:
    three(state)
    newest, middle = list_events(state, limit=2)
    assert newest == Event(newest.event_id, T0 + timedelta(minutes=2), "eve", "refused", "audit", "no permission")
    assert middle.action == "edited"
    assert [event.action for event in list_events(state, before=middle.event_id)] == ["created"]


def test_events_are_filtered_by_who_what_and_subject(state: Engine) -> None:
    three(state)
    assert [event.action for event in list_events(state, who="ana")] == ["edited", "created"]
    assert [event.who for event in list_events(state, action="refused")] == ["eve"]
    assert len(list_events(state, subject="export weekly")) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET who = 'nobody'",
        "DELETE FROM events",
        "INSERT OR REPLACE INTO events SELECT event_id, at, 'nobody', action, subject, detail FROM events",
        "TRUNCATE events",
    ],
)
def test_the_database_refuses_to_change_events(state: Engine, statement: str) -> None:
    only = {"INSERT": "sqlite", "TRUNCATE": "postgresql"}.get(statement.split()[0], state.dialect.name)
    if state.dialect.name != only:
        pytest.skip(f"{only} only")
    three(state)
    before = list_events(state)
    with pytest.raises(DBAPIError, match="events are append-only"), transaction(state) as connection:
        connection.execute(text(statement))
    assert list_events(state) == before
