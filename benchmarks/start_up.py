"""How long `bulk-export --help` takes, beside Python's own start.

    python benchmarks/start_up.py [--rounds 5] [--quick]

With `--with-demo`, `benchmarks/all.py` also times `make demo` in a fresh clone with a warm package cache.
"""

from __future__ import annotations

import subprocess
import sys
import time

from compare import PROJECT, Comparison, Contender, Line, Options, Round, Target, alternate, script
from installation import PROGRAM


def measure(options: Options) -> list[Comparison]:
    lines = alternate(options, "start-up", [
        Contender("bulk-export --help", lambda into: [PROGRAM, "--help"], 0),
        Contender("python -c pass", lambda into: [sys.executable, "-c", "pass"], 0),
    ])  # fmt: skip
    return [
        Comparison(
            "Start of the command line",
            "",
            lines,
            [Target("bulk-export --help", lines[0].seconds, 0.3, at_most=True, unit="s")],
        )
    ]


def measure_demo(options: Options) -> list[Comparison]:
    """`make demo` from a fresh clone to the delivered directory; once a round."""
    rounds = []
    for number in range(min(2, options.rounds)):
        clone = options.folder / f"clone-{number}"
        subprocess.run(["git", "clone", "--quiet", PROJECT, clone], check=True)
        began = time.perf_counter()
        try:
            subprocess.run(["make", "demo"], cwd=clone, check=True, stdout=subprocess.DEVNULL)
            rounds.append(Round(time.perf_counter() - began))
        finally:
            subprocess.run(["make", "stop"], cwd=clone, check=False, stdout=subprocess.DEVNULL)
    line = Line("make demo", rounds)
    target = Target("make demo, fresh clone, warm package cache", line.seconds, 90, at_most=True, unit="s")
    return [Comparison("make demo from a fresh clone", "", [line], [target])]


if __name__ == "__main__":
    script(measure)
