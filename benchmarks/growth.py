"""Cost as the work grows: runs of 10,000, 100,000 and a million contacts, catalogue to CSV, items and manifests.

    python benchmarks/growth.py [--rounds 5] [--quick] [--cache FOLDER]

`bulk-export run` exports everything there is. The contacts have no objects: a million files would measure the disk.
What an export costs beside its contacts (Python's start, the state database) is no growth, so the targets compare what
each further contact costs: from the middle size to the largest against from the smallest to the middle.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from big_store import big_store
from compare import Comparison, Contender, Line, Options, Target, alternate, figure, script
from installation import define, run_command

SIZES = (10_000, 100_000, 1_000_000)
TINY = (500, 1_000, 2_000)


def measure(options: Options) -> list[Comparison]:
    sizes = TINY if options.quick else SIZES
    options.cache.mkdir(parents=True, exist_ok=True)
    stores = {size: big_store(options.cache, size) for size in sizes}
    # A million takes a minute: three rounds are what there is time for.
    few = replace(options, rounds=min(3, options.rounds))
    lines = alternate(few, "growth", [contender(size, store) for size, store in stores.items()])
    small, middle, large = lines
    further = (large.seconds - middle.seconds) / (sizes[2] - sizes[1])
    before = (middle.seconds - small.seconds) / (sizes[1] - sizes[0])
    return [
        Comparison(
            f"Growth: whole runs without objects, {few.rounds} rounds",
            "contacts/s",
            lines,
            [
                Target("a further contact's cost, late against early", further / before, 1.2, at_most=True),
                Target("memory, largest against middle", large.peak_mb / middle.peak_mb, 1.2, at_most=True),
            ],
            [f"A further thousand contacts cost {figure(further * 1e6)} ms, early on {figure(before * 1e6)} ms."],
            plot=plot(lines),
            versus=False,
        )
    ]


def contender(size: int, store: Path) -> Contender:
    def command(into: Path) -> list[str | Path]:
        return run_command(define(into, store, into / "exports", media={}, transcripts="none"))

    return Contender(f"{size:,} contacts", command, size)


def plot(lines: list[Line]) -> str:
    """Time and memory over contacts, both axes logarithmic, as SVG."""
    from math import log10

    width, height, left, right, foot, head = 640, 300, 50, 55, 40, 30
    xs = [log10(line.work) for line in lines]
    seconds, megabytes = [line.seconds for line in lines], [line.peak_mb for line in lines]
    low, high = int(log10(min(seconds)) - 1), int(log10(max(seconds)) + 1)

    def x(value: float) -> float:
        return left + (value - xs[0]) / (xs[-1] - xs[0]) * (width - left - right)

    def y(value: float) -> float:
        return height - foot - (log10(value) - low) / (high - low) * (height - foot - head)

    def memory_y(value: float) -> float:
        return height - foot - value / (2 * max(megabytes)) * (height - foot - head)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
             f'font-size="12"><rect width="{width}" height="{height}" fill="white"/>']  # fmt: skip
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(f'<path d="M{left} {at:.0f}H{width - right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.0f}" text-anchor="end">{10**power:g} s</text>')
    for place, line in zip(xs, lines, strict=True):
        parts.append(f'<text x="{x(place):.0f}" y="{height - 18}" text-anchor="middle">{line.name}</text>')
    straight = [y(seconds[-1] * line.work / lines[-1].work) for line in lines]
    for colour, dash, ys in (
        ("#999", "4 4", [min(at, height - foot) for at in straight]),
        ("#06c", "", [y(value) for value in seconds]),
        ("#c60", "", [memory_y(value) for value in megabytes]),
    ):
        points = " ".join(f"{x(place):.0f},{at:.0f}" for place, at in zip(xs, ys, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" '
                     f'stroke-dasharray="{dash}"/>')  # fmt: skip
    for place, value, memory in zip(xs, seconds, megabytes, strict=True):
        parts.append(f'<circle cx="{x(place):.0f}" cy="{y(value):.0f}" r="3" fill="#06c"/>')
        parts.append(f'<text x="{x(place):.0f}" y="{y(value) - 8:.0f}" fill="#06c" text-anchor="middle">'
                     f"{figure(value)} s</text>")  # fmt: skip
        parts.append(f'<text x="{x(place):.0f}" y="{memory_y(memory) - 8:.0f}" fill="#c60" text-anchor="middle">'
                     f"{figure(memory)} MB</text>")  # fmt: skip
    parts.append(f'<text x="{left}" y="18">time (blue; straight growth dashed) and most memory (orange)</text></svg>')
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    script(measure)
