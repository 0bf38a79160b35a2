"""A whole run delivers formats that only this test has registered."""

from __future__ import annotations

import sys
import types

import pytest
from workbench import Workbench, files_of

from bulk_export.bag.verify import verify_run
from bulk_export.formats.encoders import AudioEncoder
from bulk_export.formats.media import MEDIA_FORMATS, MediaFormat
from bulk_export.formats.transcripts import TRANSCRIPT_FORMATS, TranscriptFormat
from bulk_export.state.records import RunStatus
from bulk_export.storage.local import LocalStorage
from bulk_export.transcripts.document import Transcript
from bulk_export.transcripts.transcript_file import TranscriptFile

SUBTITLES = TranscriptFormat("vtt", "WebVTT", "vtt", "text/vtt", "made_up_subtitles:as_vtt")
FLAC = MediaFormat(
    "flac",
    "FLAC",
    frozenset({"audio_only"}),
    "flac",
    "audio/flac",
    "flac",
    AudioEncoder("flac", "flac", "s16"),
    frozenset({"flac"}),
)


def as_vtt(transcript: Transcript) -> TranscriptFile:
    cues = [f"{segment['speaker']}: {segment['text']}\n" for segment in transcript.segments]
    return TranscriptFile("\n".join(["WEBVTT\n", *cues]).encode(), fixes=1)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that the format names, as an installed package would bring it."""
    module = types.ModuleType("made_up_subtitles")
    module.as_vtt = as_vtt  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_up_subtitles", module)


@pytest.mark.usefixtures("writer")
def test_further_formats_are_delivered_counted_and_proven(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2)])
    with TRANSCRIPT_FORMATS.registered(SUBTITLES), MEDIA_FORMATS.registered(FLAC):
        bench.export(transcripts="vtt", media={"audio_only": "flac"})
        record = bench.run()
    assert record.status is RunStatus.COMPLETED
    assert record.formats["transcripts"] == "vtt"
    files = files_of(bench.directory(record))
    assert files["data/transcripts/0001/1.vtt"] == b"WEBVTT\n\na: thank you for calling\n"
    assert files["data/media/0001/2.flac"].startswith(b"fLaC")
    assert record.transcript_fixes == 2
    items = bench.items(record)
    assert items[2]["transcript_file"] == "data/transcripts/0001/2.vtt"
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()
