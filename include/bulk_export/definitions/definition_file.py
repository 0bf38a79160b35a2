"""Read a definition file's bytes, and nothing else's.

Whoever can commit to the folder says what lies in it: a link would show its readers another file's text, a pipe would
hold them up for ever, and a device has no end. So a definition is a regular file in the folder itself.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MAX_BYTES = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Not blocking: the opening of a pipe waits for somebody who writes.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LINK = "is a link; put here what it leads to, so that nobody is shown what lies elsewhere"


class UnreadableDefinitionError(Exception):
    """A definition file that cannot be read.

    The text says why, as what follows its name.
    """


def read_definition(folder: Path, name: str) -> bytes:
    """The content of a definition file, at most `MAX_BYTES`.

    Args:
        folder: the definitions folder, which may itself be reached through links.
        name: path of the file below it; no part of it may be a link.

    Raises:
        FileNotFoundError: there is nothing of that name.
        UnreadableDefinitionError: it is no regular file, too long, or refused.
    """
    *above, file_name = Path(name).parts
    try:
        with (
            _opened(str(folder), _FOLDER) as top,
            _descended(top, above) as place,
            _opened(file_name, _FILE, place) as file,
        ):
            return _content(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableDefinitionError(_reason(error, folder / name)) from error
    except ValueError as error:  # U+0000 in a name
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error


def definition_files(folder: Path, kind: str) -> list[str]:
    """Names of the files of a kind, sorted, whatever they are.

    Raises:
        UnreadableDefinitionError: their folder is a link.
    """
    if (folder / kind).is_symlink():
        raise UnreadableDefinitionError(_LINK)
    return sorted(path.name for path in (folder / kind).glob("*.y*ml"))


def too_long(size: int) -> str:
    """Words for a file of more than `MAX_BYTES`."""
    return f"is {size:,} bytes long; a definition holds at most {MAX_BYTES:,}"


def _content(file: int) -> bytes:
    mode = os.fstat(file).st_mode
    if not stat.S_ISREG(mode):
        raise UnreadableDefinitionError(f"is a {_kind(mode)}, not a file")
    parts, length = [], 0
    while length <= MAX_BYTES and (part := os.read(file, MAX_BYTES + 1 - length)):
        parts.append(part)
        length += len(part)
    if length > MAX_BYTES:
        raise UnreadableDefinitionError(too_long(os.fstat(file).st_size))
    return b"".join(parts)


@contextmanager
def _opened(path: str, flags: int, place: int | None = None) -> Iterator[int]:
    handle = os.open(path, flags, dir_fd=place)
    try:
        yield handle
    finally:
        os.close(handle)


@contextmanager
def _descended(place: int, names: list[str]) -> Iterator[int]:
    """The folder below another one, entered name by name so that none is a link."""
    if not names:
        yield place
        return
    with _opened(names[0], _FOLDER | os.O_NOFOLLOW, place) as below, _descended(below, names[1:]) as found:
        yield found


def _reason(error: OSError, path: Path) -> str:
    if path.is_symlink():
        return _LINK
    if path.parent.is_symlink():
        return f"is in {path.parent.name}, which {_LINK}"
    if error.errno == errno.ENXIO:  # a socket
        return "is a socket, not a file"
    return f"cannot be read: {error.strerror}"


def _kind(mode: int) -> str:
    kinds = {stat.S_ISDIR: "folder", stat.S_ISFIFO: "pipe", stat.S_ISCHR: "device", stat.S_ISBLK: "device"}
    return next((word for is_kind, word in kinds.items() if is_kind(mode)), "special file")
