"""How far a run is: contacts done over contacts to do, all delivering stages together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bulk_export.state.progress import StageProgress
from bulk_export.state.records import OPEN, RunRecord


@dataclass(frozen=True, slots=True)
class Progress:
    """What a progress bar shows.

    Attributes:
        status: the run's status.
        percent: from 0 to 100; None while it is not known how much there is to do.
        stages: per stage contacts done and contacts in all.
    """

    status: str
    percent: int | None
    stages: Mapping[str, tuple[int, int]]


def progress_of(record: RunRecord, stages: Sequence[StageProgress]) -> Progress:
    """The progress of a run; a stage that has not begun counts with all its contacts still to do."""
    formats = record.formats
    wanted = [
        *(
            ["copy_media"]
            if {formats.get("audio_video", "none"), formats.get("audio_only", "none")} != {"none"}
            else []
        ),
        *(["export_transcripts"] if formats.get("transcripts", "none") != "none" else []),
        "build_csv",
    ]
    done = {stage.stage: min(stage.done, stage.total) for stage in stages}
    total = (record.granted or 0) * len(wanted)
    shown = {name: (done.get(name, 0), record.granted or 0) for name in wanted}
    if record.status not in OPEN:
        return Progress(record.status, 100, shown)
    # The last hundredth is for the manifest, which says nothing of how far it is.
    percent = min(99, 100 * sum(done.get(name, 0) for name in wanted) // total) if total else None
    return Progress(record.status, percent, shown)
