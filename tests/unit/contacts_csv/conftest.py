from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO, StringIO

import pyarrow as pa
import pytest

from bulk_export.contacts.schema import canonical_schema
from bulk_export.contacts_csv import CsvLayout, write_contacts_csv


def _contacts(*rows: dict[str, object], metadata_keys: tuple[str, ...] = ()) -> pa.Table:
    schema = canonical_schema(metadata_keys, with_text=False).append(pa.field("text_preview", pa.string()))
    usual = {
        "contact_id": 1,
        "started_at": datetime(2026, 11, 23, 12, tzinfo=UTC),
        "time_zone": "UTC",
        "contact_type": "CALL",
    }
    return pa.Table.from_pylist([{**dict.fromkeys(schema.names), **usual, **row} for row in rows], schema=schema)


def _written(
    contacts: pa.Table, profile: str = "standard", metadata_keys: tuple[str, ...] = ()
) -> list[dict[str, str]]:
    out = BytesIO()
    write_contacts_csv([contacts], CsvLayout(profile, "en", metadata_keys), out)
    return list(csv.DictReader(StringIO(out.getvalue().decode("utf-8-sig"), newline="")))


@pytest.fixture(scope="session")
def make_contacts() -> Callable[..., pa.Table]:
    """Job tables from the values that matter: `make_contacts({"subject": "=1"}, {...})`."""
    return _contacts


@pytest.fixture(scope="session")
def written() -> Callable[..., list[dict[str, str]]]:
    """The records of a job table's CSV by header, read back with Python's csv module."""
    return _written
