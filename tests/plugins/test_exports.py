"""Saved exports through the pages: what a form becomes in the file, and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from bulk_export.definitions.loader import load_definitions
from bulk_export.formats.media import MEDIA_FORMATS, MediaFormat
from bulk_export.formats.transcripts import TRANSCRIPT_FORMATS, TranscriptFormat
from bulk_export.state.tables import runs

if TYPE_CHECKING:
    from conftest import Console

FORM: dict[str, Any] = {
    "name": "Weekly <b>calls</b>",
    "search": "everything",
    "storage_location": "archive",
    "audio_only": "wav",
    "transcripts": "json",
    "when": "weekly",
    "days": ["mon", "thu"],
    "time": "02:30",
    "time_zone": "America/Bogota",
}


def text(console: Console, path: str, user: str = "ada") -> str:
    answer = console.client(user).get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_a_new_export_becomes_a_dated_file_that_loads_and_airflow_is_asked_at_once(console: Console) -> None:
    answer = console.client().post("/exports", json=FORM)
    assert answer.status_code == 201
    assert answer.json()["dag_id"] == "export-weekly-b-calls-b"
    path = console.bench.definitions / "exports/weekly-b-calls-b.yaml"
    assert path.read_text() == (
        "name: Weekly <b>calls</b>\nsearch: everything\nstorage_location: archive\nmedia: {audio_only: wav}\n"
        "transcripts: json\n"
        'schedule: {weekly: {days: [mon, thu], time: "02:30"}, time_zone: America/Bogota}\n'
        'effective_from: "2026-11-23T08:00:00Z"\n'
    )
    assert load_definitions(console.bench.definitions).problems == ()
    assert console.refreshes == ["asked"]
    event = console.events("created")[0]
    assert (event.who, event.subject) == ("ada", "export weekly-b-calls-b")
    listed = text(console, "/exports")
    assert "Weekly &lt;b&gt;calls&lt;/b&gt;" in listed
    # Monday 08:00 UTC is past 02:30 in Bogota: the next is Thursday.
    assert 'datetime="2026-11-26T07:30:00Z"' in listed


def test_the_same_name_twice_gives_two_files(console: Console) -> None:
    ids = [console.client().post("/exports", json=FORM).json()["id"] for _ in range(2)]
    assert ids == ["weekly-b-calls-b", "weekly-b-calls-b-2"]


def test_an_edit_keeps_what_the_form_does_not_know_and_dates_only_a_changed_schedule(console: Console) -> None:
    from bulk_export_console.forms import form_of

    path = console.bench.definitions / "exports/legal.yaml"
    path.write_text(
        "name: Legal  # for the lawyers\nsearch: everything\nstorage_location: archive\ntranscripts: xml\n"
        "owner: records\ncsv: {profile: excel, language: es}\nnotify: {email: [a@example.com]}\n"
        'schedule: {monthly: {day: 31, time: "23:00"}, time_zone: UTC}\neffective_from: 2025-01-01T00:00:00Z\n'
    )
    client, before = console.client(), path.read_text()
    form = form_of(load_definitions(console.bench.definitions).exports["legal"])

    def save(**changes: Any) -> Any:
        seen = console.bench.definitions / "exports/legal.yaml"
        import hashlib

        body = {"form": form.model_dump(mode="json") | changes, "seen": hashlib.sha256(seen.read_bytes()).hexdigest()}
        return client.put("/exports/legal", json=body)

    assert save().status_code == 200
    assert path.read_text() == before
    assert "name: Legal  # for the lawyers\nsearch: everything" in text(console, "/exports/legal")
    assert save(transcripts="json").status_code == 200
    assert path.read_text() == before.replace("xml", "json")
    assert save(day=30, transcripts="json").status_code == 200
    assert 'effective_from: "2026-11-23T08:00:00Z"' in path.read_text()
    assert "# for the lawyers" in path.read_text()
    assert "notify: {email: [a@example.com]}" in path.read_text()
    assert save(csv="data").status_code == 200
    assert "csv: {profile: data, language: es}" in path.read_text()
    assert save(csv="data", separator=";").status_code == 200
    assert load_definitions(console.bench.definitions).exports["legal"].csv.model_dump() == {
        "profile": "data",
        "language": "es",
        "separator": ";",
        "metadata_parquet": False,
    }
    assert '<option value=";" selected>' in text(console, "/exports/legal")
    assert save(csv="data", separator="|").status_code == 422
    assert save(csv="data", separator="").status_code == 200
    assert load_definitions(console.bench.definitions).exports["legal"].csv.separator is None


@pytest.mark.faults("requests")
def test_an_unseen_edit_is_answered_with_both_versions(console: Console) -> None:
    client = console.client()
    created = client.post("/exports", json=FORM).json()
    path = console.bench.definitions / f"exports/{created['id']}.yaml"
    path.write_text(path.read_text() + "owner: somebody else\n")
    answer = client.put(f"/exports/{created['id']}", json={"form": FORM | {"name": "Mine"}, "seen": created["etag"]})
    assert answer.status_code == 409
    assert "owner: somebody else" in answer.json()["theirs"]
    assert "name: Mine" in answer.json()["mine"]
    assert "owner: somebody else" in path.read_text()
    body = {"form": FORM | {"name": "Mine"}, "seen": answer.json()["etag"]}
    assert client.put(f"/exports/{created['id']}", json=body).status_code == 200
    assert "name: Mine" in path.read_text()
    assert "owner: somebody else" in path.read_text()


@pytest.mark.faults("requests")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name"),
        ({"search": "nothing"}, "choose a saved search"),
        ({"storage_location": "moon"}, "choose a storage location"),
        ({"audio_only": "mp33"}, "Did you mean 'mp3'?"),
        ({"time": "25:00"}, "25:00"),
        ({"days": []}, "days"),
        ({"time_zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"when": "monthly", "day": 32}, "day"),
        ({"when": "cron", "cron": "0 0 * * * *"}, "five fields"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_in_words_and_writes_nothing(
    console: Console, changes: dict[str, Any], words: str
) -> None:
    answer = console.client().post("/exports", json=FORM | changes)
    assert answer.status_code == 422
    assert words in answer.text
    assert not list((console.bench.definitions / "exports").iterdir())
    assert console.refreshes == []


def test_before_anything_is_created_matches_bytes_quota_and_next_runs_are_shown(console: Console) -> None:
    console.bench.write_settings(licence={"type": "standard", "daily_contacts": 2})
    answer = console.client().post("/exports/estimate", json=FORM).json()
    assert answer["problems"] == []
    assert answer["matches"] == {
        "matched": 5, "roots": 0, "media_bytes": 0,
        "quota_left": 2, "daily_limit": 2, "exported_now": 2, "quota_days": 3,
    }  # fmt: skip
    assert [run["utc"] for run in answer["next_runs"]] == [
        f"2026-{day} 07:30" for day in ("11-26", "11-30", "12-03", "12-07", "12-10")
    ]
    spanish = console.client().post("/exports/estimate", json=FORM, headers={"Accept-Language": "es"}).json()
    assert spanish["next_runs"][0] == {"local": "26/11/2026 02:30", "utc": "26/11/2026 07:30"}
    refused = console.client().post("/exports/estimate", json=FORM | {"on_quota_exceeded": "fail"}).json()
    assert refused["matches"]["exported_now"] == 0
    assert not list((console.bench.definitions / "exports").iterdir())


def test_an_incomplete_search_is_reported_instead_of_counted(console: Console) -> None:
    console.bench.search("forgotten", {"field": "predictive_net_promoter_score", "operator": "equals"})
    answer = console.client().post("/exports/estimate", json=FORM | {"search": "forgotten"}).json()
    assert "matches" not in answer
    assert "filters[0] predictive_net_promoter_score equals: value is missing" in answer["problems"][0]


def test_an_export_is_not_deleted_while_it_runs(console: Console) -> None:
    record = console.bench.run(console.bench.export("nightly"))
    client, engine = console.client(), console.bench.site().engine
    page = text(console, "/exports/nightly")
    seen = page.split('data-seen="')[1].split('"')[0]
    with engine.begin() as connection:
        connection.execute(update(runs).values(status="RUNNING"))
    answer = client.request("DELETE", "/exports/nightly", json={"seen": seen})
    assert (answer.status_code, answer.json()["code"]) == (409, "RUN_ACTIVE")
    with engine.begin() as connection:
        connection.execute(update(runs).values(status="COMPLETED"))
    assert client.request("DELETE", "/exports/nightly", json={"seen": "another"}).status_code == 409
    assert client.request("DELETE", "/exports/nightly", json={"seen": seen}).status_code == 200
    assert console.events("deleted")[0].subject == "export nightly"
    assert client.get("/exports/nightly").status_code == 404
    assert record.run_key in text(console, "/audit")


@pytest.mark.faults("definitions")
def test_a_broken_file_is_listed_with_what_is_wrong_and_its_siblings_stay(console: Console) -> None:
    console.bench.export("good")
    (console.bench.definitions / "exports/bad.yaml").write_text("name: Bad\nsearch: everything\nstorage: archive\n")
    listed = text(console, "/exports")
    assert "exports/bad.yaml:3 storage: unknown key &#39;storage&#39;" in listed
    assert "Broken" in listed
    assert 'data-run="export-good"' in listed
    assert "This file does not load" in text(console, "/exports/bad")


def test_a_viewer_sees_exports_and_cannot_edit_them(console: Console) -> None:
    console.bench.export("nightly")
    assert "data-pause" not in text(console, "/exports", "vera")
    page = text(console, "/exports/nightly", "vera")
    assert "<fieldset disabled>" in page
    assert 'type="submit"' not in page


def test_a_copy_starts_with_the_values_of_the_original(console: Console) -> None:
    console.client().post("/exports", json=FORM)
    page = text(console, "/new?copy=weekly-b-calls-b")
    assert 'value="Weekly &lt;b&gt;calls&lt;/b&gt;"' in page
    assert 'value="thu" checked' in page


@pytest.mark.faults("disk")
def test_where_the_folder_is_read_only_the_pages_say_so(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    from bulk_export.definitions.store import DefinitionStore

    console.bench.export("nightly")
    monkeypatch.setattr(DefinitionStore, "writable", lambda *_: False)
    assert "read-only here" in text(console, "/exports")
    assert "<fieldset disabled>" in text(console, "/exports/nightly")


def offered(page: str, name: str) -> dict[str, str]:
    """What a drop-down of the form offers: labels by value."""
    (select,) = re.findall(rf'<select id="{name}"[^>]*>(.*?)</select>', page, re.DOTALL)
    return dict(re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', select))


def test_a_new_export_offers_every_registered_format_by_its_name(console: Console) -> None:
    flac = MediaFormat("flac", "FLAC", frozenset({"audio_only"}), "flac", "audio/flac", "flac")
    subtitles = TranscriptFormat("vtt", "WebVTT", "vtt", "text/vtt", "somewhere:as_vtt")
    before = text(console, "/new")
    with MEDIA_FORMATS.registered(flac), TRANSCRIPT_FORMATS.registered(subtitles):
        page = text(console, "/new")
        saved = console.client().post("/exports", json=FORM | {"audio_only": "flac", "transcripts": "vtt"})
        edited = text(console, f"/exports/{saved.json()['id']}")
    videos = {"none": "None", "mp4": "MP4 (H.264, AAC)", "webm": "WebM (VP9, Opus)", "wmv": "WMV"}
    sounds = {"none": "None", "wav": "WAV (PCM)", "mp3": "MP3", "ogg": "OGG (Opus)", "original": "As stored"}
    assert offered(before, "audio_video") == offered(page, "audio_video") == videos | {"original": "As stored"}
    assert offered(before, "audio_only") == sounds
    assert offered(page, "audio_only") == sounds | {"flac": "FLAC"}
    assert offered(before, "transcripts") == {"none": "None", "json": "JSON", "xml": "XML"}
    assert offered(page, "transcripts") == {"none": "None", "json": "JSON", "xml": "XML", "vtt": "WebVTT"}
    assert '<option value="flac" selected>' in edited
    assert '<option value="vtt" selected>' in edited
