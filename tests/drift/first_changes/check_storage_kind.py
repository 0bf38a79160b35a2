"""One more storage kind is delivered to, and is in the schema and the documents."""

from __future__ import annotations

from pathlib import Path

from workbench import Workbench

import reference
from bulk_export.definitions.json_schema import definitions_schema


def test_a_run_is_delivered_there(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    bench.contacts([bench.call(1)])
    bench.write_settings(storage_locations={"archive": {"type": "share", "mount": "../mnt", "folder": "acme"}})
    record = bench.run(bench.export())
    assert (record.exported, record.error_code) == (1, "")
    assert (tmp_path / "mnt/acme" / record.directory / "tagmanifest-sha256.txt").exists()


def test_schema_and_documents_have_it() -> None:
    assert "ShareLocation" in definitions_schema()["$defs"]["settings"]["$defs"]
    assert "of type `share`" in reference.definitions_page()
