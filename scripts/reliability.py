"""Write the table of docs/reliability.md from what `make faults` has counted.

    python scripts/reliability.py var/faults.json

The table stands between two marks; the rest of the page is written by hand.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from bulk_export import __version__
from markdown_table import table

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: written by make faults -->\n", "<!-- end of faults -->\n"

COUNTED = ("injected", "converged", "tests_skipped")
Counts = Mapping[str, Mapping[str, int]]


def faults_table(counts: Counts, day: date) -> str:
    """What one run has counted, as Markdown.

    Args:
        counts: by label of a kind, the faults `injected` and `converged` and the `tests_skipped`.
        day: of the run.
    """
    together = {name: sum(found[name] for found in counts.values()) for name in COUNTED}
    rows = [_row(label, found) for label, found in counts.items()]
    rows.append(tuple(f"**{cell}**" if cell else "" for cell in _row("Together", together)))
    machine = f"Python {platform.python_version()}, {platform.system()}, {os.cpu_count()} cores"
    return f"Run on {day:%Y-%m-%d} with version {__version__}: {machine}.\n\n" + table(
        ("kind", "faults injected", "converged", "tests left out"), tuple(rows)
    )


def page_with(page: str, written: str) -> str:
    """The page with another table."""
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{PAGE.name} lacks the marks of its table")
    return f"{before}{BEGIN}\n{written}\n{END}{after}"


def _row(label: str, found: Mapping[str, int]) -> tuple[str, ...]:
    injected, converged, skipped = (found[name] for name in COUNTED)
    return label, str(injected), str(converged), str(skipped or "")


def main() -> None:
    """Write the table, and say what it says."""
    counts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    written = faults_table(counts, datetime.now(UTC).date())
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8"), written), encoding="utf-8")
    print(written)


if __name__ == "__main__":
    main()
