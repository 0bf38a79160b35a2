"""The command line takes a connection in every form that Airflow does, and says truly what it cannot take."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import URL, make_url

from bulk_export.cli.connections import database_url
from bulk_export.errors import DefinitionError

PASSWORD = "p@ss/w:rd#%?[]"
QUOTED = "p%40ss%2Fw%3Ard%23%25%3F%5B%5D"
PARTS = {"login": "me", "password": PASSWORD, "host": "db.acme.example", "port": 5433, "schema": "calls"}


def address(monkeypatch: pytest.MonkeyPatch, value: str) -> URL:
    monkeypatch.setenv("AIRFLOW_CONN_CONTACTS_DB", value)
    return make_url(database_url("contacts_db"))


FORMS = {
    "address": f"postgresql://me:{QUOTED}@db.acme.example:5433/calls?sslmode=require",
    "short": f"postgres://me:{QUOTED}@db.acme.example:5433/calls?sslmode=require",
    "psycopg2": f"postgresql+psycopg2://me:{QUOTED}@db.acme.example:5433/calls?sslmode=require",
    "psycopg": f"  postgresql+psycopg://me:{QUOTED}@db.acme.example:5433/calls?sslmode=require\n",
    "extra": f"postgres://me:{QUOTED}@db.acme.example:5433/calls?__extra__=%7B%22sslmode%22%3A+%22require%22%7D",
    "json": json.dumps(PARTS | {"conn_type": "postgres", "extra": {"sslmode": "require", "cursor": "dictcursor"}}),
    "json with texts": json.dumps(
        PARTS | {"conn_type": "postgresql", "port": "5433", "extra": json.dumps({"sslmode": "require", "iam": False})}
    ),
    "json with an address": json.dumps(
        {"uri": f"postgres://me:{QUOTED}@db.acme.example:5433/calls?sslmode=require"}, indent=1
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_address(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    url = address(monkeypatch, FORMS[form])
    assert (url.drivername, url.username, url.password) == ("postgresql+psycopg", "me", PASSWORD)
    assert (url.host, url.port, url.database) == ("db.acme.example", 5433, "calls")
    assert url.query == {"sslmode": "require"}


def test_sockets_and_defaults_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert address(monkeypatch, "postgresql:///calls?host=/tmp").query == {"host": "/tmp"}
    socket = address(monkeypatch, "postgres://me@%2Fvar%2FRun/calls")
    assert (socket.host, socket.database, socket.query) == (None, "calls", {"host": "/var/Run"})
    assert address(monkeypatch, '{"conn_type": "postgres", "extra": {"keepalives": true, "sslmode": null}}').query == {
        "keepalives": "1"
    }
    assert address(monkeypatch, "postgres://me@[::1]:5433/calls").host == "::1"


def test_what_is_not_set_is_told_from_what_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_CONTACTS_DB", raising=False)
    with pytest.raises(DefinitionError, match="AIRFLOW_CONN_CONTACTS_DB is not set") as unknown:
        database_url("contacts_db")
    assert unknown.value.code == "CONNECTION_UNKNOWN"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("mysql://me:secret@db/calls", "to a connection of type 'mysql', not postgres"),
        ('{"conn_type": "aws", "password": "secret"}', "to a connection of type 'aws', not postgres"),
        ('{"host": "db", "password": "secret"}', "to a connection without a type, not postgres"),
        ("postgres://me:sec#ret@db/calls", "but can be read neither as an address nor as JSON"),
        ("postgres://me:sec/ret@db/calls", "but can be read neither as an address nor as JSON"),
        ('{"conn_type": "postgres", "password": "secret"', "but can be read neither as an address nor as JSON"),
        ('{"conn_type": "postgres", "port": "secret"}', "but can be read neither as an address nor as JSON"),
        ('{"conn_type": "postgres", "extra": "secret"}', "but can be read neither as an address nor as JSON"),
        ("secret", "but can be read neither as an address nor as JSON"),
    ],
)
def test_what_is_set_and_cannot_be_used_is_said_to_be_set(
    monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        address(monkeypatch, value)
    assert caught.value.code == "CONNECTION_UNSUPPORTED"
    assert f"AIRFLOW_CONN_CONTACTS_DB is set, {words}" in caught.value.message
    assert "secret" not in str(caught.value)
    assert "ret@" not in str(caught.value)
