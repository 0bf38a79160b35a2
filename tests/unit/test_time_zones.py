"""A time zone is a name of the IANA database, wherever one is written."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from bulk_export.contacts_csv.local_time import local_times
from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.models import Filter
from bulk_export.filters.completeness import problems
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.time_zones import zone_names

NO_ZONES = {
    "localtime": "",
    "posixrules": "",
    "Factory": "",
    "right/America/Bogota": " Did you mean 'America/Bogota'?",
    "posix/Europe/Madrid": " Did you mean 'Europe/Madrid'?",
    "right/UTC": " Did you mean 'UTC'?",
    "america/bogota": " Did you mean 'America/Bogota'?",
    "EST5EDT4": " Did you mean 'EST5EDT'?",
    "../zoneinfo/UTC": "",
    "/usr/share/zoneinfo/UTC": "",
    "UTC\0": "",
    "tzdata.zi": "",
}


def test_every_name_of_the_database_is_one_and_loads() -> None:
    assert {"America/Bogota", "Europe/Madrid", "UTC", "Etc/GMT+5", "US/Central", "Asia/Calcutta"} <= zone_names()
    assert len(zone_names()) > 590
    assert all(ZoneInfo(name).key == name for name in zone_names())


@pytest.mark.parametrize("name", [name for name in NO_ZONES if "\0" not in name])
def test_settings_and_schedules_take_no_other(tmp_path: Path, name: str) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "settings.yaml").write_text(f"environment: {{name: acme, time_zone: '{name}'}}\n")
    (tmp_path / "exports/x.yaml").write_text(
        f"name: X\nsearch: s\nstorage_location: a\nschedule: {{cron: 0 0 * * *, time_zone: '{name}'}}\n"
    )
    found = {(problem.file, problem.where): problem.message for problem in load_definitions(tmp_path).problems}
    for place in (("settings.yaml", "environment.time_zone"), ("exports/x.yaml", "schedule.time_zone")):
        assert found[place].startswith(f"'{name}' is not an IANA time zone such as America/Bogota.")
        assert found[place].endswith(NO_ZONES[name])


@pytest.mark.parametrize("name", NO_ZONES)
def test_filters_take_no_other(name: str) -> None:
    item = Filter(field="started_at", operator="on", value="2026-11-01", time_zone=name)
    [problem] = problems([item], field_catalog([]))
    assert "is neither 'contact' nor an IANA time zone" in problem.message


@pytest.mark.parametrize("name", NO_ZONES)
def test_a_contact_whose_zone_is_no_other_counts_as_unknown(name: str) -> None:
    started = pa.array([1_700_000_000_000_000], pa.timestamp("us"))
    times = local_times(started, pa.array([name]))
    assert times.unknown_zone.to_pylist() == [True]
