"""The trigger forms: what they offer, and what becomes of the answers."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bulk_export.errors import DefinitionError

if TYPE_CHECKING:
    from conftest import Parse


def offered(dag: Any, name: str) -> list[object]:
    values: list[object] = dag.params.get_param(name).schema["enum"]
    return values


def test_the_immediate_form_offers_what_is_configured(parse: Parse) -> None:
    dag = parse().dags["bulk_contact_export_now"]
    assert offered(dag, "search") == ["last-month", "recent-detractors"]
    assert dag.params.get_param("search").schema["values_display"]["last-month"] == "Everything of last month"
    assert offered(dag, "storage_location") == ["archive", "lake"]
    assert offered(dag, "audio_video") == ["none", "mp4", "webm", "wmv", "original"]
    assert offered(dag, "audio_only") == ["none", "wav", "mp3", "ogg", "original"]
    assert offered(dag, "transcripts") == ["none", "json", "xml"]


def test_a_saved_export_may_be_run_untouched_because_every_parameter_has_a_valid_default(parse: Parse) -> None:
    dag = parse().dags["export-weekly-detractors"]
    assert dag.params.validate() == {
        "storage_location": None,
        "started_from": None,
        "started_until": None,
        "limit": None,
        "dry_run": False,
        "retry_failed_of": None,
    }


def test_both_forms_take_every_parameter_a_run_knows(parse: Parse) -> None:
    from bulk_export.definitions.run import ImmediateExport, RunParameters

    dags = parse().dags
    assert set(dags["export-weekly-detractors"].params) == set(RunParameters.model_fields)
    immediate = {*RunParameters.model_fields, *ImmediateExport.model_fields}
    assert set(dags["bulk_contact_export_now"].params) == immediate


def test_an_immediate_export_needs_a_name_a_search_and_a_destination(parse: Parse) -> None:
    params = parse().dags["bulk_contact_export_now"].params
    for name in ("name", "search", "storage_location"):
        with pytest.raises(Exception, match="No value passed"):
            params.get_param(name).resolve()


def test_answers_become_run_parameters() -> None:
    from bulk_export_airflow.parameters import read_run

    run = read_run(
        {"started_from": "2026-11-01", "started_until": "2026-11-30", "limit": 5, "storage_location": "lake"}
    )
    assert (run.started_from, run.started_until) == (date(2026, 11, 1), date(2026, 11, 30))
    assert (run.limit, run.storage_location, run.dry_run) == (5, "lake", False)


def test_answers_of_the_immediate_form_become_an_export_and_run_parameters() -> None:
    from bulk_export_airflow.parameters import read_immediate

    export, run = read_immediate(
        {
            "name": "For the lawyers",
            "search": "last-month",
            "storage_location": "archive",
            "audio_video": "none",
            "audio_only": "mp3",
            "transcripts": "xml",
            "started_from": None,
            "started_until": None,
            "limit": None,
            "dry_run": True,
        }
    )
    assert (export.audio_video, export.audio_only, export.transcripts) == (None, "mp3", "xml")
    assert run.dry_run


def test_parameters_that_cannot_be_used_are_all_named_with_the_nearest_valid_one() -> None:
    from bulk_export_airflow.parameters import read_run

    with pytest.raises(DefinitionError) as refused:
        read_run({"dryrun": True, "limit": 0})
    assert refused.value.code == "PARAMETERS_INVALID"
    words = str(refused.value)
    assert "dryrun: there is no parameter 'dryrun'. Did you mean 'dry_run'?" in words
    assert "limit: 0: " in words


def test_only_the_dag_carries_the_form_because_a_copy_in_each_task_makes_a_thousand_dags_ten_times_slower(
    parse: Parse,
) -> None:
    for dag in parse().dags.values():
        assert dag.params or dag.dag_id == "bulk_export_maintenance"
        assert [task.task_id for task in dag.tasks if task.params] == []


def test_formats_that_are_registered_later_are_offered_by_name(definitions: Path) -> None:
    from bulk_export.definitions.loader import load_definitions
    from bulk_export.formats.media import MEDIA_FORMATS, MediaFormat
    from bulk_export.formats.transcripts import TRANSCRIPT_FORMATS, TranscriptFormat
    from bulk_export_airflow.parameters import immediate_params, read_immediate

    flac = MediaFormat("flac", "FLAC", frozenset({"audio_only"}), "flac", "audio/flac", "flac")
    subtitles = TranscriptFormat("vtt", "WebVTT", "vtt", "text/vtt", "somewhere:as_vtt")
    answers = {"name": "Case", "search": "all", "storage_location": "lake", "audio_only": "flac", "transcripts": "vtt"}
    with MEDIA_FORMATS.registered(flac), TRANSCRIPT_FORMATS.registered(subtitles):
        form = immediate_params(load_definitions(definitions))
        export, _ = read_immediate(answers)
    assert form["audio_only"].schema["enum"] == ["none", "wav", "mp3", "ogg", "original", "flac"]
    assert form["audio_only"].schema["values_display"]["flac"] == "FLAC"
    assert form["audio_video"].schema["enum"] == ["none", "mp4", "webm", "wmv", "original"]
    assert form["transcripts"].schema["values_display"] == {
        "none": "None", "json": "JSON", "xml": "XML", "vtt": "WebVTT",
    }  # fmt: skip
    assert (export.audio_only, export.transcripts) == ("flac", "vtt")
    with pytest.raises(DefinitionError, match="PARAMETERS_INVALID"):
        read_immediate(answers)
