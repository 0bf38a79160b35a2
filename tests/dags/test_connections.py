"""Airflow connections as the product takes them. Nothing is contacted."""

from __future__ import annotations

import json

import pytest

from bulk_export.errors import DefinitionError


def connection(monkeypatch: pytest.MonkeyPatch, conn_type: str, **parts: object) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps({"conn_type": conn_type, **parts}))


def test_an_aws_connection_gives_keys_region_and_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    from bulk_export_airflow.connections import credentials

    extra = {"region_name": "eu-west-1", "endpoint_url": "http://127.0.0.1:9000"}
    connection(monkeypatch, "aws", login="AKIAEXAMPLE", password="not a secret", extra=extra)
    found = credentials("lake")
    assert found.options == {"region": "eu-west-1", "endpoint": "http://127.0.0.1:9000"}
    assert found.provider is not None
    fresh = found.provider()
    assert isinstance(fresh, dict)
    assert (fresh["access_key_id"], fresh["secret_access_key"]) == ("AKIAEXAMPLE", "not a secret")


def test_an_azure_connection_gives_account_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from bulk_export_airflow.connections import credentials

    connection(monkeypatch, "wasb", login="acme", password="bm90IGEgc2VjcmV0")
    assert credentials("lake").options == {"account_name": "acme", "account_key": "bm90IGEgc2VjcmV0"}


def test_a_google_connection_gives_its_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    from bulk_export_airflow.connections import credentials

    connection(monkeypatch, "google_cloud_platform", extra={"keyfile_dict": {"type": "service_account"}})
    assert credentials("lake").options == {"service_account_key": '{"type": "service_account"}'}


def test_a_postgres_connection_gives_an_address_that_sqlalchemy_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import make_url

    from bulk_export_airflow.connections import database_url

    parts = {"host": "db", "port": 5433, "schema": "exports", "login": "me", "password": "p@ss/word"}
    connection(monkeypatch, "postgres", **parts, extra={"sslmode": "require"})
    url = make_url(database_url("lake"))
    assert (url.drivername, url.host, url.port, url.database) == ("postgresql+psycopg", "db", 5433, "exports")
    assert (url.username, url.password, url.query["sslmode"]) == ("me", "p@ss/word", "require")


def test_a_connection_that_is_not_there_or_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from bulk_export_airflow.connections import credentials, database_url

    with pytest.raises(DefinitionError, match="there is no Airflow connection 'nowhere'"):
        credentials("nowhere")
    connection(monkeypatch, "http")
    with pytest.raises(DefinitionError, match="the connection 'lake' is of type http, not postgres"):
        database_url("lake")


def test_no_secret_shows_in_what_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from bulk_export_airflow.connections import credentials

    connection(monkeypatch, "wasb", login="acme", password="bm90IGEgc2VjcmV0")
    assert "bm90" not in repr(credentials("lake"))


def test_an_address_may_name_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    from bulk_export_airflow.connections import database_url

    monkeypatch.setenv("AIRFLOW_CONN_LAKE", "postgresql+psycopg2://me@db/exports?sslmode=require")
    assert database_url("lake") == "postgresql+psycopg://me@db/exports?sslmode=require"
