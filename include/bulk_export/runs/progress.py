"""Compute how far a run is.

Contacts done over contacts to do, all stages that deliver together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bulk_export.stage_registry import STAGES, Phase
from bulk_export.state.progress import StageProgress
from bulk_export.state.records import OPEN, RunRecord


@dataclass(frozen=True, slots=True)
class RunProgress:
    """What a progress bar shows.

    Attributes:
        status: the run's status.
        percent: from 0 to 100; None while it is not known how much there is to do.
        stages: per stage contacts done and contacts in all.
    """

    status: str
    percent: int | None
    stages: Mapping[str, tuple[int, int]]


def progress_of(record: RunRecord, stages: Sequence[StageProgress]) -> RunProgress:
    """The progress of a run.

    A stage that has not begun counts with all its contacts still to do.
    """
    wanted = [stage.name for stage in STAGES.of(Phase.DELIVER) if stage.wanted(record.formats)]
    done = {stage.stage: min(stage.done, stage.total) for stage in stages}
    total = (record.granted or 0) * len(wanted)
    shown = {name: (done.get(name, 0), record.granted or 0) for name in wanted}
    if record.status not in OPEN:
        return RunProgress(record.status, 100, shown)
    # The last hundredth is for the manifest, which says nothing of how far it is.
    percent = min(99, 100 * sum(done.get(name, 0) for name in wanted) // total) if total else None
    return RunProgress(record.status, percent, shown)
