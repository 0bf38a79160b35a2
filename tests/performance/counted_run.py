"""Run the export `nightly` of the installation below a folder, counting; prints the counts as JSON.

An export goes first and is not counted: it loads every library and makes the state database.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path

import psutil
from sqlalchemy import event
from sqlalchemy.engine import Engine

sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline"))

from workbench import Workbench

counting = False
opened: Counter[str] = Counter()
listed: Counter[str] = Counter()
others: Counter[str] = Counter()


def note(what: str, arguments: tuple[object, ...]) -> None:
    if not counting:
        return
    if what == "subprocess.Popen":
        others["processes"] += 1
    elif what == "os.scandir":
        listed[_below_root(arguments[0])] += 1
    elif what == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & os.O_ACCMODE == os.O_RDONLY:
            opened[_below_root(path)] += 1


def _below_root(path: object) -> str:
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    return text.removeprefix(f"{ROOT}/") if text.startswith(f"{ROOT}/") else ""


def statement(*_: object) -> None:
    others["statements"] += counting


ROOT = sys.argv[1]
bench = Workbench.at(Path(ROOT))
event.listen(Engine, "before_cursor_execute", statement)
sys.addaudithook(note)
bench.run()
process = psutil.Process()
before = process.io_counters()
counting = True
record = bench.run()
counting = False
after = process.io_counters()
assert record.published, record
del opened[""], listed[""]
print(
    json.dumps(
        {
            "opened": opened,
            "listed": sum(listed.values()),
            "processes": others["processes"],
            "statements": others["statements"],
            "read": after.read_chars - before.read_chars,
            "written": after.write_chars - before.write_chars,
            "exported": record.exported,
        }
    )
)
