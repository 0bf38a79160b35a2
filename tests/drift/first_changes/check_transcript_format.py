"""One more transcript format is delivered, and is in the schema, the form and the documents."""

from __future__ import annotations

from pathlib import Path

from workbench import Workbench

import reference
from bulk_export.definitions.json_schema import definitions_schema


def test_a_run_delivers_it(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    bench.contacts([bench.call(1)])
    record = bench.run(bench.export(transcripts="txt"))
    assert (record.exported, record.error_code) == (1, "")
    delivered = bench.directory(record) / "data/transcripts/0001/1.txt"
    assert delivered.read_text(encoding="utf-8") == "a: thank you for calling\n"


def test_schema_and_documents_have_it() -> None:
    assert "'txt'" in str(definitions_schema()["$defs"]["export"])
    assert "`txt`" in reference.definitions_page()
