"""One file in the definitions folder crashes, holds up and shows nobody anything; its siblings stay."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bulk_export.definitions.definition_file import MAX_BYTES
from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.store import DefinitionStore
from bulk_export.errors import DefinitionError, RefusedError

pytestmark = pytest.mark.faults("definitions")

SECRET = "name: not for everybody\nsearch: s\nstorage_location: x\n"
BRACKETS = 50_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an export that loads."""
    folder = tmp_path / "definitions"
    (folder / "exports").mkdir(parents=True)
    (folder / "exports/sibling.yaml").write_text("name: Sibling\nsearch: s\nstorage_location: archive\n")
    return folder


def problems(folder: Path, name: str = "exports/bad.yaml") -> list[str]:
    """What is wrong with a file, after its sibling was seen to load."""
    definitions = load_definitions(folder)
    assert set(definitions.exports) == {"sibling"}
    return [problem.message for problem in definitions.problems if problem.file == name]


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # an address of a socket is short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def _linked(path: Path) -> None:
    path.with_name("secret.env").write_text(SECRET)
    path.symlink_to("secret.env")


SPECIAL: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (os.mkfifo, "is a pipe, not a file"),
    "a socket": (_socket, "is a socket, not a file"),
    "a folder": (Path.mkdir, "is a folder, not a file"),
    "a link to a file": (_linked, "is a link"),
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a link"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "is a link"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "is a link"),
    "a sparse file": (lambda path: (path.touch(), os.truncate(path, 3 << 30)), "is 3,221,225,472 bytes long"),
    "one byte too many": (lambda path: path.write_bytes(b"#" * (MAX_BYTES + 1)), "is 1,048,577 bytes long"),
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_only_a_regular_file_of_the_folder_itself_is_read(folder: Path, kind: str) -> None:
    make, words = SPECIAL[kind]
    make(folder / "exports/bad.yaml")
    [message] = problems(folder)
    assert message.startswith(words)
    store = DefinitionStore(folder)
    assert store.ids("exports") == ["bad", "sibling"]
    with pytest.raises(DefinitionError, match=words) as caught:
        store.read("exports", "bad")
    assert "not for everybody" not in str(caught.value)


def test_a_linked_folder_is_named_and_nothing_below_it_is_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/leak.yaml").write_text(SECRET)
    (folder / "searches").symlink_to(tmp_path / "elsewhere")
    [message] = problems(folder, "searches")
    assert message.startswith("is a link")
    store = DefinitionStore(folder)
    assert store.ids("searches") == []
    with pytest.raises(DefinitionError, match="is in searches, which is a link"):
        store.read("searches", "leak")
    with pytest.raises(RefusedError, match="nothing can be written"):
        store.save("searches", "mine", {"name": "Mine"}, seen=None)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["leak.yaml"]


def test_the_definitions_folder_itself_may_be_reached_through_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(folder)
    assert set(load_definitions(tmp_path / "current").exports) == {"sibling"}
    assert DefinitionStore(tmp_path / "current").read("exports", "sibling").text.startswith("name: Sibling")


def test_nothing_is_written_through_what_lies_under_the_temporary_name(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    (folder / "exports/.new.yaml.part").symlink_to(other)
    changes = {"name": "New", "search": "s", "storage_location": "archive"}
    DefinitionStore(folder).save("exports", "new", changes, seen=None)
    assert other.read_text() == "theirs"
    assert set(load_definitions(folder).exports) == {"sibling", "new"}


DEEP = {
    "lists": "name: " + "[" * BRACKETS,
    "only brackets": "[" * (MAX_BYTES - 1),
    "closed lists": "name: " + "[" * BRACKETS + "]" * BRACKETS,
    "mappings": "{a: " * BRACKETS,
    "lists on lines of their own": "[\n" * BRACKETS,
    "dashes": "- " * BRACKETS,
    "keys that are keys": "? " * BRACKETS,
    "indented mappings": "\n".join(" " * depth + "a:" for depth in range(1_000)),
}


@pytest.mark.parametrize("kind", DEEP)
def test_what_is_nested_too_deep_is_refused_before_it_is_composed(folder: Path, kind: str) -> None:
    (folder / "exports/bad.yaml").write_text(DEEP[kind])
    [message] = problems(folder)
    assert message == "is too large or refers to itself: more than 20 values inside of each other"
    with pytest.raises(DefinitionError, match="cannot be edited key by key"):
        DefinitionStore(folder).save(
            "exports", "bad", {"name": "X"}, seen=DefinitionStore(folder).read("exports", "bad").etag
        )


LARGE = {
    "aliases of aliases": "a: [&a0 [], " + ", ".join(f"&a{n} [*a{n - 1}]" for n in range(1, 9_000)) + "]",
    "many aliases": "a: &a [" + "x, " * 9_000 + "]\nb: &b [" + "*a, " * 9_000 + "]\n",
    "a list in itself, and much else": "name: &a [*a, " + "x, " * 15_000 + "]",
    "a mapping in itself": "name: &a {b: *a}",
    "more values than any definition": "filters: [" + "x, " * 25_000 + "]",
}


@pytest.mark.parametrize("kind", LARGE)
def test_aliases_and_values_are_counted(folder: Path, kind: str) -> None:
    (folder / "exports/bad.yaml").write_text(LARGE[kind])
    [message] = problems(folder)
    assert message.startswith(("is too large or refers to itself", "is not YAML: there is no anchor &a"))


LONG = {
    "key": '? "' + "k" * 900_000 + '"\n: 1\n',
    "zone": 'schedule: {time_zone: "' + "a/" * 400_000 + '"}',
    "id": "search: " + "x" * 900_000,
    "time": 'schedule: {weekly: {days: [mon], time: "' + "0" * 900_000 + '"}}',
    "cron": 'schedule: {time_zone: UTC, cron: "' + ",".join(["*/1"] * 200_000) + ' * * * *"}',
    "tag": "name: !" + "x" * 900_000 + " 1",
    "alias": "name: *" + "x" * 900_000,
    "unknown keys": "".join(f"key{number}: 1\n" for number in range(9_000)),
    "wrong items": "notify: {on: [" + "falure, " * 15_000 + "]}",
}


@pytest.mark.parametrize("kind", LONG)
def test_what_is_wrong_with_something_long_is_said_in_few_words(folder: Path, kind: str) -> None:
    (folder / "exports/bad.yaml").write_text(LONG[kind])
    found = problems(folder)
    assert 1 <= len(found) <= 110
    assert max(map(len, found)) < 400


def test_what_no_database_keeps_is_refused_where_it_is_written(folder: Path) -> None:
    (folder / "exports/bad.yaml").write_text('name: "a\\0b"\nsearch: s\nstorage_location: archive\n')
    assert problems(folder) == ["has the character U+0000, which no database keeps"]


def test_a_name_that_is_no_text_is_shown_escaped(folder: Path) -> None:
    path = os.fsencode(folder / "exports") + b"/b\xff.yaml"
    Path(os.fsdecode(path)).write_text("name: [")
    definitions = load_definitions(folder)
    names = {problem.file for problem in definitions.problems}
    assert "exports/b\\udcff.yaml" in names
    assert all(name.encode() for name in names)
    assert DefinitionStore(folder).ids("exports") == ["b\\udcff", "sibling"]
