"""What every storage must do; each test runs against each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulk_export.errors import DefinitionError, TransientError
from bulk_export.storage.base import ByteRange, Entry, Storage, Stored
from bulk_export.storage.capabilities import Durability, LocalPaths, local_path
from bulk_export.storage.reading import fetch, read, read_range
from bulk_export.storage.rights import RightsReport, check_rights, check_writable

ONE_PIECE = b"a few bytes"
MANY_PARTS = bytes(range(256)) * 80_001  # 20 MB and a bit: several chunks and several upload parts
SIZES = [b"", b"x", ONE_PIECE, bytes(8 * 1024 * 1024 - 1), bytes(8 * 1024 * 1024), MANY_PARTS]


def stored(content: bytes) -> Stored:
    return Stored(len(content), hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("content", SIZES, ids=lambda content: f"{len(content)} bytes")
@pytest.mark.parametrize("source", ["bytes", "path", "stream"])
def test_what_is_put_is_what_is_read(storage: Storage, tmp_path: Path, source: str, content: bytes) -> None:
    file = tmp_path / "source"
    file.write_bytes(content)
    given_content = {"bytes": content, "path": file, "stream": BytesIO(content)}[source]

    assert storage.put("data/media/0001/1.wav", given_content) == stored(content)

    assert read(storage, "data/media/0001/1.wav") == content
    assert storage.find("data/media/0001/1.wav") == Entry("data/media/0001/1.wav", len(content))


def test_putting_again_replaces_the_object(storage: Storage) -> None:
    storage.put("a/key", b"the first, longer content")
    storage.put("a/key", b"second")

    assert read(storage, "a/key") == b"second"
    assert [*storage.list()] == [Entry("a/key", 6)]


def test_a_read_brings_no_more_than_it_was_asked_for(storage: Storage) -> None:
    storage.put("key", b"0123456789")
    storage.put("empty", b"")

    assert read(storage, "key", max_bytes=4) == b"0123"
    assert read(storage, "key", max_bytes=99) == b"0123456789"
    assert read(storage, "empty", max_bytes=4) == b""


@pytest.mark.parametrize(
    ("start", "length", "found"), [(0, 4, b"0123"), (3, 2, b"34"), (8, 99, b"89"), (0, 10, b"0123456789")]
)
def test_a_range_is_that_part_of_the_object(storage: Storage, start: int, length: int, found: bytes) -> None:
    storage.put("key", b"0123456789")

    with storage.open("key", ByteRange(start, length)) as stream:
        assert stream.read() == found
    assert read_range(storage, "key", ByteRange(start, length)) == found


def test_a_range_of_what_is_not_there_says_so(storage: Storage) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        storage.open("nothing", ByteRange(0, 5))


def test_a_fetch_brings_the_size_and_no_more_bytes_than_it_may(storage: Storage) -> None:
    storage.put("key", b"0123456789")

    assert (fetch(storage, "key", 10).bytes, fetch(storage, "key", 10).content) == (10, b"0123456789")
    assert (fetch(storage, "key", 9).bytes, fetch(storage, "key", 9).content) == (10, None)


def test_one_object_is_found_by_its_whole_key(storage: Storage) -> None:
    storage.put("run/key.csv", b"0123456789")
    storage.put("run/key.csv-2", b"")

    assert storage.find("run/key.csv") == Entry("run/key.csv", 10)
    assert [storage.find(key) for key in ("run", "run/key", "run/key.cs", "key.csv")] == [None] * 4


def test_an_opened_object_streams_and_seeks(storage: Storage) -> None:
    storage.put("key", MANY_PARTS)

    with storage.open("key") as stream:
        head = stream.read(10)
        stream.seek(-7, 2)
        tail = stream.read()
        stream.seek(5_000_000)
        middle = stream.read(3_000_000)

    assert (head, tail, middle) == (MANY_PARTS[:10], MANY_PARTS[-7:], MANY_PARTS[5_000_000:8_000_000])


def test_an_object_streams_from_one_storage_into_the_same_one(storage: Storage) -> None:
    storage.put("from", MANY_PARTS)

    with storage.open("from") as stream:
        assert storage.put("to", stream) == stored(MANY_PARTS)

    assert read(storage, "to") == MANY_PARTS


@pytest.mark.parametrize("verb", ["open", "read", "fetch"])
@pytest.mark.parametrize("key", ["nothing", "folder", "folder/file/below", "x" * 200 + "/y"])
def test_reading_what_is_not_there_says_so(storage: Storage, verb: str, key: str) -> None:
    storage.put("folder/file", b"")

    acts = {
        "open": lambda: storage.open(key),
        "read": lambda: read(storage, key),
        "fetch": lambda: fetch(storage, key, 10),
    }

    with pytest.raises(FileNotFoundError, match=key[:20]):
        acts[verb]()

    assert storage.find(key) is None


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../up", "a/../../up", "a//b", "a/", "./a", "a/.", "..", "a\0b"])
@pytest.mark.parametrize("verb", ["put", "open", "find", "delete", "list", "path"])
def test_a_key_that_could_leave_the_root_is_refused(storage: Storage, verb: str, key: str) -> None:
    if verb == "path" and not isinstance(storage, LocalPaths):
        assert local_path(storage, key) is None
        return
    allowed = {"list": {"", "a/", "a/."}, "path": {"", "a/"}}  # a prefix may be empty or end anywhere
    if key in allowed.get(verb, ()):
        getattr(storage, verb)(key)
        return
    arguments = {"put": (key, b""), "delete": ([key],)}.get(verb, (key,))

    with pytest.raises(DefinitionError, match="KEY_INVALID"):
        list(getattr(storage, verb)(*arguments) or ())


def test_a_missing_source_file_is_told_from_a_missing_destination(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-file"):
        storage.put("key", tmp_path / "no-such-file")

    assert [*storage.list()] == []


def test_a_source_that_breaks_leaves_nothing(storage: Storage, tmp_path: Path) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            piece = super().read(size)
            if not piece:
                raise TransientError("STORAGE_UNREACHABLE", "the source went away")
            return piece

    with pytest.raises(TransientError, match="went away"):
        storage.put("data/key", Broken(MANY_PARTS))

    assert [*storage.list()] == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_failed_replacement_keeps_the_old_object(storage: Storage, tmp_path: Path) -> None:
    storage.put("key", b"old")

    with pytest.raises(FileNotFoundError):
        storage.put("key", tmp_path)  # a directory is no source

    assert read(storage, "key") == b"old"


def test_a_listing_is_in_key_order(storage: Storage) -> None:
    keys = ["a-b", "a.txt", "a/b-c", "a/b.d/e", "a/b/c", "a0", "b/ünïcode", "b/ünïcode 2", "b/漢字", "z%20z", "~"]
    for key in reversed(keys):
        storage.put(key, key.encode())

    assert [*storage.list()] == [Entry(key, len(key.encode())) for key in keys]


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", ["run", "run-2/a", "run/a", "run/ab/c", "runs/a"]),
        ("run", ["run", "run-2/a", "run/a", "run/ab/c", "runs/a"]),
        ("run/", ["run/a", "run/ab/c"]),
        ("run/a", ["run/a", "run/ab/c"]),
        ("run/ab", ["run/ab/c"]),
        ("run/ab/", ["run/ab/c"]),
        ("run/ab/c/", []),
        ("none/", []),
    ],
)
def test_a_prefix_is_the_beginning_of_the_key(storage: Storage, prefix: str, found: list[str]) -> None:
    if storage.uri.startswith(("file:", "shelf:", "s3:")):  # SeaweedFS keeps directories
        found = [key for key in found if key != "run"]  # a file cannot bear a folder's name
    else:
        storage.put("run", b"")
    for key in ["run-2/a", "run/a", "run/ab/c", "runs/a"]:
        storage.put(key, b"")

    assert [entry.key for entry in storage.list(prefix)] == found


def test_a_storage_that_holds_nothing_lists_nothing(storage: Storage) -> None:
    assert [*storage.list()] == []


def test_deleting_removes_what_is_there_and_minds_nothing_else(storage: Storage) -> None:
    for key in ["a/b/c", "a/d", "e"]:
        storage.put(key, b"")

    storage.delete(["a/b/c", "nothing", "a/nothing/either", "e"])

    assert [entry.key for entry in storage.list()] == ["a/d"]


def test_a_deleted_folder_can_be_written_to_again(storage: Storage) -> None:
    storage.put("a/b/c", b"")
    storage.delete(["a/b/c"])

    storage.put("a/b/c", b"again")
    storage.delete(iter(["a/b/c"]))
    storage.put("a", b"now a file")

    assert read(storage, "a") == b"now a file"


@pytest.mark.faults("at-once")
def test_many_threads_may_write_at_once(storage: Storage) -> None:
    keys = [f"data/{number % 7}/{number}" for number in range(200)]

    with ThreadPoolExecutor(8) as pool:
        results = [*pool.map(lambda key: storage.put(key, key.encode()), keys)]

    assert results == [stored(key.encode()) for key in keys]
    assert {entry.key for entry in storage.list()} == {*keys}


def test_threads_writing_one_key_leave_one_whole_object(storage: Storage) -> None:
    contents = [bytes([number]) * 100_000 for number in range(16)]

    with ThreadPoolExecutor(8) as pool:
        [*pool.map(lambda content: storage.put("one/key", content), contents)]

    assert read(storage, "one/key") in contents
    assert len([*storage.list()]) == 1


def test_checking_that_it_can_be_written_leaves_nothing(storage: Storage) -> None:
    check_writable(storage)

    assert [*storage.list()] == []


def test_runs_that_begin_at_the_same_moment_do_not_take_each_other_for_a_missing_right(storage: Storage) -> None:
    with ThreadPoolExecutor(8) as runs:
        found = list(runs.map(lambda _: check_rights(storage), range(80)))

    assert set(found) == {RightsReport("", "", "", "")}


def test_what_was_written_can_be_made_durable(storage: Storage) -> None:
    if not isinstance(storage, Durability):
        pytest.skip("an acknowledged PUT is durable")
    storage.make_durable("nothing/yet/")
    storage.put("run/data/key", b"content")

    storage.make_durable("run/")

    assert read(storage, "run/data/key") == b"content"


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(min_size=1, max_size=40))
def test_any_key_is_stored_under_itself_or_refused(storage: Storage, key: str) -> None:
    def entries() -> Iterator[Entry]:
        return storage.list()

    if storage.uri.startswith(("s3:", "az:")):
        pytest.skip("which characters a server takes is its own affair; what it takes is tested by name above")

    try:
        storage.put(key, b"content")
    except (DefinitionError, UnicodeEncodeError):
        assert [*entries()] == []
        return
    assert [entry.key for entry in entries()] == [key]
    storage.delete([key])
