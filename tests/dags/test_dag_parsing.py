"""The DAG files as a product: what they give for the definitions that are there, and for broken ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bulk_export.errors import DefinitionError, RefusedError, TransientError
from bulk_export.pipeline import STAGES

if TYPE_CHECKING:
    from conftest import Parse

PROJECT = Path(__file__).resolve().parents[2]

# The flow as the specification draws it; write_audit waits for every stage, so that it never closes a run under way.
EDGES = {
    "validate_filters": {"check_quota", "write_audit"},
    "check_quota": {"batch_contacts", "write_audit"},
    "batch_contacts": {"copy_media", "export_transcripts", "build_csv", "write_audit"},
    "copy_media": {"publish_manifest", "write_audit"},
    "export_transcripts": {"publish_manifest", "write_audit"},
    "build_csv": {"publish_manifest", "write_audit"},
    "publish_manifest": {"write_audit"},
    "write_audit": set(),
}

MAPPED = ("copy_media", "export_transcripts")
NOW, MAINTENANCE = "bulk_contact_export_now", "bulk_export_maintenance"


def export_dags(bag: Any) -> list[Any]:
    """The DAGs that export: of saved exports, and the immediate one."""
    return [dag for dag_id, dag in bag.dags.items() if dag_id != MAINTENANCE]


def serialized(dag: Any) -> dict[str, Any]:
    from airflow.serialization.serialized_objects import DagSerialization

    found: dict[str, Any] = DagSerialization.to_dict(dag)
    return found


def test_every_saved_export_is_a_dag_and_so_is_the_immediate_one(parse: Parse) -> None:
    bag = parse()
    saved = {f"export-{path.stem}" for path in (PROJECT / "include/definitions/exports").glob("*.yaml")}
    assert bag.import_errors == {}
    assert set(bag.dags) == saved | {NOW, MAINTENANCE}
    assert saved


def test_every_dag_has_the_stages_of_the_pipeline_with_the_edges_of_the_specification(parse: Parse) -> None:
    for dag in export_dags(parse()):
        assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == EDGES
    assert tuple(EDGES) == STAGES


def test_every_dag_survives_serialisation(parse: Parse) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in parse().dags.values():
        again = DagSerialization.from_dict(serialized(dag))
        expected = {task.task_id: task.downstream_task_ids for task in dag.tasks}
        assert {task.task_id: task.downstream_task_ids for task in again.tasks} == expected


def test_parsing_again_gives_the_same_dags_so_that_no_versions_pile_up(parse: Parse) -> None:
    first, second = parse().dags, parse().dags
    assert {dag_id: serialized(dag) for dag_id, dag in first.items()} == {
        dag_id: serialized(dag) for dag_id, dag in second.items()
    }


def test_every_task_is_documented_in_the_ui(parse: Parse) -> None:
    for dag in parse().dags.values():
        for task in dag.tasks:
            assert task.doc_md if task.task_id not in MAPPED else task.partial_kwargs["doc_md"], task.task_id


def test_every_task_that_airflow_could_not_start_is_tried_again(parse: Parse) -> None:
    for dag in parse().dags.values():
        assert {task.retries for task in dag.tasks} == {3}


@pytest.mark.parametrize(
    ("error", "stage_retries"),
    [
        (DefinitionError("FILTER_INCOMPLETE", ""), False),
        (RefusedError("QUOTA_EXCEEDED", ""), False),
        (TransientError("STORAGE_UNREACHABLE", ""), True),
        (OSError(), True),
    ],
)
def test_a_stage_is_retried_unless_somebody_has_to_mend_something_first_and_validating_never_is(
    parse: Parse, error: Exception, stage_retries: bool
) -> None:
    from airflow.sdk import RetryAction

    dag = parse().dags["export-weekly-detractors"]
    for task in dag.tasks:
        action = task.retry_policy.evaluate(error, try_number=1, max_tries=3).action
        retried = stage_retries and task.task_id != "validate_filters"
        assert action is (RetryAction.DEFAULT if retried else RetryAction.FAIL), task.task_id


def test_only_the_audit_is_a_teardown_and_it_has_no_setup_that_could_skip_it(parse: Parse) -> None:
    for dag in export_dags(parse()):
        assert {task.task_id for task in dag.tasks if task.is_teardown} == {"write_audit"}
        assert not any(task.is_setup for task in dag.tasks)


def test_a_lost_follow_up_is_queued_whatever_became_of_closing_and_without_waiting_for_anybody_to_be_told(
    parse: Parse,
) -> None:
    dag = parse().dags[MAINTENANCE]
    close, notify = "close_abandoned_run", "notify_about_run"
    find = dag.get_task("find_lost_follow_ups")
    assert (find.upstream_task_ids, find.trigger_rule) == ({close}, "all_done")
    assert dag.get_task("queue_follow_up_run").upstream_task_ids == {"find_lost_follow_ups"}
    # Each run's own: a run that could not be closed fails the task that would tell of it, and with that the DAG run.
    assert dag.get_task(notify).upstream_task_ids == {close}
    assert dag.get_task(notify).downstream_task_ids == set()
    assert {task.task_id for task in dag.tasks if task.get_closest_mapped_task_group()} == {close, notify}


def test_a_saved_export_says_in_the_ui_what_it_is(parse: Parse, definitions: Path) -> None:
    (definitions / "exports/weekly-detractors.yaml").write_text(
        "name: Détracteurs 批评者\nsearch: recent-detractors\nstorage_location: archive\nowner: legal\n"
        'schedule: {monthly: {day: 31, time: "23:00"}, time_zone: Asia/Tokyo}  # the archive closes at midnight\n'
    )
    dag = parse().dags["export-weekly-detractors"]
    assert dag.dag_display_name == "Détracteurs 批评者"
    assert dag.owner == "legal"
    assert dag.tags == {"bulk export", "monthly"}
    assert "# the archive closes at midnight" in str(dag.doc_md)
    assert "predictive_net_promoter_score" in str(dag.doc_md)
    assert (dag.catchup, dag.is_paused_upon_creation) == (False, False)


@pytest.mark.parametrize(("incremental", "overlap"), [(False, True), (True, False)])
def test_runs_may_overlap_where_no_contact_is_delivered_twice_by_it_and_every_run_has_an_end(
    parse: Parse, definitions: Path, incremental: bool, overlap: bool
) -> None:
    """A follow-up run that waits for tomorrow's quota counts as active, and must not hold up today's schedule."""
    with (definitions / "exports/weekly-detractors.yaml").open("a") as file:
        file.write(f"incremental: {str(incremental).lower()}\n")
    dag = parse().dags["export-weekly-detractors"]
    assert (dag.max_active_runs > 1) is overlap
    assert dag.dagrun_timeout is not None


def test_pools_and_limits_of_the_settings_bound_what_tasks_may_take(parse: Parse, definitions: Path) -> None:
    settings = (definitions / "settings.yaml").read_text()
    settings = settings.replace("type: parquet,", "type: parquet, pool: source,")
    settings = settings.replace("archive: {type: local,", "archive: {type: local, pool: archive,")
    (definitions / "settings.yaml").write_text(f"{settings}limits: {{jobs_at_once: 3}}\n")
    dags = parse().dags
    tasks = dags["export-weekly-detractors"].tasks
    assert {task.task_id: task.pool for task in tasks} == {
        "validate_filters": "default_pool",
        "check_quota": "source",
        "batch_contacts": "source",
        "copy_media": "archive",
        "export_transcripts": "archive",
        "build_csv": "archive",
        "publish_manifest": "archive",
        "write_audit": "default_pool",
    }
    assert {task.task_id for task in tasks if task.max_active_tis_per_dagrun == 3} == {
        "copy_media",
        "export_transcripts",
    }
    assert dags["bulk_contact_export_now"].get_task("batch_contacts").pool == "source"


def test_an_export_that_tells_somebody_has_one_more_teardown_after_the_audit(parse: Parse, definitions: Path) -> None:
    with (definitions / "exports/weekly-detractors.yaml").open("a") as file:
        file.write("notify: {email: [legal@example.com]}\n")
    dag = parse().dags["export-weekly-detractors"]
    assert {task.task_id for task in dag.tasks} == {*STAGES, "notify"}
    assert dag.get_task("notify").is_teardown
    assert dag.get_task("notify").upstream_task_ids == {"write_audit"}


def test_what_is_delivered_is_an_asset_that_others_can_wait_for(parse: Parse) -> None:
    [alias] = parse().dags["export-weekly-detractors"].get_task("publish_manifest").outlets
    # An alias, because Airflow fails a task whose asset it has not activated yet, which takes it up to a minute.
    assert (type(alias).__name__, alias.name) == ("AssetAlias", "bulk_export/weekly-detractors")


@pytest.mark.parametrize("line", ["enabled: false", "schedule: null"])
def test_an_export_that_is_disabled_or_on_demand_keeps_its_dag_and_has_no_schedule(
    parse: Parse, definitions: Path, line: str
) -> None:
    path = definitions / "exports/weekly-detractors.yaml"
    kept = [row for row in path.read_text().splitlines() if not row.startswith(line.split(":")[0])]
    path.write_text("\n".join([*kept, line, ""]))
    dag = parse().dags["export-weekly-detractors"]
    assert dag.schedule is None


@pytest.mark.faults("definitions")
def test_a_broken_definition_leaves_its_siblings_up_and_the_import_error_names_every_problem(
    parse: Parse, definitions: Path
) -> None:
    (definitions / "exports/bad.yaml").write_text(
        "name: Bad\nsearch: recent-detractors\nstorage_location: archive\nmedia: {audio_only: mp33}\ntranscript: json\n"
    )
    bag = parse()
    assert set(bag.dags) == {"export-weekly-detractors", "export-monthly-archive", NOW, MAINTENANCE}
    [(file, text)] = bag.import_errors.items()
    assert Path(file).name == "broken_definitions.py"
    assert (
        "exports/bad.yaml:4 media.audio_only: 'mp33' is not one of wav, mp3, ogg, original. Did you mean 'mp3'?" in text
    )
    assert "exports/bad.yaml:5" in text
    assert "'transcripts'" in text


def test_without_settings_every_export_keeps_its_dag_and_the_import_error_says_why_none_can_run(
    parse: Parse, definitions: Path
) -> None:
    (definitions / "settings.yaml").write_text("environment: {name: acme}\n")
    bag = parse()
    assert set(bag.dags) == {"export-weekly-detractors", "export-monthly-archive", NOW, MAINTENANCE}
    assert "settings.yaml" in "".join(bag.import_errors.values())


def test_an_incomplete_filter_is_no_import_error_because_its_dag_appears_and_its_run_says_so(
    parse: Parse, definitions: Path
) -> None:
    (definitions / "searches/recent-detractors.yaml").write_text(
        "name: Detractors\nfilters:\n  - {field: predictive_net_promoter_score, operator: equals}\n"
    )
    bag = parse()
    assert bag.import_errors == {}
    assert "export-weekly-detractors" in bag.dags


@pytest.mark.parametrize("dag_id", ["export-weekly-detractors", "bulk_contact_export_now"])
def test_a_task_that_starts_parses_only_its_own_dag(
    parse: Parse, definitions: Path, monkeypatch: pytest.MonkeyPatch, dag_id: str
) -> None:
    (definitions / "exports/bad.yaml").write_text("name: Bad\n")
    bag = parse()
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
    bag = parse()
    assert set(bag.dags) - {NOW} == {dag_id} - {NOW}
    assert bag.import_errors == {}


@pytest.mark.slow
def test_parsing_imports_nothing_that_only_a_running_stage_needs() -> None:
    program = (
        "import saved_exports, bulk_contact_export_now, bulk_export_maintenance, broken_definitions, sys\n"
        "heavy = {'pyarrow', 'duckdb', 'pandas', 'numpy', 'av', 'obstore', 'lxml', 'alembic', 'boto3'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT / "dags", capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_one_more_stage_is_one_more_task_in_its_place(parse: Parse) -> None:
    from bulk_export.stage_registry import STAGES as REGISTRY
    from bulk_export.stage_registry import Load, Phase, Stage

    summary = "Write one line about each contact."
    REGISTRY.register(
        Stage("summarise", summary, Phase.DELIVER, per_job=True, load=Load.DESTINATION, after=("copy_media",))
    )
    REGISTRY.register(Stage("sign", "Sign the directory.", Phase.PUBLISH))
    try:
        for dag in export_dags(parse()):
            edges = {task.task_id: task.downstream_task_ids for task in dag.tasks}
            assert set(edges) == {*EDGES, "summarise", "sign"}
            assert edges["batch_contacts"] == EDGES["batch_contacts"] | {"summarise"}
            assert edges["copy_media"] == EDGES["copy_media"] | {"summarise"}
            assert edges["summarise"] == {"publish_manifest", "write_audit"}
            assert edges["publish_manifest"] == {"sign", "write_audit"}
            assert edges["sign"] == {"write_audit"}
            assert dag.get_task("summarise").partial_kwargs["doc_md"] == summary
    finally:
        REGISTRY.unregister("summarise")
        REGISTRY.unregister("sign")
