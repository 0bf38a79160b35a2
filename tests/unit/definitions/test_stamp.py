"""Dating an export edited by hand changes one key and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.stamp import stamp

NOW = datetime(2026, 11, 23, 2, 30, 15, 999, tzinfo=UTC)
SCHEDULED = """\
# Asked for by legal, ticket 12.
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

    assert path.read_text() == SCHEDULED + "effective_from: '2026-11-23T02:30:15Z'\n"
    assert load_definitions(tmp_path).exports["weekly"].effective_from == NOW.replace(microsecond=0)


def test_an_export_that_is_dated_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports/weekly.yaml").write_text(SCHEDULED + "effective_from: 2026-01-01T00:00:00Z\n")

    assert list(stamp(load_definitions(tmp_path), NOW)) == []
