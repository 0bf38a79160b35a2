"""The transcripts of real dialogues that come with the project's specification, dirt included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bulk_export.contacts.addresses import Addresses
from bulk_export.reasons import Reason
from bulk_export.staging.journal import Journal
from bulk_export.storage.local import LocalStorage
from bulk_export.transcripts.job import export_job_transcripts

REAL = Path(__file__).parents[4] / "shared/data/real-contacts"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real contact store is not beside the project")

# Found by hand: cut off in the middle; and with a control character in the word "schema".
TORN = {100156, 100197, 100238, 100279, 100320, 100361, 100402}
WITHOUT_SCHEMA = {100199, 100242, 100285, 100328, 100371}


@pytest.mark.parametrize("format", ["json", "xml"])
def test_exactly_the_broken_ones_are_faulty(
    format: Literal["json", "xml"], tmp_path: Path, validate: Callable[[bytes], None]
) -> None:
    contacts = pa.concat_tables([pq.read_table(path) for path in sorted((REAL / "contacts").glob("*.parquet"))])
    contacts = contacts.filter(pc.invert(contacts["is_root"]))
    journal = Journal(LocalStorage(tmp_path / "staging"), "results")
    counts = export_job_transcripts(
        contacts,
        job=1,
        format=format,
        addresses=Addresses(LocalStorage(REAL)),
        destination=LocalStorage(tmp_path / "out"),
        run_prefix="run",
        journal=journal,
        max_bytes=2**20,
        progress=lambda *, contacts_done, bytes_written: None,
    )
    results = {result.contact_id: result for result in journal.read()}
    faulty = {contact_id: result for contact_id, result in results.items() if result.reason}
    assert {
        each for each, result in faulty.items() if result.reason is Reason.TRANSCRIPT_CORRUPT
    } == TORN | WITHOUT_SCHEMA
    assert {result.detail for each, result in faulty.items() if each in WITHOUT_SCHEMA} == {"schema: missing"}
    assert all(faulty[each].detail.startswith("not readable as JSON") for each in TORN)
    assert counts.recycled == 7
    assert counts.skipped == {Reason.NO_TRANSCRIPT: 11}
    assert counts.failed == {Reason.TRANSCRIPT_CORRUPT: 12}
    files = list((tmp_path / "out").rglob(f"*.{format}"))
    assert counts.delivered == len(files) == 371
    for path in files:
        validate(path.read_bytes())
