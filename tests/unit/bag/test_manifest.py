from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.bag import manifest
from bulk_export.bag.manifest import manifest_line, parse_line, sorted_files
from bulk_export.items.payload_file import PayloadFile

SHA256 = "ab" * 32


def test_a_line_is_what_sha256sum_writes() -> None:
    assert manifest_line("data/media/0001/1.wav", SHA256) == f"{SHA256}  data/media/0001/1.wav\n"


def test_only_line_breaks_and_percent_signs_are_encoded() -> None:
    assert manifest_line("data/a%b\r\nc d'é", SHA256) == f"{SHA256}  data/a%25b%0D%0Ac d'é\n"


@settings(deadline=None, derandomize=True, max_examples=300)
@given(path=st.text(min_size=1).map("data/".__add__))
def test_every_path_survives_its_line(path: str) -> None:
    line = manifest_line(path, SHA256)

    assert line.count("\n") == 1
    assert parse_line(line.removesuffix("\n")) == (path, SHA256)


@pytest.mark.parametrize(
    "line",
    [f"{SHA256}\tdata/x", f"{SHA256} *data/x", f"{SHA256.upper()}  data/x", f"{SHA256}   data/x"],
)
def test_other_tools_spellings_are_read(line: str) -> None:
    assert parse_line(line) == ("data/x", SHA256)


@pytest.mark.parametrize("line", ["", "data/x", SHA256, f"{SHA256}  ", f"{SHA256[:-1]}  data/x", f"{SHA256}data/x"])
def test_what_is_no_line_is_none(line: str) -> None:
    assert parse_line(line) is None


def test_more_files_than_fit_in_memory_are_sorted_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifest, "_SORTED_AT_ONCE", 7)
    files = [PayloadFile(f"data/{number * 37 % 100:03d}", number, SHA256) for number in range(100)]

    assert [*sorted_files(files, tmp_path)] == sorted(files, key=lambda file: file.path)
    assert len([*tmp_path.iterdir()]) == 15


@settings(deadline=None, derandomize=True, max_examples=50)
@given(paths=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)))
def test_any_paths_come_back_once_each(tmp_path_factory: pytest.TempPathFactory, paths: list[str]) -> None:
    files = [PayloadFile(f"data/{path}", 1, SHA256) for path in paths]

    found = [*sorted_files(files, tmp_path_factory.mktemp("runs"))]

    assert len(found) == len({*files})
    assert {*found} == {*files}
