"""A stage is one entry of the registry, and what cannot be one is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import output_reference
from bulk_export import pipeline
from bulk_export.stage_registry import STAGES, Phase, Results, Stage
from bulk_export_console import wording

SUMMARIES = Stage(
    "summarise",
    "Write a summary of each contact.",
    Phase.DELIVER,
    label="Summaries",
    per_job=True,
    results=Results("summaries", ("summary",), "summary_reason"),
)


@pytest.fixture
def summaries() -> Iterator[Stage]:
    STAGES.register(SUMMARIES)
    yield SUMMARIES
    STAGES.unregister(SUMMARIES.name)


def test_each_stage_is_a_function_of_the_pipeline_and_of_a_module_of_its_name() -> None:
    for name in STAGES:
        assert callable(getattr(pipeline, name))
    assert STAGES[0] == "validate_filters"
    assert STAGES[1:3] == ("check_quota", "batch_contacts")


def test_a_registered_stage_takes_its_place_among_those_of_its_phase(summaries: Stage) -> None:
    assert pipeline.STAGES[-3:] == ("summarise", "publish_manifest", "write_audit")
    assert STAGES.named("summarise") is summaries
    assert [results.journal for _, results in STAGES.with_results()] == ["media", "transcripts", "summaries"]


def test_what_a_stage_says_of_contacts_is_awaited_where_a_run_wants_it(summaries: Stage) -> None:
    formats = {"audio_video": "none", "audio_only": "mp3", "transcripts": "none"}
    assert [stage.name for stage, _ in STAGES.with_results(formats)] == ["copy_media", "summarise"]
    assert [stage.name for stage, _ in STAGES.with_results({})] == ["summarise"]


def test_its_columns_are_in_the_reference_of_items_csv(summaries: Stage) -> None:
    assert "| `summary_reason` | why there is no summary |" in output_reference.items()
    assert "| `summary_file` | path of its summary |" in output_reference.items()
    assert "| `transcript_reason` | why there is no transcript |" in output_reference.items()


def test_pages_call_it_by_its_label(summaries: Stage) -> None:
    assert wording.stage_labels() == {
        "copy_media": "Media",
        "export_transcripts": "Transcripts",
        "build_csv": "CSV",
        "summarise": "Summaries",
    }


def test_only_stages_that_write_are_left_out_by_a_dry_run_and_jobs_are_skipped_where_there_are_none() -> None:
    always = [stage.name for stage in STAGES.all() if stage.always_runs]
    assert always == ["validate_filters", "check_quota", "batch_contacts", "build_csv", "publish_manifest"]
    assert [stage.name for stage in STAGES.all() if stage.always_runs and not stage.writes] == always[:3]


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (replace(SUMMARIES, name="copy_media"), "already"),
        (replace(SUMMARIES, phase=Phase.CLOSE), "are given"),
        (replace(SUMMARIES, phase=Phase.SELECT), "are given"),
        (replace(SUMMARIES, phase=Phase.PUBLISH), "only a stage that delivers"),
    ],
)
def test_a_stage_that_cannot_be_is_refused(stage: Stage, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        STAGES.register(stage)


def test_a_stage_nobody_implements_raises() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"bulk_export\.stages\.summarise"):
        SUMMARIES.call()
