"""The first stage: a record with the definitions frozen in it, or with the reason why the run is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bulk_export import pipeline
from bulk_export.definitions.run import RunSnapshot
from bulk_export.errors import DefinitionError, TransientError
from bulk_export.stages.validate_filters import validate_filters
from bulk_export.state.events import list_events
from bulk_export.state.records import RunStatus

if TYPE_CHECKING:
    from workbench import Workbench


def test_the_record_holds_what_will_be_done_and_where(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export(transcripts="xml", media={"audio_only": "mp3"})
    request = bench.request()

    assert validate_filters(bench.site(), request) == request.run_id

    record = bench.site().reread(request.run_id)
    assert (record.status, record.export_id, record.destination_name) == (RunStatus.RUNNING, "nightly", "archive")
    assert record.formats == {"audio_video": "none", "audio_only": "mp3", "transcripts": "xml", "csv": "standard"}
    assert record.directory == f"Nightly/20261123T080000Z_{record.run_key}"
    assert RunSnapshot.model_validate_json(record.definitions).search.id == "everything"
    assert [event.action for event in list_events(bench.site().engine, limit=5)] == ["triggered"]


def test_definitions_edited_since_do_not_change_a_run_that_has_begun(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export()
    request = bench.request()
    validate_filters(bench.site(), request)
    first = bench.site().reread(request.run_id)
    bench.export(name="Renamed", transcripts="xml")

    validate_filters(bench.site(), request)

    assert bench.site().reread(request.run_id).definitions == first.definitions


def test_a_refused_run_has_a_record_with_the_error_and_takes_the_fixed_definitions_later(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.search("everything", {"field": "started_at", "operator": "after"})
    bench.export()
    request = bench.request()
    with pytest.raises(DefinitionError, match="FILTER_INCOMPLETE"):
        validate_filters(bench.site(), request)
    record = bench.site().reread(request.run_id)
    assert (record.error_code, record.failed_stage, record.definitions) == (
        "FILTER_INCOMPLETE",
        "validate_filters",
        "",
    )

    pipeline.write_audit(bench.site(), request.run_id, ("validate_filters",))

    bench.search("everything")
    validate_filters(bench.site(), request)

    fixed = bench.site().reread(request.run_id)
    assert (fixed.error_code, bool(fixed.definitions)) == ("", True)


def test_a_refused_run_that_is_cleared_before_its_audit_is_written_takes_the_fixed_definitions(
    bench: Workbench,
) -> None:
    bench.contacts([bench.call(1)])
    bench.search("everything", {"field": "started_at", "operator": "after"})
    bench.export()
    request = bench.request()
    for _ in range(2):
        with pytest.raises(DefinitionError, match="FILTER_INCOMPLETE"):
            validate_filters(bench.site(), request)
    with pytest.raises(DefinitionError, match=r"DEFINITION_INVALID.*refused.*\n.*from validate_filters on"):
        pipeline.check_quota(bench.site(), request.run_id)

    bench.search("everything")
    validate_filters(bench.site(), request)

    fixed = bench.site().reread(request.run_id)
    assert (fixed.status, fixed.error_code, bool(fixed.definitions)) == (RunStatus.RUNNING, "", True)
    assert pipeline.run_export(bench.site(), request).status is RunStatus.COMPLETED


def test_a_request_that_makes_no_sense_is_refused_in_the_audit(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export()
    refusal = DefinitionError("PARAMETERS_INVALID", "limit: must be a number")
    request = bench.request(refusal=refusal)

    with pytest.raises(DefinitionError, match="PARAMETERS_INVALID"):
        validate_filters(bench.site(), request)

    assert bench.site().reread(request.run_id).error_code == "PARAMETERS_INVALID"


@pytest.mark.parametrize(("dry_run", "refused"), [(False, True), (True, False)])
def test_a_destination_that_cannot_be_written_stops_all_but_a_dry_run(
    bench: Workbench, dry_run: bool, refused: bool
) -> None:
    bench.contacts([bench.call(1)])
    bench.export()
    (bench.root / "exports").write_text("a file where the folder should be")
    request = bench.request(parameters={"dry_run": dry_run})
    if not refused:
        assert validate_filters(bench.site(), request) == request.run_id
        return

    with pytest.raises(TransientError, match="STORAGE_UNREACHABLE"):
        validate_filters(bench.site(), request)

    assert bench.site().reread(request.run_id).failed_stage == "validate_filters"
