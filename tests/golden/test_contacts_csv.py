"""contacts.csv byte for byte. The expected files were written by hand from the specification: edit them by hand too."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest

from bulk_export.contacts_csv import CsvCounts, CsvLayout, write_contacts_csv

HERE = Path(__file__).parent
METADATA_KEYS = ("service-key", 'Línea, "tipo"')


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("profile", ["standard", "excel", "data"])
def test_every_byte_is_as_specified(golden_contacts: pa.Table, profile: str, language: str) -> None:
    out = BytesIO()
    write_contacts_csv([golden_contacts], CsvLayout(profile, language, METADATA_KEYS), out)
    assert out.getvalue() == (HERE / f"contacts-{profile}-{language}.csv").read_bytes()


@pytest.mark.parametrize(("profile", "guarded", "replaced"), [("standard", 9, 1), ("excel", 9, 1), ("data", 0, 1)])
def test_every_change_is_counted(golden_contacts: pa.Table, profile: str, guarded: int, replaced: int) -> None:
    counts = write_contacts_csv([golden_contacts], CsvLayout(profile, "en", METADATA_KEYS), BytesIO())
    assert counts == CsvCounts(
        rows=10, masked=1, cut_values=4, long_cells=0, guarded_cells=guarded, replaced_cells=replaced, unknown_zones=2
    )


def test_the_way_contacts_are_split_into_jobs_does_not_show(golden_contacts: pa.Table) -> None:
    layout, whole, parts = CsvLayout("excel", "es", METADATA_KEYS), BytesIO(), BytesIO()
    write_contacts_csv([golden_contacts], layout, whole)
    write_contacts_csv((golden_contacts.slice(row, 1) for row in range(10)), layout, parts)
    assert parts.getvalue() == whole.getvalue()
