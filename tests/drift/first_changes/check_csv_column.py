"""One more CSV column is delivered, can be asked for, and is in the documents."""

from __future__ import annotations

from pathlib import Path

from workbench import Workbench, read_csv

import reference
from bulk_export_sample.schema import sample_schema


def test_it_is_in_contacts_csv_and_a_filter_knows_it(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    bench.contacts([bench.call(1, language="es"), bench.call(2, language="en")])
    bench.search("spanish", {"field": "language", "operator": "equals", "value": "es"})
    record = bench.run(bench.export(search="spanish"))
    rows = read_csv(bench.directory(record) / "data/contacts.csv")
    assert [(row["Contact ID"], row["Language"]) for row in rows] == [("1", "es")]


def test_sample_contacts_and_documents_have_it() -> None:
    assert "language" in sample_schema().names
    assert "| `language` | text | Language |" in reference.definitions_page()
    assert "| Language | `language` | text | text | 16 |" in reference.TABLES["columns"]()
