"""Make folders that nobody else can read.

Below a place where everybody may write, for a run's scratch files in /tmp.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from bulk_export.errors import RefusedError
from bulk_export.storage.faults import scratch_error

_ONLY_OURS = 0o700


def private_folder(place: Path, name: str) -> Path:
    """The folder `name` that only this user can enter.

    Made where it is missing; the same one at every call.

    It is in a folder of the user's own, so that several users of one machine do not meet. Whoever owned that one
    could put a link in our folder's place: it is used only when it is ours.

    Raises:
        RefusedError: SCRATCH_DENIED, something of somebody else's is there.
        TransientError: SCRATCH_FULL, SCRATCH_FAILED, nothing can be made there now.
    """
    user = os.getuid()
    own = place / f"bulk-export-{user}"
    try:
        own.mkdir(mode=_ONLY_OURS, exist_ok=True)
        found = own.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != user:
            raise _denied(own)
        own.chmod(_ONLY_OURS)
        folder = own / name
        folder.mkdir(mode=_ONLY_OURS, exist_ok=True)
    except FileExistsError as error:  # a file, or a link that leads nowhere
        raise _denied(own) from error
    except OSError as error:
        raise scratch_error(error, own / name) from error
    return folder


def own_folder(place: Path) -> Path:
    """A new folder in `place` that nobody else uses.

    Not even another attempt at the same.

    Raises:
        TransientError: SCRATCH_FULL, SCRATCH_FAILED, nothing can be made there now.
    """
    try:
        return Path(tempfile.mkdtemp(prefix="attempt-", dir=place))
    except OSError as error:
        raise scratch_error(error, place) from error


def _denied(own: Path) -> RefusedError:
    return RefusedError(
        "SCRATCH_DENIED",
        f"{own}, for unfinished files, is not a folder of this user's own",
        hint="Remove it, or set TMPDIR to a folder that only the worker's user may write to.",
    )
