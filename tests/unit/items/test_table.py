from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.errors import TransientError
from bulk_export.items.payload_file import PayloadFile
from bulk_export.items.table import ItemCounts, excluded_items, item_columns, item_files, job_items, write_items_csv
from bulk_export.reasons import NOT_APPLICABLE, ItemStatus, Reason
from bulk_export.staging.journal import FileKind, FileResult

SHA256 = "ab" * 32
MEDIA = frozenset({"media", "screen"})


def delivered(contact_id: int, kind: FileKind = "media", path: str = "data/media/0001/1.wav") -> FileResult:
    return FileResult(contact_id, kind, path=path, bytes=7, sha256=SHA256)


def failed(contact_id: int, reason: Reason, kind: FileKind = "media", detail: str = "") -> FileResult:
    return FileResult(contact_id, kind, reason, detail)


def one(*results: FileResult, recycled: bool = False) -> dict[str, object]:
    (row,) = job_items([1], [recycled], results).to_pylist()
    return row


def written(*tables: pa.Table) -> tuple[list[dict[str, str]], ItemCounts, str]:
    out = io.BytesIO()
    counts = write_items_csv(tables, out)
    text = out.getvalue().decode()
    return [*csv.DictReader(io.StringIO(text, newline=""), strict=True)], counts, text


# media, screen, transcript -> status, reason, media_reason, transcript_reason
TRUTHS: list[tuple[str | None, str | None, str | None, str, str | None, str | None, str | None]] = [
    ("", None, "", "delivered", None, None, None),
    (None, None, None, "delivered", None, None, None),
    ("NO_MEDIA", None, "", "delivered", None, "NO_MEDIA", None),
    ("NO_SCREEN", None, "NO_TRANSCRIPT", "delivered", None, "NO_SCREEN", "NO_TRANSCRIPT"),
    ("MEDIA_MISSING", None, "", "faulty", "MEDIA_MISSING", "MEDIA_MISSING", None),
    ("", None, "TRANSCRIPT_CORRUPT", "faulty", "TRANSCRIPT_CORRUPT", None, "TRANSCRIPT_CORRUPT"),
    ("MEDIA_CORRUPT", None, "TRANSCRIPT_MISSING", "faulty", "MEDIA_CORRUPT", "MEDIA_CORRUPT", "TRANSCRIPT_MISSING"),
    ("NO_MEDIA", None, "TRANSCRIPT_MISSING", "faulty", "TRANSCRIPT_MISSING", "NO_MEDIA", "TRANSCRIPT_MISSING"),
    ("", "MEDIA_MISSING", "", "faulty", "MEDIA_MISSING", "MEDIA_MISSING", None),
    ("MEDIA_CORRUPT", "MEDIA_MISSING", "", "faulty", "MEDIA_CORRUPT", "MEDIA_CORRUPT MEDIA_MISSING", None),
    ("MEDIA_MISSING", "MEDIA_MISSING", "", "faulty", "MEDIA_MISSING", "MEDIA_MISSING", None),
    ("NO_MEDIA", "MEDIA_MISSING", None, "faulty", "MEDIA_MISSING", "NO_MEDIA MEDIA_MISSING", None),
]


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: "-".join(str(cell) for cell in truth[:3]))
def test_a_contacts_row_follows_from_its_files(truth: Sequence[str | None]) -> None:
    kinds: tuple[FileKind, ...] = ("media", "screen", "transcript")
    results = [
        failed(1, Reason(cell), kind) if cell else delivered(1, kind)
        for kind, cell in zip(kinds, truth[:3], strict=True)
        if cell is not None
    ]

    row = one(*results)

    assert tuple(row[name] for name in ("status", "reason", "media_reason", "transcript_reason")) == truth[3:]
    for kind, cell in zip(kinds, truth[:3], strict=True):
        assert (row[f"{kind}_file"] is not None) == (cell == "")


def test_what_is_not_applicable_never_makes_a_contact_faulty() -> None:
    for reason in Reason:
        status = one(failed(1, reason))["status"]
        assert (status == ItemStatus.DELIVERED) == (reason in NOT_APPLICABLE), reason


def test_a_recycled_contact_is_masked_whatever_it_has() -> None:
    row = one(delivered(1), recycled=True)

    assert [row[name] for name in item_columns()] == [1, "masked", "RECYCLED", *[None] * (len(item_columns()) - 3)]


def test_of_two_results_for_one_file_the_later_counts() -> None:
    assert one(failed(1, Reason.MEDIA_CORRUPT), delivered(1))["status"] == "delivered"


def test_details_of_all_files_are_told() -> None:
    row = one(
        failed(1, Reason.MEDIA_MISSING, detail="no such object"),
        failed(1, Reason.TRANSCRIPT_CORRUPT, "transcript", "line 3: not JSON"),
    )

    assert row["detail"] == "no such object; line 3: not JSON"


def test_a_journal_with_gaps_or_other_contacts_is_refused() -> None:
    with pytest.raises(TransientError, match=r"ITEMS_INCOMPLETE.*such as 2"):
        job_items([1, 2], [False, False], [delivered(1)], wanted=[MEDIA])
    with pytest.raises(TransientError, match=r"ITEMS_INCOMPLETE.*such as 9"):
        job_items([1], [False], [delivered(1), delivered(9)])

    assert job_items([1, 2], [False, True], [delivered(1)], wanted=[MEDIA]).num_rows == 2


def test_a_result_of_a_kind_that_no_stage_delivers_is_refused() -> None:
    with pytest.raises(ValueError, match="no stage delivers files of the kind summary"):
        job_items([1], [False], [delivered(1, "summary")])


def test_the_file_starts_with_the_promised_columns_and_quotes_only_where_needed() -> None:
    _, _, text = written(job_items([5], [False], [delivered(5)]))

    assert text == (
        "contact_id,status,reason,media_reason,transcript_reason,media_file,media_bytes,media_sha256,"
        "screen_file,screen_bytes,screen_sha256,transcript_file,transcript_bytes,transcript_sha256,detail\n"
        f"5,delivered,,,,data/media/0001/1.wav,7,{SHA256},,,,,,,\n"
    )


@pytest.mark.parametrize("formula", ["=cmd()", "+1*2", "-1+2", "@SUM(A1)", "\t=1", "\r\n=1", "  =1"])
def test_a_detail_is_never_a_formula(formula: str) -> None:
    rows, _, text = written(job_items([1], [False], [failed(1, Reason.MEDIA_CORRUPT, detail=formula)]))

    assert rows[0]["detail"] == "'" + formula.strip()
    assert text.count("\n") == 2


@settings(deadline=None, derandomize=True, max_examples=200)
@given(details=st.lists(st.text(), min_size=1, max_size=5))
def test_any_detail_stays_in_its_cell_on_its_line(details: list[str]) -> None:
    results = [failed(number, Reason.MEDIA_CORRUPT, detail=detail) for number, detail in enumerate(details)]

    rows, _, text = written(job_items(range(len(details)), [False] * len(details), results))

    assert text.count("\n") == 1 + len(details)
    assert [row["contact_id"] for row in rows] == [str(number) for number in range(len(details))]
    for row, detail in zip(rows, details, strict=True):
        assert (
            row["detail"].removeprefix("'").split()
            == "".join(c if c > "\x1f" and c != "\x7f" else " " for c in detail).removeprefix("'").split()
        )
        assert not row["detail"].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_other_programs_read_the_same() -> None:
    results = [delivered(1), failed(2, Reason.MEDIA_CORRUPT, detail='cut off, "moov" is missing')]
    _, _, text = written(job_items([1, 2], [False, False], results))

    read = pyarrow.csv.read_csv(io.BytesIO(text.encode())).to_pylist()

    assert [row["contact_id"] for row in read] == [1, 2]
    assert read[1]["detail"] == 'cut off, "moov" is missing'


def test_the_counts_are_those_of_the_rows() -> None:
    first = job_items(
        [1, 2, 3, 4],
        [False, True, False, False],
        [
            delivered(1),
            failed(3, Reason.MEDIA_MISSING),
            failed(4, Reason.NO_MEDIA),
            delivered(4, "transcript", "data/t"),
        ],
    )
    left_out = excluded_items(
        pa.table(
            {
                "contact_id": pa.array([5, 6, 7, 8], pa.int64()),
                "status": ["faulty", "deferred", "deferred", "already_delivered"],
                "reason": ["CONTACT_GONE", "QUOTA_EXCEEDED", "LIMIT", "ALREADY_DELIVERED"],
            }
        )
    )

    rows, counts, _ = written(first, left_out)

    assert counts.matched == len(rows) == 8
    assert counts.by_status == {
        ItemStatus.DELIVERED: 2,
        ItemStatus.MASKED: 1,
        ItemStatus.FAULTY: 2,
        ItemStatus.DEFERRED: 2,
        ItemStatus.ALREADY_DELIVERED: 1,
    }
    assert counts.by_reason == dict.fromkeys(
        [
            Reason.RECYCLED, Reason.MEDIA_MISSING, Reason.CONTACT_GONE,
            Reason.QUOTA_EXCEEDED, Reason.LIMIT, Reason.ALREADY_DELIVERED, Reason.NO_MEDIA,
        ],
        1,
    )  # fmt: skip
    assert (counts.files, counts.bytes) == (
        {"media": 1, "screen": 0, "transcript": 1},
        {"media": 7, "screen": 0, "transcript": 7},
    )


def test_what_delivered_contacts_do_without_is_counted_and_of_the_others_only_what_decided() -> None:
    items = job_items(
        [1, 2, 3, 4, 5],
        [False, False, False, False, True],
        [
            failed(1, Reason.NO_SCREEN), failed(1, Reason.NO_MEDIA, "screen"),
            failed(2, Reason.NO_MEDIA), failed(2, Reason.NO_TRANSCRIPT, "transcript"),
            failed(3, Reason.MEDIA_MISSING), failed(3, Reason.NO_TRANSCRIPT, "transcript"),
            failed(4, Reason.NO_MEDIA), failed(4, Reason.TRANSCRIPT_CORRUPT, "transcript"),
            delivered(5),
        ],
    )  # fmt: skip

    _, counts, _ = written(items, items.slice(1, 1))

    assert counts.by_reason == {
        Reason.NO_SCREEN: 1,
        Reason.NO_MEDIA: 3,
        Reason.NO_TRANSCRIPT: 2,
        Reason.MEDIA_MISSING: 1,
        Reason.TRANSCRIPT_CORRUPT: 1,
        Reason.RECYCLED: 1,
    }
    deciding = sum(count for reason, count in counts.by_reason.items() if reason not in NOT_APPLICABLE)
    assert counts.matched == counts.by_status[ItemStatus.DELIVERED] + deciding == 6


def test_a_run_without_contacts_has_a_header_and_zeroes() -> None:
    rows, counts, text = written(job_items([], [], []))

    assert (rows, counts.matched, counts.by_reason, text.count("\n")) == ([], 0, {}, 1)
    assert set(counts.by_status) == set(ItemStatus)


def test_the_manifest_gets_exactly_the_files_the_rows_name() -> None:
    items = job_items(
        [1, 2, 3],
        [False, True, False],
        [delivered(1), delivered(1, "screen", "data/s"), delivered(2), failed(3, Reason.MEDIA_CORRUPT)],
    )

    assert [*item_files(items)] == [
        PayloadFile("data/media/0001/1.wav", 7, SHA256),
        PayloadFile("data/s", 7, SHA256),
    ]


def test_categories_and_chunks_are_taken_as_they_come() -> None:
    excluded = pa.table(
        {
            "contact_id": pa.chunked_array([[1], [2, 3]], pa.int32()),
            "status": pa.chunked_array([["deferred"], ["deferred", "deferred"]]).dictionary_encode(),
            "reason": pa.chunked_array([["LIMIT"], ["LIMIT", "LIMIT"]]).cast(pa.large_string()),
        }
    )

    rows, counts, _ = written(excluded_items(excluded))

    assert [row["contact_id"] for row in rows] == ["1", "2", "3"]
    assert counts.by_reason == {Reason.LIMIT: 3}
