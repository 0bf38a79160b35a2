"""Build the shim that makes system calls fail, and tell it which.

A program started with `environment` has the shim in it, and so have its children. The plan is a mapped file: what is
written to it counts at once, in all of them.
"""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

# As in errno_shim.c.
OPERATIONS = (
    *("open", "read", "write", "flush", "rename", "unlink", "stat", "list", "mkdir", "mmap", "close", "truncate"),
)
_HEAD = struct.Struct(f"{7 + len(OPERATIONS)}i")
_PATH_BYTES = 256
_SIZE = _HEAD.size + 2 * _PATH_BYTES
EVERY_CALL = 2**31 - 1


def compiler() -> str | None:
    """The C compiler; None where there is none: `make test-programs` installs it."""
    return shutil.which("cc") or shutil.which("gcc")


def build(folder: Path) -> Path:
    """The shim, built in a folder."""
    program = compiler()
    assert program is not None
    source, shim = Path(__file__).with_name("errno_shim.c"), folder / "errno_shim.so"
    command = [program, "-shared", "-fPIC", "-O2", "-fno-builtin", "-o", str(shim), str(source), "-ldl"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return shim


def environment(shim: Path, plan: Path) -> dict[str, str]:
    """Environment of a program whose calls fail as the plan says."""
    plan.write_bytes(bytes(_SIZE))
    return {**os.environ, "LD_PRELOAD": str(shim), "ERRNO_PLAN": str(plan)}


@dataclass(frozen=True, slots=True)
class Failing:
    """Calls that fail.

    Attributes:
        operation: one of `OPERATIONS`.
        path: text in the path of the file or folder.
        excepted: text that a path must not have; empty for none.
        error: errno; 0 to fail nothing.
        first: number of the first such call that fails, from 1.
        last: number of the last one.
    """

    operation: str
    path: str
    error: int
    excepted: str = ""
    first: int = 1
    last: int = EVERY_CALL


class Plan:
    """The plan of this process and its children."""

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), _SIZE)

    def arm(self, failing: Failing) -> None:
        """From now on these calls fail."""
        self.disarm()
        path, excepted = failing.path.encode(), failing.excepted.encode()
        assert max(len(path), len(excepted)) < _PATH_BYTES
        self._memory[_HEAD.size :] = path.ljust(_PATH_BYTES, b"\0") + excepted.ljust(_PATH_BYTES, b"\0")
        numbers = (0, OPERATIONS.index(failing.operation), failing.error, failing.first, failing.last, 0, 0)
        self._memory[: _HEAD.size] = _HEAD.pack(*numbers, *[0] * len(OPERATIONS))
        self._memory[:4] = struct.pack("i", 1)

    def disarm(self) -> None:
        """From now on nothing fails."""
        self._memory[:4] = struct.pack("i", 0)

    @property
    def injected(self) -> int:
        """How many calls have failed since the plan was armed."""
        return int(_HEAD.unpack(self._memory[: _HEAD.size])[6])

    @property
    def calls(self) -> dict[str, int]:
        """Calls on such paths since then, by operation."""
        counts = _HEAD.unpack(self._memory[: _HEAD.size])[7:]
        return {name: count for name, count in zip(OPERATIONS, counts, strict=True) if count}
