"""Runs through Airflow's real scheduler: what people would see in its UI, in the audit and in the directory."""

from __future__ import annotations

from pathlib import Path

import bagit
import pytest

from bulk_export.pipeline import STAGES
from local_airflow.api import ApiError
from local_airflow.watch import Watch
from running_airflow import Running

IMMEDIATE = {
    "name": "For the lawyers",
    "search": "recent",
    "storage_location": "archive",
    "transcripts": "xml",
    "limit": 2,
}
# DAG and run, by what is special about it.
Begun = dict[str, tuple[str, str]]
RUNS: dict[str, tuple[str, dict[str, object]]] = {
    "whole": ("export-calls", {}),
    "incomplete": ("export-incomplete", {}),
    "empty": ("export-empty", {}),
    "dry": ("export-calls", {"dry_run": True, "storage_location": "dry"}),
    "limited": ("export-calls", {"limit": 3, "storage_location": "other"}),
    "misspelt": ("export-calls", {"dryrun": True}),
    "immediate": ("bulk_contact_export_now", IMMEDIATE),
}


@pytest.fixture(scope="module")
def begun(airflow: Running) -> Begun:
    """Runs that have nothing to do with each other, all under way at once."""
    # Airflow finds these two by itself; nobody asks for it.
    (airflow.definitions / "exports/broken.yaml").write_text("name: Broken\nsearch: recent\nstorage: archive\n")
    (airflow.definitions / "exports/added.yaml").write_text(
        "name: Added\nsearch: none\nstorage_location: archive\ntranscripts: json\n"
    )
    return {name: (dag_id, airflow.api.trigger(dag_id, conf)) for name, (dag_id, conf) in RUNS.items()}


def test_an_export_delivers_a_valid_bag_and_its_audit_is_completed(
    airflow: Running, begun: Begun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Watch(airflow.api, airflow.definitions, print).follow(*begun["whole"], limit_s=300) == "success"
    assert "publish_manifest" in capsys.readouterr().out
    done = airflow.follow(*begun["whole"])
    assert done.state == "success"
    assert {task: states for task, states in done.states().items() if states != {"success"}} == {}
    assert set(done.tasks) == set(STAGES)
    record = done.record
    assert record.status == "COMPLETED"
    assert record.matched
    assert record.matched == record.granted == record.exported
    assert len(done.tasks["copy_media"]) == record.jobs == -(-record.matched // 10)
    bagit.Bag(str(done.directory)).validate()
    assert len((done.directory / "data/contacts.csv").read_text().splitlines()) == record.matched + 1
    assert (record.trigger, record.triggered_by) == ("manual", "admin")
    assert record.dag_run_url.startswith(airflow.api.url)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system tells nobody what processes have loaded")
def test_the_scheduler_has_loaded_for_its_tasks_what_each_would_load(airflow: Running) -> None:
    in_memory = Path(f"/proc/{airflow.scheduler().pid}/maps").read_text()
    assert all(library in in_memory for library in ("/pyarrow/", "/pandas/", "duckdb"))


def test_an_incomplete_filter_fails_the_run_once_and_the_audit_says_which(airflow: Running, begun: Begun) -> None:
    done = airflow.follow(*begun["incomplete"])
    assert done.state == "failed"
    assert done.states()["validate_filters"] == {"failed"}
    assert done.tasks["validate_filters"][0]["try_number"] == 1
    assert done.states()["write_audit"] == {"failed"}  # with the run: Airflow judges a run by its last task
    assert {done.states()[stage].pop() for stage in STAGES[1:-1]} == {"upstream_failed"}
    record = done.record
    assert (record.status, record.error_code, record.failed_stage) == (
        "FAILED",
        "FILTER_INCOMPLETE",
        "validate_filters",
    )
    words = "filters[1] predictive_net_promoter_score equals: value is missing"
    assert words in record.error_message
    assert words in airflow.api.log(done.dag_id, done.run_id, "validate_filters")
    assert record.quota_used in {0, None}
    assert not list((airflow.root / "exports").glob("incomplete*"))


def test_an_export_that_matches_nobody_completes_empty(airflow: Running, begun: Begun) -> None:
    done = airflow.follow(*begun["empty"])
    assert done.state == "success"
    assert done.states()["copy_media"] == {"skipped"}
    assert done.states()["publish_manifest"] == {"success"}
    assert (done.record.status, done.record.matched) == ("COMPLETED_EMPTY", 0)


def test_a_dry_run_writes_and_charges_nothing_and_reports_what_would_be_exported(
    airflow: Running, begun: Begun
) -> None:
    done = airflow.follow(*begun["dry"])
    assert done.state == "success"
    assert done.states()["build_csv"] == done.states()["publish_manifest"] == {"skipped"}
    record = done.record
    assert record.status == "COMPLETED"
    assert record.matched
    assert record.dry_run_report
    assert record.quota_used in {0, None}
    assert done.directory.parent.parent == airflow.root / "dry"
    assert list((airflow.root / "dry").rglob("*")) == []


def test_run_parameters_change_one_run_only(airflow: Running, begun: Begun) -> None:
    done = airflow.follow(*begun["limited"])
    assert done.state == "success"
    assert done.record.exported == 3
    assert done.directory.is_relative_to(airflow.root / "elsewhere")
    bagit.Bag(str(done.directory)).validate()


def test_an_unknown_parameter_is_refused_by_the_run_with_the_nearest_valid_one(airflow: Running, begun: Begun) -> None:
    done = airflow.follow(*begun["misspelt"])
    assert done.state == "failed"
    log = airflow.api.log(done.dag_id, done.run_id, "validate_filters")
    words = "dryrun: there is no parameter 'dryrun'. Did you mean 'dry_run'?"
    assert words in log
    assert (done.record.status, done.record.error_code) == ("FAILED", "PARAMETERS_INVALID")
    assert words in done.record.error_message


def test_a_parameter_of_the_wrong_type_is_refused_before_there_is_a_run(airflow: Running) -> None:
    with pytest.raises(ApiError, match="limit"):
        airflow.api.trigger("export-calls", {"limit": "many"})


def test_an_immediate_export_runs_without_being_saved(airflow: Running, begun: Begun) -> None:
    done = airflow.follow(*begun["immediate"])
    assert done.state == "success"
    assert (done.record.export_name, done.record.exported) == ("For the lawyers", 2)
    assert not (done.directory / "data/media").exists()
    bagit.Bag(str(done.directory)).validate()


def test_a_tick_that_fell_before_the_dag_was_up_still_runs_and_runs_once(airflow: Running) -> None:
    runs = airflow.until("the tick is caught up with", lambda: airflow.runs_of("export-late"))
    done = airflow.follow("export-late", runs[0]["dag_run_id"])
    assert (done.state, done.record.trigger) == ("success", "schedule")
    assert len(airflow.runs_of("export-late")) == 1


def test_a_new_export_becomes_a_dag_at_the_refresh_and_a_broken_one_shows_as_import_error(
    airflow: Running, begun: Begun
) -> None:
    airflow.until("after the refresh", lambda: "export-added" in airflow.api.dag_ids())
    errors = airflow.until("there is an import error", airflow.import_errors)
    assert (
        "exports/broken.yaml:3 storage: unknown key 'storage'. Did you mean 'storage_location'?"
        in (errors[0]["stack_trace"])
    )
    assert {"export-calls", "export-added"} <= set(airflow.api.dag_ids())
    assert airflow.run("export-added").state == "success"


def test_a_run_that_somebody_stops_is_cancelled_in_the_audit_and_gives_its_quota_back(airflow: Running) -> None:
    run_id = airflow.api.trigger("export-calls")
    airflow.until("it is open", lambda: airflow.tasks("export-calls", run_id, "validate_filters", "success"))
    airflow.api.request("PATCH", f"/dags/export-calls/dagRuns/{run_id}", {"state": "failed"})
    done = airflow.follow("export-calls", run_id)
    assert done.states()["publish_manifest"] == {"skipped"}
    assert done.state == "failed"
    assert done.states()["write_audit"] == {"failed"}
    assert done.record.status == "CANCELLED"
    assert done.record.quota_used in {0, None}
    assert not (done.directory / "tagmanifest-sha256.txt").exists()
