"""contacts.csv has a row for each contact of the jobs, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from bulk_export.stages.build_csv import build_csv, delivered_tables
from bulk_export.state.progress import list_progress

if TYPE_CHECKING:
    from workbench import Workbench

    from conftest import WithJobs


def test_each_contact_of_every_job_has_a_row(bench: Workbench, with_jobs: WithJobs) -> None:
    from workbench import read_csv

    bench.write_settings(licence={"type": "performance", "job_contacts": 2})
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2, 3)])
    run = with_jobs()

    counts = build_csv(run.site, run.record.run_id)

    assert counts is not None
    assert counts["rows"] == 3
    path = bench.directory(run.record) / "data/contacts.csv"
    assert len(read_csv(path)) == 3
    assert [(file.path, file.bytes) for file in delivered_tables(run)] == [("data/contacts.csv", path.stat().st_size)]
    [known] = [one for one in list_progress(run.site.engine, run.record.run_id) if one.stage == "build_csv"]
    assert (known.done, known.total) == (3, 3)


def test_metadata_parquet_is_a_second_table_of_the_same_rows(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    run = with_jobs(csv={"metadata_parquet": True})

    build_csv(run.site, run.record.run_id)

    assert [file.path for file in delivered_tables(run)] == ["data/contacts.csv", "data/contacts.parquet"]
    assert pq.read_table(bench.directory(run.record) / "data/contacts.parquet").num_rows == 2


def test_a_table_that_is_stored_already_is_not_made_again(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs()
    build_csv(run.site, run.record.run_id)
    path = bench.directory(run.record) / "data/contacts.csv"
    before = path.stat().st_mtime_ns

    assert build_csv(run.site, run.record.run_id) == {}

    assert path.stat().st_mtime_ns == before


def test_a_table_that_somebody_truncated_is_made_again(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs()
    build_csv(run.site, run.record.run_id)
    path = bench.directory(run.record) / "data/contacts.csv"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])

    build_csv(run.site, run.record.run_id)

    assert path.read_bytes() == whole


def test_a_dry_run_writes_nothing(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs(parameters={"dry_run": True})
    assert build_csv(run.site, run.record.run_id) is None
    assert not (bench.root / "exports").exists()
