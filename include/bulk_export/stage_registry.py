"""Register the stages of a run, each one object.

What it is called, when it runs, for which exports, what it says of contacts.

A further stage is a module in `stages/` and an entry here. The pipeline, the DAGs, progress, items.csv and the check
that publishing makes of every contact follow from the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pkgutil import resolve_name
from typing import Any, overload

from bulk_export.formats.choices import NO_FORMAT

# What a run was asked for, as its record has it: `{"audio_video": "mp4", "audio_only": "none", …}`.
Formats = Mapping[str, str]
# What a stage counted, such as `{"files": 12, "bytes": 345}`.
Counts = dict[str, int]


class Phase(StrEnum):
    """When a stage runs; the phases follow each other.

    | phase   | stages                                | runs                                         |
    |---|---|---|
    | OPEN    | one; given the request                | first                                        |
    | SELECT  | one after the other                   | then; the last one returns the job numbers   |
    | DELIVER | side by side, per job or once         | when the jobs are known                      |
    | PUBLISH | one after the other                   | when every DELIVER stage is done             |
    | CLOSE   | one                                   | last, whatever happened                      |
    """

    OPEN = "open"
    SELECT = "select"
    DELIVER = "deliver"
    PUBLISH = "publish"
    CLOSE = "close"


class Load(StrEnum):
    """What a stage keeps busy, which decides its Airflow pool."""

    NOTHING = "nothing"
    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Results:
    """What a per-job stage says of every contact that is not recycled.

    Attributes:
        journal: name of its journal in the staging area.
        kinds: files a contact may have of it; items.csv has `<kind>_file`, `<kind>_bytes` and `<kind>_sha256` of each.
        reason_column: column of items.csv for why one of them is missing.
    """

    journal: str
    kinds: tuple[str, ...]
    reason_column: str


def _always(formats: Formats) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run.

    Attributes:
        name: of its task, its module in `stages/` and the function there.
        summary: one sentence, shown in Airflow.
        phase: when it runs.
        label: its name on pages; empty for a stage whose progress is not shown.
        per_job: once for each job, or once a run.
        load: what it keeps busy.
        wanted: whether a run with these formats needs it; one that does not need it still runs, and does nothing.
        results: what it says of contacts; None when it says nothing.
        after: stages of its own phase that it waits for.
        implementation: `module:function`, for a stage that is not in `stages/`.
    """

    name: str
    summary: str
    phase: Phase
    label: str = ""
    per_job: bool = False
    load: Load = Load.NOTHING
    wanted: Callable[[Formats], bool] = _always
    results: Results | None = None
    after: tuple[str, ...] = ()
    implementation: str = ""

    @property
    def always_runs(self) -> bool:
        """Whether it is skipped only when somebody stopped the run."""
        return not self.per_job and self.phase is not Phase.CLOSE

    @property
    def writes(self) -> bool:
        """Whether it writes to the run's directory.

        A dry run does without it.
        """
        return self.phase in {Phase.DELIVER, Phase.PUBLISH}

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, with the arguments of its function in `pipeline`.

        Raises:
            ImportError, AttributeError: nobody implements it.
        """
        place = self.implementation or f"bulk_export.stages.{self.name}:{self.name}"
        # Only now: whoever asks what stages there are needs their names, not the libraries.
        return resolve_name(place)(*args, **kwargs)


class StageRegistry(Sequence[str]):
    """The stages in the order of a run.

    As a sequence it holds their names.
    """

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._stages = {stage.name: stage for stage in stages}

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        return tuple(self._stages)[index]

    def __len__(self) -> int:
        return len(self._stages)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def named(self, name: str) -> Stage:
        """A stage by its name; `KeyError` when there is none."""
        return self._stages[name]

    def all(self) -> Iterator[Stage]:
        """Every stage."""
        yield from self._stages.values()

    def of(self, phase: Phase) -> list[Stage]:
        """The stages of a phase."""
        return [stage for stage in self.all() if stage.phase is phase]

    def with_results(self, formats: Formats | None = None) -> list[tuple[Stage, Results]]:
        """The stages that say something of every contact.

        With `formats` only those that a run needs.
        """
        stages = (stage for stage in self.all() if formats is None or stage.wanted(formats))
        return [(stage, stage.results) for stage in stages if stage.results is not None]

    def register(self, stage: Stage) -> None:
        """Add a stage that delivers or publishes, behind those of its phase.

        Raises:
            ValueError: when the name is taken, or the phase cannot have such a stage.
        """
        if stage.name in self._stages:
            raise ValueError(f"there is a stage {stage.name} already")
        if not stage.writes:
            raise ValueError(f"{stage.name}: the stages that {stage.phase} a run are given")
        if (stage.per_job or stage.results or stage.after) and stage.phase is not Phase.DELIVER:
            raise ValueError(f"{stage.name}: only a stage that delivers has jobs, results or an order of its own")
        order = list(Phase)
        stages = [*self.all(), stage]
        self._stages = {each.name: each for each in sorted(stages, key=lambda each: order.index(each.phase))}

    def unregister(self, name: str) -> None:
        """Remove a stage; `KeyError` when there is none."""
        del self._stages[name]


def _wants_media(formats: Formats) -> bool:
    return any(formats.get(kind, NO_FORMAT) != NO_FORMAT for kind in ("audio_video", "audio_only"))


def _wants_transcripts(formats: Formats) -> bool:
    return formats.get("transcripts", NO_FORMAT) != NO_FORMAT


STAGES = StageRegistry(
    [
        Stage(
            "validate_filters",
            "Open the audit record, freeze the definitions in it, and refuse what cannot run.",
            Phase.OPEN,
        ),
        Stage(
            "check_quota",
            "Count the matches and reserve quota for them in one transaction.",
            Phase.SELECT,
            load=Load.SOURCE,
        ),
        Stage(
            "batch_contacts",
            "Cut the granted contacts into jobs, oldest first, with every field frozen.",
            Phase.SELECT,
            load=Load.SOURCE,
        ),
        Stage(
            "copy_media",
            "Copy or convert the media of one job's contacts.",
            Phase.DELIVER,
            label="Media",
            per_job=True,
            load=Load.DESTINATION,
            wanted=_wants_media,
            results=Results("media", ("media", "screen"), "media_reason"),
        ),
        Stage(
            "export_transcripts",
            "Write the transcripts of one job's contacts as JSON or XML.",
            Phase.DELIVER,
            label="Transcripts",
            per_job=True,
            load=Load.DESTINATION,
            wanted=_wants_transcripts,
            results=Results("transcripts", ("transcript",), "transcript_reason"),
        ),
        Stage(
            "build_csv",
            "Write contacts.csv: one row per exported contact, every job in order.",
            Phase.DELIVER,
            label="CSV",
            load=Load.DESTINATION,
        ),
        Stage(
            "publish_manifest",
            "Write items.csv and the manifests, last of all the marker that the directory is whole.",
            Phase.PUBLISH,
            load=Load.DESTINATION,
        ),
        Stage(
            "write_audit",
            "Close the audit record whatever happened, give back unused quota, and queue what the quota did not reach.",
            Phase.CLOSE,
        ),
    ]
)
