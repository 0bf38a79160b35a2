from __future__ import annotations

import hashlib
import json
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from bulk_export.errors import DefinitionError
from bulk_export.fields import CONTACT_TYPES, CSV_FIELDS, DERIVED_KEYS, RECORDING_TYPES, STORE_FIELDS
from bulk_export_sample import SampleReport, make_sample_store

UNTIL = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
DURATIONS = ("silence", "talk_over", "hold")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    root = tmp_path_factory.mktemp("sample") / "store"
    make_sample_store(root, contacts=2_000, seed=11, until=UNTIL, media=False)
    return table(root).to_pylist()


def table(root: Path) -> pa.Table:
    return pa.concat_tables(pq.ParquetFile(path).read() for path in sorted((root / "contacts").rglob("*.parquet")))


def digests(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("dirt", [False, True])
def test_the_same_arguments_give_the_same_bytes_in_every_file(tmp_path: Path, dirt: bool) -> None:
    for name in ("one", "two"):
        make_sample_store(tmp_path / name, contacts=24, seed=5, until=UNTIL, dirt=dirt)
    one = digests(tmp_path / "one")
    assert len([name for name in one if name.startswith("media/")]) > 8
    assert one == digests(tmp_path / "two")


def test_another_seed_gives_another_store(tmp_path: Path) -> None:
    for seed in (1, 2):
        make_sample_store(tmp_path / str(seed), contacts=50, seed=seed, until=UNTIL, media=False)
    assert table(tmp_path / "1")["started_at"] != table(tmp_path / "2")["started_at"]


def test_columns_have_the_names_and_types_of_the_store_format(tmp_path: Path) -> None:
    make_sample_store(tmp_path / "store", contacts=10, seed=1, until=UNTIL, media=False)
    schema = table(tmp_path / "store").schema
    named = {field.key for field in (*CSV_FIELDS, *STORE_FIELDS)} - DERIVED_KEYS | {"metadata"}
    assert set(schema.names) == named
    expected = {
        "contact_id": pa.int64(),
        "call_duration": pa.int64(),
        "score": pa.int64(),
        "audio_bytes": pa.int64(),
        "silence_ratio": pa.float64(),
        "net_promoter_score": pa.float64(),
        "hr": pa.bool_(),
        "is_root": pa.bool_(),
        "date_evaluated": pa.date32(),
        "started_at": pa.timestamp("us", tz="UTC"),
        "updated_at": pa.timestamp("us", tz="UTC"),
        "contact_type": pa.string(),
        "subject": pa.string(),
        "metadata": pa.map_(pa.string(), pa.string()),
    }
    assert {name: schema.field(name).type for name in expected} == expected


def test_files_lie_by_month_and_are_sorted_by_start_and_id(tmp_path: Path) -> None:
    make_sample_store(tmp_path / "store", contacts=3_000, seed=1, until=UNTIL, media=False)
    folder = tmp_path / "store/contacts"
    assert sorted(str(path.parent.relative_to(folder)) for path in folder.rglob("*.parquet")) == [
        "year=2026/month=09",
        "year=2026/month=10",
        "year=2026/month=11",
    ]
    found = ds.dataset(folder, partitioning="hive").to_table(columns=["started_at", "contact_id", "year", "month"])
    keys = [(row["started_at"], row["contact_id"]) for row in found.to_pylist()]
    assert keys == sorted(keys)
    assert len({contact_id for _, contact_id in keys}) == 3_000
    assert len({started for started, _ in keys}) < 3_000  # some start in the same second
    assert all(
        (row["started_at"].year, row["started_at"].month) == (row["year"], row["month"]) for row in found.to_pylist()
    )


@pytest.mark.parametrize(
    "until", [UNTIL, datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 22, 23, 59, tzinfo=UTC)]
)
@pytest.mark.parametrize("zone", ["UTC", "America/Bogota", "Asia/Tokyo"])
def test_a_third_of_the_contacts_fall_into_the_last_seven_complete_days(
    tmp_path: Path, until: datetime, zone: str
) -> None:
    make_sample_store(tmp_path / "store", contacts=300, seed=4, until=until, media=False)
    started = [moment.astimezone(ZoneInfo(zone)) for moment in table(tmp_path / "store")["started_at"].to_pylist()]
    today = until.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert sum(today - timedelta(days=7) <= moment < today for moment in started) >= 0.3 * 300
    assert all(until - timedelta(days=60) <= moment < until for moment in started)
    assert min(started) < until - timedelta(days=50)


def test_a_year_of_contacts_has_its_last_week_and_its_first(tmp_path: Path) -> None:
    make_sample_store(tmp_path / "store", contacts=300, seed=4, until=UNTIL, days=365, media=False)
    started = table(tmp_path / "store")["started_at"].to_pylist()
    assert sum(moment >= UNTIL - timedelta(days=8) for moment in started) >= 100
    assert min(started) < UNTIL - timedelta(days=340)


def test_three_hundred_contacts_hold_every_type_and_some_roots_and_recycled(tmp_path: Path) -> None:
    make_sample_store(tmp_path / "store", contacts=300, seed=4, until=UNTIL, media=False)
    found = table(tmp_path / "store").to_pylist()
    counts = {kind: sum(row["contact_type"] == kind for row in found) for kind in CONTACT_TYPES}
    assert min(counts.values()) >= 5
    assert 0.5 < counts["CALL"] / 300 < 0.65
    assert 1 <= sum(row["is_root"] for row in found) <= 15
    assert 1 <= sum(row["recycled"] for row in found) <= 15
    assert not any(row["is_root"] and row["recycled"] for row in found)


def test_about_a_third_of_the_predicted_scores_are_below_three_tenths(rows: list[dict[str, object]]) -> None:
    scores = [row["predictive_net_promoter_score"] for row in rows]
    known = [score for score in scores if score is not None]
    assert len(known) > 0.8 * len(rows)
    assert 0.3 < sum(score < 0.3 for score in known) / len(known) < 0.37


def test_silence_talk_over_and_hold_agree_with_the_duration(rows: list[dict[str, object]]) -> None:
    calls = [row for row in rows if row["contact_type"] == "CALL"]
    with_events = 0
    for row in calls:
        for name in DURATIONS:
            count, total = row[f"{name}_events"], row[f"total_{name}"]
            low, average, high = row[f"min_{name}"], row[f"avg_{name}"], row[f"max_{name}"]
            assert row[f"{name}_ratio"] == total / row["call_duration"]
            if count == 0:
                assert (total, low, average, high) == (0, None, None, None)
            else:
                with_events += 1
                assert 1 <= low <= average <= high <= total
                assert average == total // count
                assert count * low <= total <= count * high
                assert low + (count - 1) * high >= total  # so many events can have this sum
        assert sum(row[f"total_{name}"] for name in DURATIONS) <= row["call_duration"]
    assert with_events > len(calls)
    others = [row for row in rows if row["contact_type"] != "CALL"]
    assert all(row["call_duration"] is None and row["total_hold"] is None for row in others)


def test_fields_apply_to_the_types_they_belong_to(rows: list[dict[str, object]]) -> None:
    for field in CSV_FIELDS:
        if field.only_for:
            filled = {row["contact_type"] for row in rows if row[field.key] is not None}
            assert filled == field.only_for, field.key
        if field.values:
            assert {row[field.key] for row in rows} - {None} <= set(field.values), field.key
    assert {row["recording_type"] for row in rows} - {None} <= set(RECORDING_TYPES)
    calls = [row for row in rows if row["contact_type"] == "CALL"]
    assert 0.03 < sum(row["calling_number"] is None for row in calls) / len(calls) < 0.15
    addresses = [row[name] for row in rows for name in ("from_address", "to_address") if row[name]]
    assert all(one.strip().endswith("@example.com") for each in addresses for one in each.replace(";", ",").split(","))


def test_subjects_hold_what_spreadsheets_and_readers_stumble_over(rows: list[dict[str, object]]) -> None:
    subjects = {row["subject"] for row in rows} - {None}
    for sign in (",", '"', "\n", "🎉", "=HYPERLINK", "@SUM"):
        assert any(sign in subject for subject in subjects), sign
    assert max(map(len, subjects)) > 1_000


def test_contacts_are_updated_after_they_start_and_evaluated_on_that_day_or_later(
    rows: list[dict[str, object]],
) -> None:
    assert all(row["started_at"] < row["updated_at"] <= UNTIL for row in rows)
    evaluated = [row for row in rows if row["date_evaluated"]]
    assert all(row["started_at"].date() <= row["date_evaluated"] <= UNTIL.date() for row in evaluated)
    assert all((row["score"] is not None) == (row["state"] in ("Scored", "Needs Approval")) for row in rows)


def test_metadata_holds_keys_that_are_exportable_and_one_that_is_not(rows: list[dict[str, object]]) -> None:
    keys = [tuple(key for key, _ in row["metadata"]) for row in rows]
    assert set(keys) == {
        ("account-key", "internal-note-key", "service-key"),
        ("account-key", "internal-note-key"),
        (),
    }
    assert all(value for row in rows for _, value in row["metadata"])


def test_without_media_there_are_no_objects_and_no_uris(tmp_path: Path) -> None:
    report = make_sample_store(tmp_path / "store", contacts=500, seed=2, until=UNTIL, media=False)
    found = table(tmp_path / "store")
    assert (report.media_files, report.transcript_files) == (0, 0)
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == ["contacts", "sample-store.json"]
    for name in ("audio_uri", "screen_uri", "transcript_uri", "audio_bytes", "screen_bytes"):
        assert found[name].null_count == 500
    assert found["text"].null_count < 100


def test_batches_join_without_a_seam(tmp_path: Path) -> None:
    report = make_sample_store(tmp_path / "store", contacts=130_000, seed=2, until=UNTIL, media=False)
    found = ds.dataset(tmp_path / "store/contacts").to_table(columns=["contact_id", "started_at", "metadata"])
    assert report.contacts == found.num_rows == 130_000
    assert found["contact_id"].to_pylist() == list(range(100_001, 230_001))
    started = found["started_at"].cast(pa.int64()).to_numpy()
    assert (started[1:] >= started[:-1]).all()


def test_the_same_call_again_changes_nothing_and_reports_the_same(tmp_path: Path) -> None:
    def make() -> SampleReport:
        return make_sample_store(tmp_path / "store", contacts=20, seed=2, until=UNTIL, media=False)

    first = make()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert make() == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert first.bytes == sum(path.stat().st_size for path in (tmp_path / "store/contacts").rglob("*.parquet"))


def test_until_in_another_zone_is_the_same_moment_and_the_same_store(tmp_path: Path) -> None:
    first = make_sample_store(tmp_path / "store", contacts=20, seed=2, until=UNTIL, media=False)
    local = UNTIL.astimezone(ZoneInfo("America/Bogota"))
    assert make_sample_store(tmp_path / "store", contacts=20, seed=2, until=local, media=False) == first


@pytest.mark.parametrize(("seed", "words"), [(2, "not empty"), (3, "other arguments")])
def test_a_directory_with_other_things_in_it_is_refused_and_left_alone(tmp_path: Path, seed: int, words: str) -> None:
    store = tmp_path / "store"
    if seed == 3:
        make_sample_store(store, contacts=20, seed=2, until=UNTIL, media=False)
    else:
        store.mkdir()
        (store / "notes.txt").write_text("mine")
    before = digests(tmp_path)
    with pytest.raises(DefinitionError, match=words) as refused:
        make_sample_store(store, contacts=20, seed=seed, until=UNTIL, media=False)
    assert refused.value.code == "DIRECTORY_NOT_EMPTY"
    assert refused.value.hint
    assert digests(tmp_path) == before


def test_an_empty_directory_is_filled_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    make_sample_store(tmp_path / "store", contacts=5, seed=2, until=UNTIL, media=False)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    marker = json.loads((tmp_path / "store/sample-store.json").read_text())
    assert marker["arguments"]["until"] == "2026-11-23T15:30:00+00:00"


def test_a_build_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    def broken(done: int, contacts: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_sample_store(tmp_path / "store", contacts=5, seed=2, until=UNTIL, media=False, progress=broken)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DefinitionError, match="DIRECTORY_UNWRITABLE"):
        make_sample_store(tmp_path / "file/store", contacts=5, seed=2, until=UNTIL, media=False)


def test_nonsense_is_refused_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"contacts is 0.*seed is -1.*time zone.*audio_bytes is 10") as refused:
        make_sample_store(tmp_path / "store", contacts=0, seed=-1, until=UNTIL.replace(tzinfo=None), audio_bytes=10)
    assert refused.value.code == "SAMPLE_ARGUMENTS"
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_all_contacts(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    report = make_sample_store(
        tmp_path / "store", contacts=30, seed=2, until=UNTIL, media=False, progress=lambda *each: heard.append(each)
    )
    assert heard[-1] == (30, 30)
    assert astuple(report)[:3] == (30, 0, 0)
