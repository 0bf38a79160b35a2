"""What only directories can get wrong. Holds for root too, whom permissions do not stop."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bulk_export.error_codes import ERROR_CODES
from bulk_export.errors import BulkExportError, DefinitionError, RefusedError, TransientError
from bulk_export.storage.faults import from_os_error
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.reading import read

needs_proc = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc")


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)], capture_output=True, text=True, check=False
    )


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_its_address_is_absolute(tmp_path: Path) -> None:
    assert LocalStorage(tmp_path / "a b").uri == f"{tmp_path.as_uri()}/a%20b"
    assert LocalStorage(tmp_path).path("") == tmp_path
    assert LocalStorage(tmp_path).path("data/x") == tmp_path / "data" / "x"


def test_a_missing_root_is_created_with_its_parents(tmp_path: Path) -> None:
    LocalStorage(tmp_path / "not" / "yet").check_writable()

    assert [*(tmp_path / "not" / "yet").iterdir()] == []


def test_a_root_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    storage = LocalStorage(tmp_path / "file" / "root")

    with pytest.raises(RefusedError, match=r"STORAGE_MISSING.*file/root"):
        storage.check_writable()
    with pytest.raises(RefusedError, match=r"STORAGE_MISSING.*file/root/key"):
        storage.put("key", b"")


@pytest.mark.parametrize(
    ("readable_by", "file", "folder"), [("owner", 0o600, 0o700), ("group", 0o640, 0o750), ("everyone", 0o644, 0o755)]
)
def test_who_may_read_what_is_written_is_a_setting(tmp_path: Path, readable_by: str, file: int, folder: int) -> None:
    LocalStorage(tmp_path / "root", readable_by=readable_by).put("run/data/contacts.csv", b"1")

    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == dict.fromkeys(("root", "root/run", "root/run/data"), folder) | {"root/run/data/contacts.csv": file}


@needs_proc
def test_a_place_nobody_can_write_to_is_refused() -> None:
    with pytest.raises(RefusedError, match="/proc/self/no-such-place"):
        LocalStorage(Path("/proc/self/no-such-place")).check_writable()


def test_a_directory_without_the_right_to_write_is_denied(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    result = run_python(
        """
        import os, sys
        from pathlib import Path
        from bulk_export.errors import RefusedError
        from bulk_export.storage.local import LocalStorage
        if os.geteuid() == 0:  # permissions stop everybody but root
            os.setuid(65534)
        for act in ("check_writable()", "put('key', b'')"):
            try:
                eval(f"LocalStorage(Path(sys.argv[1])).{act}")
            except RefusedError as error:
                print(error.code)
        """,
        tmp_path,
    )
    tmp_path.chmod(0o700)

    assert (result.stdout.split(), result.stderr) == (["STORAGE_DENIED", "STORAGE_DENIED"], "")


def test_a_disk_that_fills_up_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    result = run_python(
        """
        import resource, sys
        from io import BytesIO
        from pathlib import Path
        from bulk_export.errors import TransientError
        from bulk_export.storage.local import LocalStorage
        storage = LocalStorage(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, 2_500_000))  # acts as the end of the disk
        big = Path(sys.argv[2])
        for content in (bytes(3_000_000), BytesIO(bytes(3_000_000)), big):
            try:
                storage.put("data/key", content)
            except TransientError as error:
                print(error.code)
        storage.put("data/small", b"fits")
        """,
        tmp_path / "root",
        _file_of(tmp_path / "big", 3_000_000),
    )

    assert (result.stdout.split(), result.stderr) == (["STORAGE_FULL"] * 3, "")
    assert files_below(tmp_path / "root") == ["data/small"]


def _file_of(path: Path, size: int) -> Path:
    path.write_bytes(bytes(size))
    return path


@pytest.mark.faults("kill")
def test_a_writer_that_is_killed_leaves_nothing_under_the_final_name(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent("""
            import os, sys
            from pathlib import Path
            from bulk_export.storage.local import LocalStorage

            class Endless:
                def read(self, size):
                    os.write(1, b".")  # the pieces before this one are written
                    return bytes(size) if next(pieces) else sys.stdin.buffer.read()
            pieces = iter([1, 1, 0])
            LocalStorage(Path(sys.argv[1])).put("run/data/key", Endless())
            """),
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert writer.stdout is not None
    assert writer.stdout.read(3) == b"..."
    writer.send_signal(signal.SIGKILL)
    writer.communicate()
    storage = LocalStorage(tmp_path)

    assert len(files_below(tmp_path)) == 1  # what was being written
    assert [*storage.list()] == []
    assert (storage.sweep("other/"), storage.sweep("run/"), storage.sweep("run/")) == (0, 1, 0)
    assert files_below(tmp_path) == []


def test_a_sweep_takes_nothing_that_is_finished(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    for key in ["run/.part-file", "run/a.part", "run/.hidden", "run/x"]:
        storage.put(key, b"")

    assert storage.sweep() == 0
    assert [entry.key for entry in storage.list()] == ["run/.hidden", "run/.part-file", "run/a.part", "run/x"]


def test_a_name_longer_than_the_file_system_takes_is_a_bad_key(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="KEY_INVALID"):
        LocalStorage(tmp_path).put("x" * 256, b"")

    LocalStorage(tmp_path).put("x" * 255, b"")  # its temporary name fits as well
    assert [entry.key for entry in LocalStorage(tmp_path).list()] == ["x" * 255]


def test_a_folder_that_vanished_is_made_again(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.put("a/b", b"")
    (tmp_path / "a" / "b").unlink()
    (tmp_path / "a").rmdir()

    storage.put("a/c", b"")

    assert [entry.key for entry in storage.list()] == ["a/c"]


def test_deleting_the_last_object_removes_its_folders_but_not_the_root(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "root")
    storage.put("a/b/c/d", b"")
    storage.put("a/e", b"")

    storage.delete(["a/b/c/d"])
    assert not (tmp_path / "root" / "a" / "b").exists()

    storage.delete(["a/e"])
    assert [*(tmp_path / "root").iterdir()] == []


def test_a_name_that_is_a_folder_cannot_become_an_object(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.put("a/b", b"kept")

    with pytest.raises(RefusedError, match="STORAGE_MISSING"):
        storage.put("a", b"")

    storage.delete(["a"])
    assert files_below(tmp_path) == ["a/b"]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path / "root")
    storage.put("a/b", b"here")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "c").write_bytes(b"there")
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "a" / "circle").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "dangling").symlink_to(tmp_path / "nothing")

    assert [entry.key for entry in storage.list()] == ["a/b", "linked/c"]
    assert read(storage, "linked/c") == b"there"


def test_a_named_pipe_is_no_object_and_blocks_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    storage = LocalStorage(tmp_path)

    assert [*storage.list()] == []
    with pytest.raises(FileNotFoundError):
        read(storage, "pipe")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_utf8_is_listed_and_read(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")).write_bytes(b"content")
    storage = LocalStorage(tmp_path)

    (entry,) = storage.list()

    assert read(storage, entry.key) == b"content"


def test_the_umask_takes_rights_away(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from bulk_export.storage.local import LocalStorage

        os.umask(0o077)
        LocalStorage(Path(sys.argv[1]), readable_by="everyone").put("key", b"")
    """
    assert run_python(code, tmp_path).returncode == 0
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (errno.EACCES, RefusedError, "STORAGE_DENIED"),
        (errno.EPERM, RefusedError, "STORAGE_DENIED"),
        (errno.EROFS, RefusedError, "STORAGE_DENIED"),
        (errno.ENOENT, RefusedError, "STORAGE_MISSING"),
        (errno.ENOTDIR, RefusedError, "STORAGE_MISSING"),
        (errno.EISDIR, RefusedError, "STORAGE_MISSING"),
        (errno.ENOSPC, TransientError, "STORAGE_FULL"),
        (errno.EDQUOT, TransientError, "STORAGE_FULL"),
        (errno.EFBIG, TransientError, "STORAGE_FULL"),
        (errno.ENAMETOOLONG, DefinitionError, "KEY_INVALID"),
        (errno.ELOOP, TransientError, "STORAGE_UNREACHABLE"),
        (errno.EMFILE, TransientError, "MACHINE_EXHAUSTED"),
        (errno.ENOMEM, TransientError, "MACHINE_EXHAUSTED"),
        (errno.EIO, TransientError, "STORAGE_UNREACHABLE"),
        (errno.ESTALE, TransientError, "STORAGE_UNREACHABLE"),
        (errno.ETIMEDOUT, TransientError, "STORAGE_UNREACHABLE"),
    ],
    ids=lambda value: errno.errorcode.get(value) if isinstance(value, int) else None,
)
def test_an_errno_says_who_must_act(number: int, kind: type[BulkExportError], code: str) -> None:
    error = from_os_error(OSError(number, os.strerror(number)), "write", "/srv/exports/key")

    assert (type(error), error.code) == (kind, code)
    assert error.message == f"Could not write /srv/exports/key: {os.strerror(number)}"
    assert error.hint == ERROR_CODES[code].remedy


def test_nothing_but_regular_files_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "device").symlink_to("/dev/null")
    opened: list[object] = []
    really = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: opened.append(path) or really(path, *rest))
    storage = LocalStorage(tmp_path)

    for key in ("pipe", "folder", "device"):
        with pytest.raises(FileNotFoundError, match="no such object"):
            storage.open(key)
        with pytest.raises(FileNotFoundError, match="no such object"):
            storage.fetch(key, 10)

    assert opened == []
