"""Delivered runs for programs not written here to read: contacts with hostile values, and media in each format."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bulk_export.state.records import RunStatus
from bulk_export_sample.encode import ScreenFormat, write_screen

for folder in (Path(__file__).parents[1] / "pipeline", Path(__file__).parent):
    sys.path.insert(0, str(folder))

from hostile import FIRST_ID, FORMATS, HOSTILE, PROFILES, SECONDS, STARTED_AT, Delivered  # noqa: E402
from workbench import Workbench  # noqa: E402


@pytest.fixture(scope="session")
def deliver(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Runs an export of the contacts a function makes, and gives its directory."""

    def run(contacts: Callable[[Workbench], list[dict[str, Any]]], **export: Any) -> Path:
        bench = Workbench(tmp_path_factory.mktemp("installation"))
        bench.contacts(contacts(bench))
        bench.export(**export)
        record = bench.run()
        assert record.status is RunStatus.COMPLETED, record
        return bench.directory(record)

    return run


@pytest.fixture(scope="session")
def hostile_runs(deliver: Callable[..., Path]) -> dict[str, Path]:
    """One run for each profile, of e-mails with hostile subjects, names and metadata, and one recycled call."""

    def contacts(bench: Workbench) -> list[dict[str, Any]]:
        rows = []
        for place, (stored, _) in enumerate(HOSTILE):
            words = {"last_name": stored, "subject": stored, "metadata": [("account-key", stored)]}
            row = bench.call(
                FIRST_ID + place, seconds=0.01, contact_type="EMAIL", hold_ratio=0.1 + place / 1000, **words
            )
            rows.append(row | {"started_at": STARTED_AT + timedelta(seconds=place)})
        rows.append(bench.call(FIRST_ID + len(HOSTILE), started_at=STARTED_AT + timedelta(hours=1), recycled=True))
        return rows

    return {
        profile: deliver(
            contacts,
            csv={"profile": profile, "metadata_parquet": True},
            transcripts="xml" if profile == "excel" else "json",
            media={"audio_only": "original"},
            name=f"Hostile / {profile} …",
        )
        for profile in PROFILES
    }


@pytest.fixture(params=PROFILES)
def delivered(request: pytest.FixtureRequest, hostile_runs: dict[str, Path]) -> Delivered:
    """The run of each profile in turn."""
    return Delivered(hostile_runs[request.param], request.param)


@pytest.fixture(scope="session")
def media_runs(deliver: Callable[..., Path]) -> dict[str, Path]:
    """The media folder of a run for each pair of formats: 1 has audio, 2 audio and screen, 3 a screen alone."""

    def contacts(bench: Workbench) -> list[dict[str, Any]]:
        images = [np.full((48, 64, 3), 25 * number, np.uint8) for number in range(int(SECONDS * 5))]
        write_screen(bench.root / "store/media/screen.webm", images, ScreenFormat.VP8, size=(64, 48), fps=5)
        audio, both, screen = (bench.call(number, seconds=SECONDS) for number in (1, 2, 3))
        screen |= {"contact_type": "SCREEN_ONLY", "audio_uri": None}
        return [audio, both | {"screen_uri": "media/screen.webm"}, screen | {"screen_uri": "media/screen.webm"}]

    return {
        f"{video} {audio}": deliver(contacts, media={"audio_video": video, "audio_only": audio}) / "data/media/0001"
        for video, audio in FORMATS
    }


@pytest.fixture(scope="session")
def program() -> Callable[[str, str], str]:
    """The path of a program; the test is skipped where it is not installed."""

    def find(name: str, package: str) -> str:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not installed (Debian: {package})")
        return found

    return find
