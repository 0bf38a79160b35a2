"""Definition files as the pages keep them: comments stay, no unseen edit is overwritten, nothing is half written."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.store import DefinitionStore, UnseenEditError
from bulk_export.errors import DefinitionError, RefusedError

EXPORT = """# ours since 2024
name: Weekly detractors   # as legal calls it
search: recent
storage_location: archive
media: {audio_video: mp4, audio_only: wav}   # both
schedule: {weekly: {days: [mon, thu], time: "02:30"}, time_zone: America/Bogota}
owner: records
notify:
  email: [a@example.com]   # the team
"""
NEW = {"name": "Monthly", "search": "recent", "storage_location": "archive", "transcripts": "json"}


@pytest.fixture
def store(tmp_path: Path) -> DefinitionStore:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports/weekly.yaml").write_text(EXPORT)
    return DefinitionStore(tmp_path)


def test_a_change_leaves_comments_order_and_unknown_keys_as_they_were(store: DefinitionStore) -> None:
    seen = store.read("exports", "weekly")
    changes = {"name": "Weekly complaints", "media": {"audio_video": None, "audio_only": "wav"}, "transcripts": "xml"}
    saved = store.save("exports", "weekly", changes, seen=seen.etag)
    expected = EXPORT.replace("Weekly detractors", "Weekly complaints") + "transcripts: xml\n"
    # A comment stays in its column, whatever becomes shorter before it.
    expected = expected.replace("{audio_video: mp4, audio_only: wav}   #", "{audio_only: wav}                     #")
    assert saved.text == expected
    assert saved.etag != seen.etag


def test_saving_what_stands_there_changes_no_byte(store: DefinitionStore) -> None:
    seen = store.read("exports", "weekly")
    weekly = {"days": ["mon", "thu"], "time": "02:30"}
    same = {"name": "Weekly detractors", "schedule": {"weekly": weekly, "monthly": None}}
    assert store.save("exports", "weekly", same, seen=seen.etag) == seen


def test_one_kind_of_schedule_takes_the_place_of_another(store: DefinitionStore) -> None:
    seen = store.read("exports", "weekly")
    monthly = {"weekly": None, "cron": None, "monthly": {"day": 31, "time": "23:00"}, "time_zone": "Europe/Madrid"}
    saved = store.save("exports", "weekly", {"schedule": monthly}, seen=seen.etag)
    assert 'schedule: {time_zone: Europe/Madrid, monthly: {day: 31, time: "23:00"}}' in saved.text
    assert "owner: records" in store.save("exports", "weekly", {"schedule": None}, seen=saved.etag).text


def test_filters_that_stay_keep_their_comments_and_the_others_go(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    path = tmp_path / "searches/recent.yaml"
    path.write_text(
        "name: Recent\nfilters:\n  - {field: started_at, operator: last_days, value: 7}   # a week\n"
        "  - {field: agent_id, operator: equals, value: a1}\n"
    )
    store = DefinitionStore(tmp_path)
    wanted = [{"field": "started_at", "operator": "today"}]
    saved = store.save("searches", "recent", {"filters": wanted}, seen=store.read("searches", "recent").etag)
    assert [line.split() for line in saved.text.splitlines()] == [
        ["name:", "Recent"],
        ["filters:"],
        ["-", "{field:", "started_at,", "operator:", "today}", "#", "a", "week"],
    ]


def test_lines_that_no_change_is_about_stay_as_they_were_laid_out(tmp_path: Path) -> None:
    (tmp_path / "searches").mkdir()
    laid_out = "---\nname:    Recent\nfilters:\n- {field: hr,operator: is,value: true}    # of HR\n- field: score\n"
    laid_out += "  operator:   equals\n  value: 1.50\n"
    (tmp_path / "searches/recent.yaml").write_text(laid_out)
    store = DefinitionStore(tmp_path)
    filters = [
        {"field": "hr", "operator": "is", "value": True},
        {"field": "score", "operator": "at_least", "value": 1.5},
    ]
    seen = store.read("searches", "recent")
    saved = store.save("searches", "recent", {"description": "Ours", "filters": filters}, seen=seen.etag)
    assert saved.text.splitlines()[:5] == laid_out.splitlines()[:5]
    assert saved.text.splitlines()[6:] == ["  value: 1.50", "description: Ours"]
    more = [*filters, {"field": "hr", "operator": "is", "value": False}]
    saved = store.save("searches", "recent", {"filters": more}, seen=saved.etag)
    assert [item.value for item in load_definitions(tmp_path).searches["recent"].filters] == [True, 1.5, False]
    assert "# of HR" in saved.text


def test_a_new_file_reads_as_people_write_it_and_loads(store: DefinitionStore, tmp_path: Path) -> None:
    schedule = {"weekly": {"days": ["mon"], "time": "02:30"}, "time_zone": "UTC"}
    saved = store.save("exports", "monthly", NEW | {"schedule": schedule, "description": None}, seen=None)
    assert saved.text == (
        "name: Monthly\nsearch: recent\nstorage_location: archive\ntranscripts: json\n"
        'schedule: {weekly: {days: [mon], time: "02:30"}, time_zone: UTC}\n'
    )
    assert load_definitions(tmp_path).exports["monthly"].name == "Monthly"


def test_an_edit_that_was_not_seen_is_refused_and_both_versions_are_told(
    store: DefinitionStore, tmp_path: Path
) -> None:
    seen = store.read("exports", "weekly")
    theirs = EXPORT.replace("records", "legal")
    (tmp_path / "exports/weekly.yaml").write_text(theirs)
    with pytest.raises(UnseenEditError, match="changed by somebody else") as refused:
        store.save("exports", "weekly", {"name": "Mine"}, seen=seen.etag)
    assert refused.value.versions["theirs"] == theirs
    assert "name: Mine" in refused.value.versions["mine"]
    assert (tmp_path / "exports/weekly.yaml").read_text() == theirs
    again = store.save("exports", "weekly", {"name": "Mine"}, seen=refused.value.versions["etag"])
    assert "owner: legal" in again.text
    with pytest.raises(UnseenEditError):
        store.delete("exports", "weekly", seen=seen.etag)
    store.delete("exports", "weekly", seen=again.etag)
    with pytest.raises(UnseenEditError, match="deleted"):
        store.save("exports", "weekly", {"name": "Mine"}, seen=again.etag)


def test_a_new_file_never_takes_the_place_of_another(store: DefinitionStore) -> None:
    with pytest.raises(RefusedError, match="already"):
        store.save("exports", "weekly", NEW, seen=None)
    assert store.free_id("exports", "Weekly!") == "weekly-2"
    assert store.free_id("exports", "客户") == "export"
    assert store.free_id("searches", "v1.2 / É") == "v1-2-E".lower()


def test_what_would_not_load_is_refused_with_every_problem_and_nothing_is_written(
    store: DefinitionStore, tmp_path: Path
) -> None:
    seen = store.read("exports", "weekly")
    wrong = {"media": {"audio_only": "mp33"}, "schedule": {"time_zone": "Mars/Olympus"}}
    with pytest.raises(DefinitionError) as refused:
        store.save("exports", "weekly", wrong, seen=seen.etag)
    places = [problem.where for problem in refused.value.problems]
    assert places == ["media.audio_only", "schedule.time_zone"]
    assert [path.name for path in (tmp_path / "exports").iterdir()] == ["weekly.yaml"]
    assert store.read("exports", "weekly") == seen


@pytest.mark.parametrize("id", ["../settings", "a/b", "", ".hidden", "..", "/etc/passwd"])
def test_an_id_never_leaves_the_folder(store: DefinitionStore, tmp_path: Path, id: str) -> None:
    (tmp_path / "settings.yaml").write_text("secret: 1\n")
    with pytest.raises(DefinitionError, match="there is no file"):
        store.read("exports", id)
    with pytest.raises(DefinitionError, match="there is no file"):
        store.save("exports", id, NEW, seen=None)


@pytest.mark.faults("at-once")
def test_of_many_who_save_the_same_version_at_once_one_wins(store: DefinitionStore) -> None:
    seen, outcomes, start = store.read("exports", "weekly"), [], threading.Barrier(8)

    def save(number: int) -> None:
        start.wait()
        try:
            store.save("exports", "weekly", {"name": f"Number {number}"}, seen=seen.etag)
            outcomes.append("saved")
        except UnseenEditError:
            outcomes.append("refused")

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["saved"]


def test_a_file_that_is_no_yaml_is_read_and_not_edited(store: DefinitionStore, tmp_path: Path) -> None:
    (tmp_path / "exports/torn.yaml").write_text("name: [\n")
    seen = store.read("exports", "torn")
    with pytest.raises(DefinitionError, match="not a YAML mapping"):
        store.save("exports", "torn", NEW, seen=seen.etag)
    store.delete("exports", "torn", seen=seen.etag)
    assert store.ids("exports") == ["weekly"]


def test_a_folder_that_cannot_be_written_is_known_as_such(tmp_path: Path) -> None:
    # A file where the folder should be: no rights are needed to refuse even the superuser.
    (tmp_path / "exports").write_text("")
    store = DefinitionStore(tmp_path)
    with pytest.raises(RefusedError, match="nothing can be written"):
        store.save("exports", "monthly", NEW, seen=None)
    if os.geteuid():
        (tmp_path / "searches").mkdir(mode=0o500)
        assert not store.writable("searches")
