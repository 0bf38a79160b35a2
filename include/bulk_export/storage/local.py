"""Objects as files below a directory, hashed while they stream.

An object is written under a temporary name beside its final one and renamed, so a reader never sees half of it.
Nothing is flushed per file: `make_durable` flushes the file system once for everything (one `syncfs` per job costs a
fiftieth of one fsync per file).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from bulk_export.storage.base import ByteRange, Entry, Fetched, Stored
from bulk_export.storage.capabilities import Durability, Guarded, LocalPaths, Rights, UnfinishedWrites, WholeReads
from bulk_export.storage.disk import flush_file_system
from bulk_export.storage.faults import file_faults, from_os_error, os_faults
from bulk_export.storage.keys import check_key, check_prefix
from bulk_export.storage.object_file import ObjectFile, read_whole
from bulk_export.storage.sources import Tally, close_file, open_file, pieces_of
from bulk_export.storage.written_once import already_written

if TYPE_CHECKING:
    from bulk_export.definitions.locations import LocalLocation
    from bulk_export.storage.credentials import Credentials
    from bulk_export.storage.retry import RetryPolicy

# Short and without the object's own name, so that a name of 255 bytes still has a temporary one.
_TEMPORARY = re.compile(r"\.part-[0-9a-f]{16}")
# Of files and of folders.
_MODES = {"owner": (0o600, 0o700), "group": (0o640, 0o750), "everyone": (0o644, 0o755)}


def open_local(
    location: LocalLocation, *, base: Path, credentials: Credentials | None, retry_policy: RetryPolicy | None
) -> LocalStorage:
    """Open the directory of a location, which may be made later."""
    # Lexical, not realpath: what the administrator wrote is what messages show, links included.
    return LocalStorage(Path(os.path.normpath(base / location.path)), readable_by=location.readable_by)


class LocalStorage(LocalPaths, Durability, Rights, UnfinishedWrites, WholeReads, Guarded):
    """A directory; safe to use from several threads and processes at once.

    Args:
        root: the directory.
        full: code of the error where its disk is full.
        readable_by: who may read what is written: `owner`, `group` or `everyone`.
    """

    def __init__(self, root: Path, *, full: str = "STORAGE_FULL", readable_by: str = "group") -> None:
        self._root = str(root.absolute())
        self._made: set[str] = set()
        self._full = full
        self._file_mode, self._folder_mode = _MODES[readable_by]

    def for_scratch(self) -> LocalStorage:
        """The same directory, as a place of unfinished work.

        Nobody else may read it; SCRATCH_FULL where its disk is full.
        """
        return LocalStorage(Path(self._root), full="SCRATCH_FULL", readable_by="owner")

    @property
    def uri(self) -> str:
        """`file://` and the directory's absolute path."""
        return Path(self._root).as_uri()

    def put(self, key: str, content: bytes | Path | BinaryIO, *, replace: bool = True) -> Stored:
        """Write one object whole.

        Raises:
            FileNotFoundError: `content` is a path that is not there.
        """
        check_key(key)
        target = f"{self._root}/{key}"
        with closing(pieces_of(content)) as pieces:
            first = next(pieces, b"")  # an unreadable source is noticed before anything is created
            with self._faults("write", target):
                descriptor, temporary = self._create_temporary(target.rpartition("/")[0])
            try:
                stored = self._fill(descriptor, first, pieces, target)
                if not replace and os.path.lexists(target) and already_written(self, key, stored, ""):
                    with self._faults("write", target):
                        os.unlink(temporary)  # noqa: PTH108
                    return stored
                self.before_change()
                with self._faults("write", target):
                    os.replace(temporary, target)  # noqa: PTH105 - strings: a Path costs as much as the call itself
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary)  # noqa: PTH108
                raise
        return stored

    def fetch(self, key: str, max_bytes: int) -> Fetched:
        """Size of the object, and its bytes up to `max_bytes`."""
        check_key(key)
        target = f"{self._root}/{key}"
        descriptor = open_file(target)
        try:
            with file_faults("read", target):
                size = os.fstat(descriptor).st_size
                return Fetched(size, read_whole(descriptor, size) if size <= max_bytes else None)
        finally:
            close_file(descriptor)

    def open(self, key: str, byte_range: ByteRange | None = None) -> BinaryIO:
        """The object, or a range of it, as a binary stream."""
        check_key(key)
        target = f"{self._root}/{key}"
        descriptor = open_file(target)
        if byte_range is None:
            return cast("BinaryIO", BufferedReader(ObjectFile(descriptor, target)))
        try:
            with file_faults("read", target):
                return BytesIO(os.pread(descriptor, byte_range.length, byte_range.start))
        finally:
            close_file(descriptor)

    def find(self, key: str) -> Entry | None:
        """Size of the object, None when it is absent."""
        check_key(key)
        target = f"{self._root}/{key}"
        try:
            status = os.stat(target)  # noqa: PTH116 - as for the rename above
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            fault = from_os_error(error, "find", target)
            if fault.code == "KEY_INVALID":  # a name no file can have
                return None
            raise fault from error
        return Entry(key, status.st_size) if stat.S_ISREG(status.st_mode) else None

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every object whose key starts with `prefix`, in key order.

        One directory is read at a time.
        """
        check_prefix(prefix)
        folder, slash, name = prefix.rpartition("/")
        return self._walk(folder + slash, name)

    def _walk(self, folder: str, name_prefix: str) -> Iterator[Entry]:
        path = f"{self._root}/{folder}"
        for name, entry in _sorted_entries(path):
            if not name.startswith(name_prefix) or _TEMPORARY.fullmatch(entry.name):
                continue
            if name.endswith("/"):
                if not (entry.is_symlink() and _leads_back(entry.path)):
                    yield from self._walk(folder + name, "")
            else:
                try:
                    yield Entry(folder + name, entry.stat().st_size)
                except FileNotFoundError:
                    continue  # deleted while the listing ran
                except OSError as error:
                    raise from_os_error(error, "list", entry.path) from error

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects and the directories that become empty; absent objects are fine."""
        folders: set[str] = set()
        for key in keys:
            check_key(key)
            self.before_change()
            target = f"{self._root}/{key}"
            with self._faults("delete", target), suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                os.unlink(target)  # noqa: PTH108
            folders.add(target.rpartition("/")[0])
        for folder in sorted(folders, key=len, reverse=True):
            self._prune(folder)

    def path(self, key: str) -> Path:
        """Path of an object, existing or not; of the root without key."""
        if not key:
            return Path(self._root)
        check_key(key.removesuffix("/"))
        return Path(self._root, key)

    def make_durable(self, prefix: str) -> None:
        """Flush the file system; everything written before survives a power cut."""
        check_prefix(prefix)
        folder = Path(self._root, prefix.rpartition("/")[0])
        while not folder.is_dir() and len(folder.parts) > 1:
            folder = folder.parent
        with self._faults("flush", str(folder)):
            flush_file_system(str(folder))

    def check_writable(self) -> None:
        """Create the directory where it is missing, then a file in it."""
        with self._faults("write to", self._root):
            descriptor, temporary = self._create_temporary(self._root)
            try:
                try:
                    os.write(descriptor, b"\n")
                finally:
                    os.close(descriptor)
            finally:
                os.unlink(temporary)  # noqa: PTH108

    def sweep(self, prefix: str = "") -> int:
        """Remove temporary files of killed writers; how many there were.

        Only below the directory `prefix`.
        """
        check_prefix(prefix)
        self.before_change()
        swept = 0
        for folder, _, names in os.walk(f"{self._root}/{prefix}"):
            for name in names:
                if _TEMPORARY.fullmatch(name):
                    with self._faults("delete", folder), suppress(FileNotFoundError):
                        os.unlink(f"{folder}/{name}")  # noqa: PTH108
                        swept += 1
        return swept

    def _faults(self, doing: str, where: str) -> AbstractContextManager[None]:
        return os_faults(doing, where, full=self._full)

    def _fill(self, descriptor: int, first: bytes, pieces: Iterator[bytes], target: str) -> Stored:
        """Write everything to the descriptor and close it, hashing on the way."""
        tally, piece = Tally(), first
        try:
            while piece:
                tally.add(piece)
                with file_faults("write", target, full=self._full):
                    _write_all(descriptor, piece)
                piece = next(pieces, b"")
        finally:
            with file_faults("write", target, full=self._full):  # a network disk reports a full disk only here
                os.close(descriptor)
        return tally.stored()

    def _create_temporary(self, folder: str) -> tuple[int, str]:
        temporary = f"{folder}/.part-{os.urandom(8).hex()}"
        if folder not in self._made:
            self.make_folder(folder)
            self._made.add(folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return os.open(temporary, flags, self._file_mode), temporary
        except FileNotFoundError:  # somebody removed the directory since it was made
            self.make_folder(folder)
            return os.open(temporary, flags, self._file_mode), temporary

    def make_folder(self, folder: str) -> None:
        """Make a folder, and those above it, for whoever may read files."""
        try:
            os.mkdir(folder, self._folder_mode)  # noqa: PTH102
        except FileNotFoundError:
            self.make_folder(folder.rpartition("/")[0])
            with suppress(FileExistsError):  # made by somebody else meanwhile
                os.mkdir(folder, self._folder_mode)  # noqa: PTH102
        except FileExistsError:
            if not os.path.isdir(folder):  # noqa: PTH112 - such as a link whose disk is away
                raise

    def _prune(self, folder: str) -> None:
        with suppress(OSError):  # not empty, or already gone
            while len(folder) > len(self._root):
                os.rmdir(folder)  # noqa: PTH106
                folder = folder.rpartition("/")[0]


def _write_all(descriptor: int, content: bytes) -> None:
    written = os.write(descriptor, content)
    if written < len(content):  # a disk that fills up takes a part first
        rest = memoryview(content)[written:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]


def _sorted_entries(path: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """A directory's entries in key order: a directory sorts as its name and a slash, as its keys do."""
    try:
        with os.scandir(path) as entries:
            named = [
                (f"{entry.name}/" if entry.is_dir() else entry.name, entry)
                for entry in entries
                if entry.is_dir() or entry.is_file()
            ]
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise from_os_error(error, "list", path) from error
    named.sort(key=lambda pair: pair[0])
    yield from named


def _leads_back(link: str) -> bool:
    target = os.path.realpath(link)
    return f"{os.path.realpath(os.path.dirname(link))}/".startswith(f"{target}/")  # noqa: PTH120
