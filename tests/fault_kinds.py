"""The kinds of faults that tests inject: `@pytest.mark.faults("kill")`.

`make faults` runs the tests that are marked so and counts their faults by kind; `scripts/reliability.py` writes the
counts into docs/reliability.md. A kind is one entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        label: what is injected, for the table.
        how: by what means.
        converged: what must hold afterwards.
    """

    label: str
    how: str
    converged: str


FAULT_KINDS: Mapping[str, FaultKind] = {
    "kill": FaultKind(
        "Processes killed",
        "SIGKILL at a write, between two stages, inside a conversion, or of a process that others wait for",
        "run again, the directory is the one an undisturbed run delivers; quota and audit say the same",
    ),
    "power": FaultKind(
        "Power cuts",
        "what was not flushed is empty, cut or gone: staged files one by one, or the copy of a mounted disk",
        "the run goes on with what it makes anew",
    ),
    "errno": FaultKind(
        "System calls that fail",
        "every number of `errno`, answered below Python to opens, reads, writes, flushes, renames, listings and others",
        "a code that says what to do, no traceback; run again, everything is delivered",
    ),
    "disk": FaultKind(
        "Full and read-only disks",
        "small file systems of memory that fill up, read-only mounts, folders without rights",
        "a code with the path; with room again, everything is delivered",
    ),
    "object-storage": FaultKind(
        "Object storage on a bad day",
        "a proxy before a real S3 server: resets, stalls, 503, cut and changed bodies, lost answers, outages",
        "never a wrong byte under a final name; what waiting cannot cure is named",
    ),
    "postgresql": FaultKind(
        "PostgreSQL away or refusing",
        "restarts, locks, lost rights, values it cannot show",
        "short absences are waited for, the rest has a code",
    ),
    "clock": FaultKind(
        "Clocks",
        "clocks that jump forth and back during a run; a bucket that finds this machine's clock wrong",
        "the run ends as in peace, or says that the clock is wrong",
    ),
    "rows": FaultKind(
        "Hostile rows and media",
        "addresses that lead out, broken and lying media, odd names, values, types and sizes",
        "an item with a reason or a refusal by name; no other contact suffers",
    ),
    "definitions": FaultKind(
        "Hostile definitions",
        "files that are no files, too deep, too large, half written; names with paths, markup and formulas in them",
        "the file is named, its siblings stay",
    ),
    "requests": FaultKind(
        "Hostile requests",
        "requests without login or permission, from other sites, of odd types and sizes, with edits unseen",
        "refused, and nothing has changed",
    ),
    "at-once": FaultKind(
        "Several at once",
        "the same run twice, many runs for one quota, many writers of one file, many migrations of one database",
        "one of them wins, and nothing is delivered or charged twice",
    ),
}
