"""One more format, registered here, is in everything that is derived from the registries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pydantic import ValidationError

import reference
from bulk_export.contacts.addresses import Addresses
from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.models import MediaFormats, SavedExport
from bulk_export.definitions.run import ImmediateExport
from bulk_export.formats.choices import form_choices, format_labels
from bulk_export.formats.encoders import PCM, AudioEncoder
from bulk_export.formats.media import MEDIA_FORMATS, MediaFormat
from bulk_export.formats.transcripts import TRANSCRIPT_FORMATS, TranscriptFormat
from bulk_export.media.plan import Build, Probed, RequestedFile, Track, plan, requested_files
from bulk_export.media.stored_extension import stored_extension
from bulk_export.staging.journal import Journal
from bulk_export.storage.content_types import content_type
from bulk_export.storage.local import LocalStorage
from bulk_export.transcripts.job import export_job_transcripts

FLAC = MediaFormat(
    "flac",
    "FLAC (lossless)",
    frozenset({"audio_only"}),
    "flac",
    "audio/flac",
    "flac",
    AudioEncoder("flac", "flac", "s16"),
    frozenset({"flac"}),
)
SUBTITLES = TranscriptFormat("vtt", "WebVTT", "vtt", "text/vtt", "somewhere:as_vtt")
EXPORT: dict[str, Any] = {"id": "nightly", "name": "Nightly", "search": "everything", "storage_location": "archive"}


def choices_in(schema: dict[str, Any], model: str, key: str) -> list[str]:
    """The names that a JSON schema allows for a key."""
    part = schema["properties"] if model == schema["title"] else schema["$defs"][model]["properties"]
    found: list[str] = []
    for alternative in part[key].get("anyOf", [part[key]]):
        found += alternative.get("enum", [alternative["const"]] if "const" in alternative else [])
    return found


def test_what_can_be_asked_for_are_the_registered_formats() -> None:
    assert [*format_labels("audio_video")] == ["mp4", "webm", "wmv", "original"]
    assert [*format_labels("audio_only")] == ["wav", "mp3", "ogg", "original"]
    assert form_choices("transcripts") == {"none": "None", "json": "JSON", "xml": "XML"}
    with pytest.raises(LookupError, match="no formats are asked for by 'subtitles'"):
        form_choices("subtitles")


def test_a_further_media_format_is_accepted_where_it_serves_and_nowhere_else() -> None:
    with MEDIA_FORMATS.registered(FLAC):
        export = SavedExport.model_validate(EXPORT | {"media": {"audio_only": "flac"}})
        assert export.media.audio_only == "flac"
        assert ImmediateExport.model_validate({**_immediate(), "audio_only": "flac"}).as_export().media == export.media
        with pytest.raises(ValidationError, match="'mp4', 'webm', 'wmv' or 'original'"):
            SavedExport.model_validate(EXPORT | {"media": {"audio_video": "flac"}})
    with pytest.raises(ValidationError, match="'wav', 'mp3', 'ogg' or 'original'"):
        SavedExport.model_validate(EXPORT | {"media": {"audio_only": "flac"}})


def test_a_further_transcript_format_is_accepted() -> None:
    with TRANSCRIPT_FORMATS.registered(SUBTITLES):
        assert SavedExport.model_validate(EXPORT | {"transcripts": "vtt"}).transcripts == "vtt"
        assert ImmediateExport.model_validate({**_immediate(), "transcripts": "vtt"}).as_export().transcripts == "vtt"
    with pytest.raises(ValidationError, match="'json', 'xml' or 'none'"):
        SavedExport.model_validate(EXPORT | {"transcripts": "vtt"})


def test_further_formats_are_in_the_json_schemas() -> None:
    with MEDIA_FORMATS.registered(FLAC), TRANSCRIPT_FORMATS.registered(SUBTITLES):
        saved, immediate = SavedExport.model_json_schema(), ImmediateExport.model_json_schema()
    assert choices_in(saved, "MediaFormats", "audio_only") == ["wav", "mp3", "ogg", "original", "flac", "none"]
    assert choices_in(saved, "MediaFormats", "audio_video") == ["mp4", "webm", "wmv", "original", "none"]
    assert "vtt" in choices_in(saved, "SavedExport", "transcripts")
    assert "flac" in choices_in(immediate, "ImmediateExport", "audio_only")
    assert "vtt" in choices_in(immediate, "ImmediateExport", "transcripts")
    assert "vtt" not in str(SavedExport.model_json_schema())


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"media": {"audio_only": "flak"}}, "'flak' is not one of wav, mp3, ogg, original, flac. Did you mean 'flac'?"),
        ({"transcripts": "vt"}, "'vt' is not one of json, xml, vtt, none. Did you mean 'vtt'?"),
        ({"transcripts": ["vtt"]}, "['vtt'] is not one of json, xml, vtt, none."),
    ],
)
def test_a_wrong_format_in_a_file_is_answered_with_the_nearest_registered_one(
    changes: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    (tmp_path / "exports").mkdir()
    content = {key: value for key, value in EXPORT.items() if key != "id"} | changes
    (tmp_path / "exports/nightly.yaml").write_text(yaml.safe_dump(content))
    with MEDIA_FORMATS.registered(FLAC), TRANSCRIPT_FORMATS.registered(SUBTITLES):
        problems = load_definitions(tmp_path).problems
    assert [one for one in problems if problem in one.message]


def test_further_formats_have_their_mime_types() -> None:
    assert content_type("data/transcripts/0001/1.vtt") == "application/octet-stream"
    with MEDIA_FORMATS.registered(FLAC), TRANSCRIPT_FORMATS.registered(SUBTITLES):
        assert content_type("data/transcripts/0001/1.vtt") == "text/vtt"
        assert content_type("data/media/0001/1.FLAC") == "audio/flac"
    assert content_type("data/media/0001/1.wav") == "audio/vnd.wave"
    assert content_type("data/contacts.csv") == "text/csv; charset=utf-8"
    assert content_type("data/media/0001/no-extension") == "application/octet-stream"


def test_every_delivered_format_has_an_extension_and_a_mime_type_that_content_types_give() -> None:
    for format in (*(one for one in MEDIA_FORMATS if not one.as_stored), *TRANSCRIPT_FORMATS):
        assert content_type(f"1.{format.extension}") == format.mime_type != ""


def test_a_file_delivered_as_stored_has_an_extension_that_some_container_has() -> None:
    for format in MEDIA_FORMATS:
        if not format.as_stored:
            assert stored_extension(format.container, f"1.{format.extension}") == format.extension


def test_further_formats_are_in_the_documents() -> None:
    with MEDIA_FORMATS.registered(FLAC), TRANSCRIPT_FORMATS.registered(SUBTITLES):
        page = reference.definitions_page()
    assert page.count("`wav` `mp3` `ogg` `original` `flac`") == 2  # of a saved export, of one sent at once
    assert page.count("`json` `xml` `vtt` `none`") == 2
    assert "flac" not in reference.definitions_page()


def test_a_further_media_format_is_requested_and_planned() -> None:
    with MEDIA_FORMATS.registered(FLAC):
        wanted = MediaFormats.model_validate({"audio_only": "flac"})
        assert requested_files("CALL", wanted, has_audio=True, has_screen=False) == (
            RequestedFile("media", FLAC, ("audio",)),
        )
    made = plan(RequestedFile("media", FLAC, ("audio",)), Probed("wav", "pcm_s16le"), None)
    assert made == Build(FLAC, (Track("audio", "audio", copied=False),))


def test_a_format_nobody_has_registered_raises_by_name(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"there is no media format 'flac'\. There are: wav, mp3, .*original"):
        MEDIA_FORMATS["flac"]
    storage = LocalStorage(tmp_path)
    with pytest.raises(LookupError, match=r"there is no transcript format 'pdf'\. There are: json, xml\."):
        export_job_transcripts(
            pa.table({"contact_id": [1], "recycled": [False], "transcript_uri": ["1.json"]}),
            job=1,
            format="pdf",
            addresses=Addresses(storage),
            destination=storage,
            run_prefix="run",
            journal=Journal(storage, "journal"),
            progress=lambda *, contacts_done, bytes_written: None,
        )


def test_a_key_is_registered_once() -> None:
    with pytest.raises(ValueError, match="the media format 'wav' is registered already"):
        MEDIA_FORMATS.register(MediaFormat("wav", "Another", frozenset(), "wav", "audio/wav", "wav", PCM))


def _immediate() -> dict[str, Any]:
    return {key: value for key, value in EXPORT.items() if key != "id"}
