"""Dating an export edited by hand changes one key and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bulk_export.cli import main
from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.stamp import stamp
from bulk_export.errors import DefinitionError

NOW = datetime(2026, 11, 23, 2, 30, 15, 999, tzinfo=UTC)
SCHEDULED = """\
# Asked for by legal.
name: "Weekly detractors"   # shown in the UI
search: recent
storage_location: archive
schedule: {weekly: {days: [mon, thu], time: "02:30"}, time_zone: America/Bogota}
"""


def test_a_scheduled_export_without_effective_from_is_dated_and_keeps_its_comments(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    path = tmp_path / "exports/weekly.yaml"
    path.write_text(SCHEDULED)
    (tmp_path / "exports/on-demand.yaml").write_text("name: x\nsearch: recent\nstorage_location: archive\n")

    assert list(stamp(load_definitions(tmp_path), NOW)) == [path]

    assert path.read_text() == SCHEDULED + 'effective_from: "2026-11-23T02:30:15Z"\n'
    assert load_definitions(tmp_path).exports["weekly"].effective_from == NOW.replace(microsecond=0)


def test_an_export_that_is_dated_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports/weekly.yaml").write_text(SCHEDULED + "effective_from: 2026-01-01T00:00:00Z\n")

    assert list(stamp(load_definitions(tmp_path), NOW)) == []


LISTS = {
    "indented": "notify:\n  email:\n    - a@example.com   # the team\n    - b@example.com\n",
    "flush": "notify:\n  email:\n  - a@example.com   # the team\n  - b@example.com\n",
    "deep": "notify:\n      email:\n          -   a@example.com\n\n          -   b@example.com\n",
    "on two lines": "notify: {email: [a@example.com,\n                 b@example.com]}\n",
}


@pytest.mark.parametrize("notify", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_every_line_but_the_one_stays_as_it_was_laid_out(tmp_path: Path, notify: str, ending: str) -> None:
    (tmp_path / "exports").mkdir()
    path = tmp_path / "exports/weekly.yaml"
    before = f"---\n{SCHEDULED}media:   {{audio_video: none,audio_only: wav}}\n{notify}"
    dated = 'effective_from: "2026-11-23T02:30:15Z"\n'
    path.write_text(before, newline=ending)

    assert list(stamp(load_definitions(tmp_path), NOW)) == [path]
    assert path.read_bytes().decode() == (before + dated).replace("\n", ending)

    path.write_text(f"effective_from: 2026-01-01T00:00:00Z\n{before.removeprefix('---')}", newline=ending)
    assert list(stamp(load_definitions(tmp_path), NOW, ["weekly"])) == [path]
    assert path.read_bytes().decode() == (dated + before.removeprefix("---")).replace("\n", ending)


def test_named_exports_are_dated_anew_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    edited, other = tmp_path / "exports/edited.yaml", tmp_path / "exports/other.yaml"
    dated = SCHEDULED + 'effective_from: "2026-01-01T00:00:00Z"   # its first run\nowner: legal\n'
    edited.write_text(dated)
    other.write_text(SCHEDULED)

    assert list(stamp(load_definitions(tmp_path), NOW, ["edited"])) == [edited]

    assert edited.read_text() == dated.replace("2026-01-01T00:00:00Z", "2026-11-23T02:30:15Z")
    assert other.read_text() == SCHEDULED


def test_of_names_of_which_one_is_wrong_none_is_dated(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    path = tmp_path / "exports/weekly.yaml"
    path.write_text(SCHEDULED)
    (tmp_path / "exports/broken.yaml").write_text("name: 7\n")
    definitions = load_definitions(tmp_path)

    with pytest.raises(DefinitionError, match=r"EXPORT_UNKNOWN.*'weekli'.*Did you mean 'weekly'\?"):
        list(stamp(definitions, NOW, ["weekly", "weekli"]))
    with pytest.raises(DefinitionError, match=r"DEFINITION_INVALID.*'broken' does not load"):
        list(stamp(definitions, NOW, ["weekly", "broken"]))

    assert path.read_text() == SCHEDULED


def test_the_command_line_dates_what_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "exports").mkdir()
    path = tmp_path / "exports/weekly.yaml"
    path.write_text(SCHEDULED + "effective_from: 2026-01-01T00:00:00Z\n")

    main(["--definitions", str(tmp_path), "validate", "--stamp"])
    assert "effective_from written" not in capsys.readouterr().out
    main(["--definitions", str(tmp_path), "validate", "--stamp", "weekly"])
    assert "exports/weekly.yaml: effective_from written" in capsys.readouterr().out
    assert "2026-01-01" not in path.read_text()
    assert main(["--definitions", str(tmp_path), "validate", "--stamp", "weekli"]) == 2
