"""What all benchmarks share: contenders run as processes in alternating rounds; medians, spread, memory and ratios.

Every round of every contender gets a directory of its own, the disk is quiet when it begins, and nothing is deleted
before the last one has ended: ext4 is many times slower at making files for minutes after files were deleted. The order
turns by one from round to round, so that nobody always comes after the same other.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
ROUNDS = 5
_SAMPLE_S = 0.05
_MB = 1_000_000
_SMALL_BYTES = 100_000

Fact = int | float | str
Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure.

    Attributes:
        rounds: of each contender.
        folder: for everything that is written.
        cache: for inputs that take long to make; they stay.
        quick: tiny sizes, to see that it works; the figures mean nothing.
    """

    rounds: int
    folder: Path
    cache: Path
    quick: bool = False

    def size(self, whole: int, tiny: int) -> int:
        return tiny if self.quick else whole

    def new_folder(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir(parents=True)
        return made


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who does the work.

    Attributes:
        name: in the table.
        command: the program, told the new directory it may write to.
        work: pieces of work it does.
        environment: added to ours.
    """

    name: str
    command: Callable[[Path], Sequence[str | Path]]
    work: int
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Round:
    """One run: how long, how much memory all its processes held at once, their processor time, what it says itself."""

    seconds: float
    peak_mb: float = 0.0
    cpu_s: float = 0.0
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """All rounds of one contender."""

    name: str
    rounds: Sequence[Round]
    work: int = 0

    @property
    def seconds(self) -> float:
        return statistics.median(one.seconds for one in self.rounds)

    @property
    def rate(self) -> float:
        return self.work / self.seconds

    @property
    def peak_mb(self) -> float:
        return max(one.peak_mb for one in self.rounds)

    @property
    def cpu_s(self) -> float:
        return statistics.median(one.cpu_s for one in self.rounds)

    @property
    def spread(self) -> tuple[float, float]:
        times = [one.seconds for one in self.rounds]
        return min(times), max(times)

    def fact(self, name: str) -> float:
        return statistics.median(float(one.facts[name]) for one in self.rounds)


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised and what was found.

    Attributes:
        words: the promise.
        found: its figure.
        limit: what it is compared with.
        at_most: whether the figure must not be larger, rather than not smaller.
        unit: of both.
        reason: why it is missed, where it is.
    """

    words: str
    found: float
    limit: float
    at_most: bool = False
    unit: str = "×"
    reason: str = ""

    @property
    def met(self) -> bool:
        return self.found <= self.limit if self.at_most else self.found >= self.limit


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table; the first line is ours, and the others are set against it unless `versus` is off."""

    title: str
    unit: str
    lines: Sequence[Line]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    plot: str = ""
    versus: bool = True


def alternate(options: Options, name: str, contenders: Sequence[Contender], *, large: bool = False) -> list[Line]:
    """Run everybody once a round; of `large` results only the names are kept."""
    found: dict[str, list[Round]] = {contender.name: [] for contender in contenders}
    for number in range(options.rounds):
        turned = number % len(contenders)
        for contender in [*contenders[turned:], *contenders[:turned]]:
            place = len(found[contender.name])
            into = options.new_folder(f"{name}/{contenders.index(contender)}-{place}")
            found[contender.name].append(run(contender, into))
            if large:
                empty(into)
    return [Line(contender.name, found[contender.name], contender.work) for contender in contenders]


def empty(folder: Path) -> None:
    """Give back the room of the files below a folder. The files stay, because deleted ones make new ones slow."""
    for directory, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(directory, name)  # noqa: PTH118 - a Path for each of ten thousand
            if os.path.getsize(path) > _SMALL_BYTES:  # noqa: PTH202
                os.truncate(path, 0)


def run(contender: Contender, into: Path) -> Round:
    """Run a contender once; its last line of output may be facts as JSON, and `seconds` in them count as its time."""
    command = [str(part) for part in contender.command(into)]
    output = into.with_name(f"{into.name}.out")
    os.sync()
    with output.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env=os.environ | contender.environment
        )
        with _watched(process.pid) as peak:
            _, status, used = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
    code = process.returncode = os.waitstatus_to_exitcode(status)
    said = output.read_text(errors="replace")
    if code:
        raise RuntimeError(f"{contender.name} ended with {code}:\n{said[-3000:]}")
    facts: dict[str, Fact] = {}
    with suppress(ValueError, IndexError):
        last = json.loads(said.strip().splitlines()[-1])
        facts = last if isinstance(last, dict) else {}
    return Round(float(facts.get("seconds", took)), peak() / _MB, used.ru_utime + used.ru_stime, facts)


@contextmanager
def _watched(pid: int) -> Iterator[Callable[[], float]]:
    """Look at a process and all it starts twenty times a second; the most bytes in memory that were seen."""
    most, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(_SAMPLE_S):
            sizes = [_memory(each) for each in _tree(pid)]
            most[0] = max(most[0], sum(now for now, _ in sizes), *(highest for _, highest in sizes), 0.0)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        over.set()
        thread.join()


def _tree(pid: int) -> Iterator[int]:
    # The kernel's own list of children: looking at every process of the machine would cost the contenders time.
    yield pid
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))


def _memory(pid: int) -> tuple[float, float]:
    """Bytes a process holds, and the most it ever held."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    sizes = {name: float(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)
             if name in {"VmRSS", "VmHWM"}}  # fmt: skip
    return sizes.get("VmRSS", 0.0), sizes.get("VmHWM", 0.0)


def act(script: str, name: str, *arguments: object) -> list[str]:
    """The command that runs one of a benchmark's own acts in a process of its own."""
    return [sys.executable, script, "act", name, *map(str, arguments)]


@contextmanager
def timed(facts: dict[str, Fact]) -> Iterator[None]:
    """The part of an act that counts."""
    began = time.perf_counter()
    yield
    facts["seconds"] = time.perf_counter() - began


Measure = Callable[[Options], list[Comparison]]
Act = Callable[..., Facts | None]


def script(measure: Measure, acts: Mapping[str, Act] | None = None) -> None:
    """What a benchmark does when it is run: one of its acts where it is told to, else the whole comparison."""
    if sys.argv[1:2] == ["act"]:
        facts = (acts or {})[sys.argv[2]](*sys.argv[3:])
        print(json.dumps(facts or {}))
        return
    with chosen(parser().parse_args()) as options:
        for comparison in measure(options):
            print(as_text(comparison), flush=True)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    made.add_argument("--rounds", type=int, default=ROUNDS)
    made.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    made.add_argument("--folder", type=Path, help="for what is written; emptied at the end (default: a temporary one)")
    made.add_argument("--cache", type=Path, help="for inputs that take long to make, kept for the next time")
    return made


@contextmanager
def chosen(given: argparse.Namespace) -> Iterator[Options]:
    """The options, with a folder of their own that is gone at the end."""
    made = Path(tempfile.mkdtemp(prefix="bench-", dir=given.folder))
    try:
        yield Options(given.rounds, made, given.cache or made / "cache", given.quick)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def as_text(comparison: Comparison) -> str:
    """The table for a terminal."""
    rows = list(table(comparison))
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) if at == 0 else cell.rjust(width)
                  for at, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]  # fmt: skip
    promised = [
        f"{'met   ' if one.met else 'MISSED'} {one.words}: {figure(one.found)} {one.unit} "
        f"({'at most' if one.at_most else 'at least'} {figure(one.limit)})"
        for one in comparison.targets
    ]
    return "\n".join([f"\n{comparison.title}", *lines, *promised])


def table(comparison: Comparison) -> Iterable[Sequence[str]]:
    """Header and rows."""
    ours = comparison.lines[0]
    yield "", "median s", "min – max s", comparison.unit, "CPU s", "peak MB", "ours is"
    for line in comparison.lines:
        low, high = line.spread
        name = line.name if len(line.rounds) == len(ours.rounds) else f"{line.name} ({len(line.rounds)} rounds)"
        ratio = "" if line is ours or not comparison.versus else f"{_speed(ours) / _speed(line):.2f} ×"
        rate = figure(line.rate) if line.work else ""
        cpu, peak = (figure(value) if value else "" for value in (line.cpu_s, line.peak_mb))
        yield name, figure(line.seconds), f"{figure(low)} – {figure(high)}", rate, cpu, peak, ratio


def _speed(line: Line) -> float:
    return line.rate if line.work else 1 / line.seconds


def figure(number: float) -> str:
    """Three digits that mean something."""
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}" if abs(number) >= 0.1 else f"{number:.3f}"
