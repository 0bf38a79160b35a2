"""Whatever stands in a contact store, a run accounts for every contact, and what it delivers is proven and readable."""

from __future__ import annotations

import csv
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from workbench import Workbench, transcript_of

from bulk_export.bag.verify import verify_run
from bulk_export.csv_cells.guard import guard
from bulk_export.reasons import ItemStatus
from bulk_export.state.records import RunStatus
from bulk_export.storage.local import LocalStorage

# Texts that Parquet can hold; most of them short, some from the list of what hurts.
UNPLEASANT = ['"', "\r\n", ",", "=1+1", "\x00", "\ufeff", "\u202e", "'", "NULL", "######", "-5", ""]
UNPLEASANT += ["a" * 300, "e\u0301" * 40, "👨‍👩‍👧" * 20]
TEXTS = st.none() | st.text(max_size=20) | st.sampled_from(UNPLEASANT)
WHOLE = ["media/whole.wav", "media/../media/whole.wav"]
NOWHERE = [
    "media/torn.wav",
    "media/gone.wav",
    "media",
    "media/",
    "../settings.yaml",
    "/etc/hostname",
    "\x00",
    "x" * 5000,
]
NOWHERE += ["file:///etc/hostname", "file://host/x", "file:///", "file://", "http://acme.example/x.wav", "x://y", "://"]
NOWHERE += ["s3://[x/y", "//]]", "s3://a b/c", "s3://bücket/k", "s3://u:p@b/k", "s3://", "s3:///x", "az://a/", "gs://a"]
ADDRESSES = st.none() | st.text(max_size=12) | st.sampled_from([*WHOLE, *NOWHERE])
TRANSCRIPTS = st.none() | st.binary(max_size=40) | st.sampled_from(
    [b"", b"{}", b"[" * 5000, b'{"schema": "transcript-1.0"}', b"\xff\xfe", b"null"]
) | st.builds(lambda text: json.dumps(transcript_of(0, text)).encode(), st.text(max_size=20))  # fmt: skip
CONTACTS = st.fixed_dictionaries(
    {
        "last_name": TEXTS,
        "subject": TEXTS,
        "reason": TEXTS,
        "time_zone": st.sampled_from(["America/Bogota", "Mars/Olympus", "", "UTC"]) | st.text(max_size=5),
        "contact_type": st.sampled_from(["CALL", "EMAIL", "SCREEN_ONLY", "CHAT"]) | st.text(max_size=5),
        "audio_uri": ADDRESSES,
        "screen_uri": ADDRESSES,
        "audio_bytes": st.none() | st.integers(-(2**63), 2**63 - 1),
        "recycled": st.none() | st.booleans(),
        "is_root": st.none() | st.booleans(),
        "score": st.none() | st.integers(-(2**63), 2**63 - 1),
        "hold_ratio": st.none() | st.floats(),
        "net_promoter_score": st.none() | st.floats(),
        "call_duration": st.none() | st.integers(-(2**63), 2**63 - 1),
        "transcript": TRANSCRIPTS,
        "transcript_uri": ADDRESSES,
        "metadata": TEXTS,
    }
)
NOT_READABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def store(bench: Workbench, contacts: list[dict[str, Any]]) -> None:
    whole = bench.call(0, seconds=0.01)
    (bench.root / "store/media/0.wav").rename(bench.root / "store/media/whole.wav")
    (bench.root / "store/media/torn.wav").write_bytes((bench.root / "store/media/whole.wav").read_bytes()[:-7])
    rows = []
    for number, contact in enumerate(contacts, start=1):
        given = dict(contact)
        transcript, metadata = given.pop("transcript"), given.pop("metadata")
        if transcript is not None:
            given["transcript_uri"] = f"transcripts/{number}.json"
            content = transcript.replace(b'"contact_id": 0', b'"contact_id": %d' % number)
            (bench.root / f"store/transcripts/{number}.json").write_bytes(content)
        pairs = [] if metadata is None else [("account-key", metadata)]
        rows.append(whole | given | {"contact_id": number, "metadata": pairs})
    bench.contacts(rows)


@pytest.mark.faults("rows")
@settings(
    deadline=None,
    derandomize=True,
    max_examples=12,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    contacts=st.lists(CONTACTS, min_size=1, max_size=6),
    profile=st.sampled_from(["standard", "excel", "data"]),
    transcripts=st.sampled_from(["json", "xml"]),
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60).filter(lambda name: name.strip()),
)
@pytest.mark.slow
def test_a_run_accounts_for_every_contact_and_proves_what_it_delivers(
    contacts: list[dict[str, Any]], profile: str, transcripts: str, name: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(Path(folder))
        store(bench, contacts)
        bench.export(name=name, transcripts=transcripts, csv={"profile": profile}, media={"audio_only": "original"})

        record = bench.run()

        matched = [number for number, contact in enumerate(contacts, start=1) if not contact["is_root"]]
        if not matched:
            assert record.status is RunStatus.COMPLETED_EMPTY
            return
        assert record.status in {RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS}, record.error_message
        directory = bench.directory(record)
        items = bench.items(record)
        assert sorted(items) == matched
        assert record.matched == len(matched) == sum(record.by_status.values())
        for number, item in items.items():
            assert item["status"] in {ItemStatus.DELIVERED, ItemStatus.MASKED, ItemStatus.FAULTY}
            assert (item["status"] == ItemStatus.MASKED) == bool(contacts[number - 1]["recycled"])
            assert bool(item["reason"]) == (item["status"] != ItemStatus.DELIVERED)
        assert verify_run(LocalStorage(directory)).faults == ()
        with (directory / "data/contacts.csv").open(encoding="utf-8-sig", newline="") as lines:
            rows = {int(row["Contact ID"]): row for row in csv.DictReader(lines, strict=True)}
        assert sorted(rows) == matched
        for number, row in rows.items():
            contact = contacts[number - 1]
            if contact["recycled"]:
                assert {value for header, value in row.items() if header != "Contact ID"} == {"######"}
            else:
                assert row["account-key"] == shown(contact["metadata"], profile)
                assert len(row["Last Name"]) <= len("'") + 60
                assert row["Score"] == ("" if contact["score"] is None else str(contact["score"]))


@pytest.mark.faults("rows")
def test_every_address_that_leads_nowhere_is_a_reason_and_no_other_contact_suffers(bench: Workbench) -> None:
    rows = [bench.call(1)]
    for number, address in enumerate(NOWHERE, start=2):
        rows.append(bench.call(number, seconds=0.01, transcript_uri=address, audio_uri=address))
    bench.contacts(rows)
    bench.export()

    record = bench.run()

    assert record.status is RunStatus.COMPLETED_WITH_ERRORS, record
    assert record.by_status["faulty"] == len(NOWHERE)
    assert bench.items(record)[1]["status"] == ItemStatus.DELIVERED
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()


def shown(stored: str | None, profile: str) -> str:
    """What a cell without a longest length must read as."""
    import pyarrow as pa

    if profile == "data":
        return (stored or "").replace("\0", "\ufffd")
    return guard(pa.array([NOT_READABLE.sub("\ufffd", stored or "")]))[0][0].as_py() or ""
