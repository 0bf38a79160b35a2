"""Definitions are read whole or refused with every problem at once, by file and line."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from bulk_export.definitions.loader import load_definitions
from bulk_export.errors import DefinitionError, Problem

SETTINGS = """\
environment: {name: acme, time_zone: America/Bogota}
licence: {type: performance}
contact_store: {type: parquet, uri: ../../var/store}
storage_locations:
  archive: {type: local, path: ../../var/exports}
  lake: {type: s3, bucket: acme-exports, prefix: calls, connection: aws_default}
staging: {type: local, path: ../../var/staging}
state: {url: sqlite:///../../var/state.db}
exportable_metadata: [account-key, service-key]
"""
SEARCH = """\
name: Detractors of the last week
filters:
  - {field: started_at, operator: last_days, value: 7}
  - {field: predictive_net_promoter_score, operator: less_than, value: 0.3}
  - {field: contact_type, operator: is_any_of, value: [CALL, CHAT]}
"""
EXPORT = """\
name: Weekly detractors
search: recent-detractors
storage_location: archive
media: {audio_video: mp4, audio_only: wav}
transcripts: json
schedule: {weekly: {days: [mon, thu], time: "02:30"}, time_zone: America/Bogota}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The normative set of the specification."""
    (tmp_path / "searches").mkdir()
    (tmp_path / "exports").mkdir()
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    (tmp_path / "searches/recent-detractors.yaml").write_text(SEARCH)
    (tmp_path / "exports/weekly-detractors.yaml").write_text(EXPORT)
    return tmp_path


def export_problems(folder: Path, text: str) -> list[str]:
    (folder / "exports/weekly-detractors.yaml").write_text(text)
    return [str(problem) for problem in load_definitions(folder).problems]


def test_the_normative_set_loads_without_a_problem(folder: Path) -> None:
    definitions = load_definitions(folder)

    assert definitions.problems == ()
    export = definitions.exports["weekly-detractors"]
    assert (export.id, export.dag_id, export.media.audio_video) == (
        "weekly-detractors",
        "export-weekly-detractors",
        "mp4",
    )
    assert export.schedule is not None
    assert export.schedule.weekly is not None
    assert export.schedule.weekly.days == ("mon", "thu")
    settings = definitions.require_settings()
    assert (settings.licence.contacts_per_day, settings.licence.contacts_per_job) == (40_000, 10_000)
    assert set(settings.storage_locations) == {"archive", "lake"}


@pytest.mark.faults("definitions")
def test_every_problem_of_a_file_is_reported_at_once_with_line_value_and_nearest_name(folder: Path) -> None:
    problems = export_problems(
        folder,
        """\
name: Weekly detractors
serach: recent-detractors
storage_location: archive
media:
  audio_video: mp5
  audio_only: mp33
transcripts: yaml
schedule: {weekly: {days: [mon, thur], time: 2:30}, time_zone: America/Bogata}
""",
    )

    assert problems == [
        "exports/weekly-detractors.yaml:1 search: is missing",
        "exports/weekly-detractors.yaml:2 serach: unknown key 'serach'. Did you mean 'search'?",
        "exports/weekly-detractors.yaml:5 media.audio_video: 'mp5' is not one of mp4, webm, wmv, original."
        " Did you mean 'mp4'?",
        "exports/weekly-detractors.yaml:6 media.audio_only: 'mp33' is not one of wav, mp3, ogg, original."
        " Did you mean 'mp3'?",
        "exports/weekly-detractors.yaml:7 transcripts: 'yaml' is not one of json, xml, none. Did you mean 'xml'?",
        "exports/weekly-detractors.yaml:8 schedule.time_zone: 'America/Bogata' is not an IANA time zone such as"
        " America/Bogota. Did you mean 'America/Bogota'?",
        "exports/weekly-detractors.yaml:8 schedule.weekly.days[1]: 'thur' is not one of mon, tue, wed, thu, fri, sat,"
        " sun. Did you mean 'thu'?",
        "exports/weekly-detractors.yaml:8 schedule.weekly.time: '2:30' is not a time of day such as \"02:30\"",
    ]


@pytest.mark.faults("definitions")
@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("{time_zone: UTC}", "schedule: give exactly one of weekly, monthly, cron"),
        ('{cron: "0 6 * * *", monthly: {day: 1, time: "06:00"}, time_zone: UTC}', "give exactly one of"),
        ('{cron: "0 0 * * * *", time_zone: UTC}', "must have exactly five fields"),
        ('{cron: "0 0 31 2 *", time_zone: UTC}', "'0 0 31 2 *' never fires"),
        ('{cron: "61 0 * * *", time_zone: UTC}', "is not a cron expression"),
        ('{monthly: {day: 32, time: "06:00"}, time_zone: UTC}', "schedule.monthly.day: 32: "),
        ('{weekly: {days: [], time: "06:00"}, time_zone: UTC}', "schedule.weekly.days"),
        ('{weekly: {days: [mon], time: "06:00"}}', "schedule.time_zone: is missing"),
    ],
)
def test_a_schedule_that_would_not_do_what_it_says_is_refused(folder: Path, schedule: str, message: str) -> None:
    [problem] = export_problems(folder, EXPORT.replace(EXPORT.splitlines()[-1], f"schedule: {schedule}"))

    assert problem.startswith("exports/weekly-detractors.yaml:6 ")
    assert message in problem


@pytest.mark.faults("definitions")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- a\n- b\n", "must be a mapping"),
        ("name: [unclosed\n", "is not YAML"),
        ("name: a\nname: b\n", "weekly-detractors.yaml:2 name: is given twice"),
        ("name: !python/object x\n", "has the unknown tag !python/object"),
        ("name: a\nid: b\nsearch: s\nstorage_location: archive\n", "id: unknown key 'id'"),
    ],
)
def test_what_is_no_definition_is_a_problem_and_never_a_traceback(folder: Path, text: str, message: str) -> None:
    assert any(message in problem for problem in export_problems(folder, text))


@pytest.mark.faults("definitions")
def test_an_alias_bomb_is_refused_quickly(folder: Path) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    names = "abcdefghij"
    for before, name in itertools.pairwise(names):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"

    assert any("too large" in problem for problem in export_problems(folder, bomb))


@pytest.mark.faults("definitions")
def test_bytes_that_are_no_text_are_named_with_their_line(folder: Path) -> None:
    (folder / "exports/weekly-detractors.yaml").write_bytes(b"name: a\nsearch: \xff\n")

    assert load_definitions(folder).problems == (Problem("exports/weekly-detractors.yaml", 2, "", "is not UTF-8 text"),)


def test_plain_words_stay_words(folder: Path) -> None:
    (folder / "searches/recent-detractors.yaml").write_text(
        "name: on\nfilters:\n"
        "  - {field: hr, operator: is, value: yes}\n"
        "  - {field: reason, operator: equals, value: 012}\n"
    )

    search = load_definitions(folder).searches["recent-detractors"]

    # YAML 1.1 would have made these True, True and 10.
    assert search.name == "on"
    assert [item.value for item in search.filters] == ["yes", 12]


@pytest.mark.faults("definitions")
def test_a_broken_file_leaves_the_others_alone(folder: Path) -> None:
    (folder / "exports/broken.yaml").write_text("name: 7\n")

    definitions = load_definitions(folder)

    assert list(definitions.exports) == ["weekly-detractors"]
    assert {problem.file for problem in definitions.problems} == {"exports/broken.yaml"}


def test_an_incomplete_filter_loads_and_is_named_with_its_line(folder: Path) -> None:
    (folder / "searches/recent-detractors.yaml").write_text(
        "name: Detractors\nfilters:\n"
        "  - {field: started_at, operator: last_days, value: 7}\n"
        "  - {field: predictive_net_promoter_score, operator: equals}\n"
    )

    definitions = load_definitions(folder)

    [problem] = definitions.problems
    assert str(problem) == (
        "searches/recent-detractors.yaml:4: filters[1] predictive_net_promoter_score equals: value is missing"
    )
    assert not problem.blocks_loading
    assert "recent-detractors" in definitions.searches


def test_names_that_lead_nowhere_are_problems_of_the_run_not_of_loading(folder: Path) -> None:
    (folder / "exports/weekly-detractors.yaml").write_text(
        EXPORT.replace("recent-detractors", "recent-detractor").replace("archive", "archiv")
    )

    definitions = load_definitions(folder)

    assert [str(problem) for problem in definitions.problems] == [
        "exports/weekly-detractors.yaml:2 search: there is no search 'recent-detractor'."
        " Did you mean 'recent-detractors'?",
        "exports/weekly-detractors.yaml:3 storage_location: there is no storage location 'archiv' in settings.yaml."
        " Did you mean 'archive'?",
    ]
    assert "weekly-detractors" in definitions.exports


def test_settings_problems_name_the_place_and_the_valid_names(folder: Path) -> None:
    (folder / "settings.yaml").write_text(
        SETTINGS.replace("type: local, path: ../../var/exports", "type: locl, path: x")
        .replace("bucket: acme-exports", "buckte: acme-exports")
        .replace("type: performance", "type: perfomance")
        + "colour: blue\n"
    )

    definitions = load_definitions(folder)

    assert [str(problem) for problem in definitions.problems] == [
        "settings.yaml:2 licence.type: 'perfomance' is not one of none, standard, performance."
        " Did you mean 'performance'?",
        "settings.yaml:5 storage_locations.archive: type 'locl' is not one of local, s3, azure, gcs."
        " Did you mean 'local'?",
        "settings.yaml:6 storage_locations.lake.bucket: is missing",
        "settings.yaml:6 storage_locations.lake.buckte: unknown key 'buckte'. Did you mean 'bucket'?",
        "settings.yaml:10 colour: unknown key 'colour'. Remove it.",
    ]
    with pytest.raises(DefinitionError, match=r"settings in .* do not load"):
        definitions.require_settings()


def test_only_the_asked_for_export_and_its_search_are_read(folder: Path) -> None:
    (folder / "exports/broken.yaml").write_text("name: 7\n")

    definitions = load_definitions(folder, only_export="weekly-detractors")

    assert list(definitions.exports) == ["weekly-detractors"]
    assert list(definitions.searches) == ["recent-detractors"]
    assert definitions.problems == ()


def test_a_missing_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"no definitions folder .*\n.*--definitions"):
        load_definitions(tmp_path / "nowhere")


@pytest.mark.faults("definitions")
def test_a_file_that_would_be_overlooked_is_a_problem(folder: Path) -> None:
    (folder / "exports/second.yml").write_text(EXPORT)

    assert [str(problem) for problem in load_definitions(folder).problems] == [
        "exports/second.yml: must be named .yaml to be read"
    ]


@pytest.mark.parametrize(
    "endpoint", ["http://maria:hunter2@host/", "https://host/?token=hunter2", "hunter2@host", "ftp://host", "http://[x"]
)
def test_an_endpoint_holds_no_secret_and_none_is_repeated(folder: Path, endpoint: str) -> None:
    (folder / "settings.yaml").write_text(SETTINGS.replace("prefix: calls", f'endpoint: "{endpoint}"'))
    (problem,) = [str(problem) for problem in load_definitions(folder).problems]
    assert "storage_locations.lake.endpoint: it must be http://host:port or https://host:port" in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9000", "https://s3.acme.internal/", "s3.acme.internal:9000"])
def test_an_endpoint_is_a_host(folder: Path, endpoint: str) -> None:
    (folder / "settings.yaml").write_text(SETTINGS.replace("prefix: calls", f'endpoint: "{endpoint}"'))
    assert load_definitions(folder).problems == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("allowed", '["../recordings", "http://acme.example/x"]'),
        ("allowed", '["s3://key:hunter2@acme/x"]'),
        ("allowed", '["s3://"]'),
        ("uri", '"s3://key:hunter2@acme/x"'),
    ],
)
def test_places_of_a_contact_store_are_refused_where_nothing_can_be_there(folder: Path, key: str, value: str) -> None:
    store = {"type": "parquet", "uri": "../store"} | {key: value}
    text = ", ".join(f"{name}: {written}" for name, written in store.items())
    settings = SETTINGS.replace("{type: parquet, uri: ../../var/store}", f"{{{text}}}")
    (folder / "settings.yaml").write_text(settings)
    (problem,) = [str(problem) for problem in load_definitions(folder).problems]
    assert f"contact_store.{key}" in problem
    assert "hunter2" not in problem
