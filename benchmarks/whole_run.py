"""A whole run of 10,000 calls from disk to disk against copying the same files and making their checksums.

    python benchmarks/whole_run.py [--rounds 5] [--quick]

`bulk-export run` selects, copies 240 KB of audio for each contact as it is stored, writes a checked transcript for each
and contacts.csv, items.csv and manifests, and flushes it all to the disk. `cp -r` and `sha256sum` do the part of it
that anybody would do; they flush nothing, so the same with `sync` stands beside them.
"""

from __future__ import annotations

from pathlib import Path

from compare import Comparison, Contender, Line, Options, Round, Target, alternate, empty, figure, script
from installation import AS_STORED, PROGRAM, define, run_command, scheduler

CONTACTS, AUDIO_BYTES = 10_000, 240_000


def measure(options: Options) -> list[Comparison]:
    contacts = options.size(CONTACTS, 20)
    base = options.new_folder("whole-run")
    store = base / "store"
    make_store(store, contacts)
    copy = f"cp -r {store}/media {store}/transcripts {{into}}/ && cd {{into}} && {{sums}}"
    sums = "find . -type f -print0 | xargs -0 sha256sum > ../{name}.sums"

    def ours(into: Path) -> list[str | Path]:
        return run_command(define(into, store, into / "exports", media=AS_STORED, transcripts="json"))

    def copying(flushed: str) -> Contender:
        def command(into: Path) -> list[str | Path]:
            words = copy.format(into=into, sums=sums.format(name=into.name))
            return ["sh", "-c", words + (f" && sync -f {into}" if flushed else "")]

        return Contender(f"cp -r, sha256sum{flushed}", command, contacts)

    contenders = [Contender("bulk-export run", ours, contacts), copying(""), copying(", sync")]
    lines = alternate(options, "whole-run/rounds", contenders, large=True)
    run, copied, flushed = lines
    scheduled = through_scheduler(options, base, store, contacts)
    more_s = scheduled.seconds - run.seconds
    return [
        Comparison(
            f"Whole run, {contacts:,} contacts × {AUDIO_BYTES // 1000} KB, disk to disk",
            "contacts/s",
            [*lines, scheduled],
            [
                Target("whole run against `cp -r` + `sha256sum`", run.seconds / copied.seconds, 1.5, at_most=True),
                Target("the same through the scheduler: seconds more", more_s, 8, at_most=True, unit="s"),
            ],
            [
                "`cp -r` and `sha256sum` select nothing, check nothing and leave their files in memory for the kernel "
                "to write later; bulk-export flushes everything before it writes the marker that the directory is "
                f"whole. Against the same with `sync` it takes {figure(run.seconds / flushed.seconds)} × as long.",
                "The line through the scheduler was measured after the others, with Airflow's own processes running "
                "beside it; they were not running beside the other lines.",
            ],
        )
    ]


def make_store(store: Path, contacts: int) -> None:
    import subprocess

    command = [PROGRAM, "sample-store", store, "--contacts", contacts, "--audio-bytes", AUDIO_BYTES, "--seed", 1]
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)


def through_scheduler(options: Options, base: Path, store: Path, contacts: int) -> Line:
    import os

    folder = base / "airflow"
    folder.mkdir()
    definitions = define(folder, store, folder / "exports", media=AS_STORED, transcripts="json")
    rounds = []
    with scheduler(definitions) as airflow:
        for _ in range(min(3, options.rounds)):
            os.sync()
            rounds.append(Round(airflow.run().seconds))
            empty(folder / "exports")
    return Line("the same through Airflow's scheduler", rounds, contacts)


if __name__ == "__main__":
    script(measure)
