"""A whole installation in a temporary folder: definitions, a contact store made to measure, and a site on it."""

from __future__ import annotations

import json
import uuid
import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import yaml
from sqlalchemy import func, select, update

from bulk_export import pipeline
from bulk_export.contacts.schema import canonical_schema
from bulk_export.definitions.run import ImmediateExport, RunParameters
from bulk_export.pipeline import run_export
from bulk_export.runs.request import RunRequest
from bulk_export.site import Site
from bulk_export.state.database import transaction
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.tables import quota_days, reservations, runs

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class Workbench:
    """Definitions, store and site below one folder; every part may be changed before a run."""

    root: Path
    now: datetime = NOW
    settings: dict[str, Any] = field(default_factory=dict)
    report: Any = None

    @classmethod
    def at(cls, root: Path) -> Workbench:
        """The installation that stands below a folder already."""
        bench = object.__new__(cls)
        settings = yaml.safe_load((root / "definitions/settings.yaml").read_text())
        bench.root, bench.now, bench.settings, bench.report = root, NOW, settings, None
        return bench

    def __post_init__(self) -> None:
        for folder in ("definitions/searches", "definitions/exports", "store/contacts", "store/media"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "store/transcripts").mkdir()
        self.settings = {
            "environment": {"name": "acme", "time_zone": "America/Bogota"},
            "licence": {"type": "performance"},
            "contact_store": {"type": "parquet", "uri": "../store"},
            "storage_locations": {"archive": {"type": "local", "path": "../exports"}},
            "staging": {"type": "local", "path": "../staging"},
            "state": {"url": "sqlite:///../state.db"},
            "exportable_metadata": ["account-key"],
        } | self.settings
        self.write_settings()
        self.search("everything")

    @property
    def definitions(self) -> Path:
        return self.root / "definitions"

    def write_settings(self, **changes: Any) -> None:
        self.settings |= changes
        (self.definitions / "settings.yaml").write_text(yaml.safe_dump(self.settings))

    def search(self, name: str, *filters: Mapping[str, Any]) -> None:
        every = {"field": "started_at", "operator": "after", "value": "2000-01-01"}
        content = {"name": name.title(), "filters": list(filters or [every])}
        (self.definitions / f"searches/{name}.yaml").write_text(yaml.safe_dump(content))

    def export(self, stem: str = "nightly", **changes: Any) -> str:
        content = {"name": "Nightly", "search": "everything", "storage_location": "archive", "transcripts": "json"}
        content["media"] = {"audio_video": "original", "audio_only": "original"}
        path = self.definitions / f"exports/{stem}.yaml"
        path.write_text(yaml.safe_dump(content | changes, allow_unicode=True))
        return stem

    def contacts(self, rows: Iterable[Mapping[str, Any]], *, file: str = "contacts") -> None:
        """Write catalogue rows; what a row does not say is null."""
        schema = canonical_schema((), with_text=True).append(pa.field("metadata", pa.map_(pa.string(), pa.string())))
        table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
        pq.write_table(table.sort_by([("started_at", "ascending")]), self.root / f"store/contacts/{file}.parquet")

    def call(self, contact_id: int, *, seconds: float = 0.5, transcript: bool = True, **changes: Any) -> dict[str, Any]:
        """A call with audible audio and a transcript, its objects written."""
        write_wav(self.root / f"store/media/{contact_id}.wav", seconds)
        row = {
            "contact_id": contact_id,
            "started_at": NOW - timedelta(days=1) + timedelta(seconds=contact_id),
            "updated_at": NOW - timedelta(hours=1),
            "time_zone": "America/Bogota",
            "contact_type": "CALL",
            "is_root": False,
            "recycled": False,
            "audio_uri": f"media/{contact_id}.wav",
            "metadata": [("account-key", f"A{contact_id}"), ("secret-key", "never exported")],
        }
        if transcript:
            row["transcript_uri"] = f"transcripts/{contact_id}.json"
            (self.root / f"store/transcripts/{contact_id}.json").write_text(json.dumps(transcript_of(contact_id)))
        return row | changes

    def site(self) -> Site:
        """A fresh site, as every task process has its own."""
        site = Site(definitions=self.definitions, clock=lambda: self.now)
        return replace(site, report=self.report) if self.report else site

    def request(self, export: str = "nightly", **changes: Any) -> RunRequest:
        parameters = changes.pop("parameters", {})
        immediate = changes.pop("immediate", None)
        return RunRequest(
            run_id=changes.pop("run_id", f"cli/{uuid.uuid4()}"),
            export_id=export,
            trigger="cli",
            as_of=self.now,
            parameters=RunParameters(**parameters),
            immediate=ImmediateExport(**immediate) if immediate else None,
            **changes,
        )

    def run(self, export: str = "nightly", **changes: Any) -> RunRecord:
        return run_export(self.site(), self.request(export, **changes))

    def up_to_publishing(self, request: RunRequest) -> Site:
        """Every stage but publishing and the audit, as their tasks run them one by one."""
        site, run_id = self.site(), pipeline.validate_filters(self.site(), request)
        pipeline.check_quota(site, run_id)
        for job in pipeline.batch_contacts(site, run_id):
            pipeline.copy_media(site, run_id, job)
            pipeline.export_transcripts(site, run_id, job)
        pipeline.build_csv(site, run_id)
        return site

    def directory(self, record: RunRecord) -> Path:
        return self.root / "exports" / record.directory

    def items(self, record: RunRecord) -> dict[int, dict[str, Any]]:
        """items.csv by contact id."""
        rows = read_csv(self.directory(record) / "data/items.csv")
        return {int(row["contact_id"]): row for row in rows}


def unpublish(bench: Workbench, record: RunRecord) -> None:
    """Make of a finished run one that was killed between its marker and its record."""
    numbers = ("exported", "masked", "jobs", "media_files", "media_bytes", "transcript_files", "transcript_bytes")
    values = dict.fromkeys(numbers, 0) | {"by_status": {}, "by_reason": {}}
    values |= {"manifest_sha256": "", "published_at": None, "ended_at": None, "status": RunStatus.RUNNING}
    with transaction(bench.site().engine) as connection:
        connection.execute(update(runs).where(runs.c.run_id == record.run_id).values(values))
        held = {"state": "held", "charged": reservations.c.granted}
        connection.execute(update(reservations).where(reservations.c.run_id == record.run_id).values(held))
        used = connection.execute(select(func.sum(reservations.c.charged))).scalar_one()
        connection.execute(update(quota_days).values(used=used))


def read_csv(path: Path) -> list[dict[str, Any]]:
    """A delivered CSV as a receiver reads it, every cell as text."""
    names = pacsv.open_csv(path).schema.names
    options = pacsv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    parse = pacsv.ParseOptions(newlines_in_values=True)
    rows: list[dict[str, Any]] = pacsv.read_csv(path, convert_options=options, parse_options=parse).to_pylist()
    return rows


def write_wav(path: Path, seconds: float, *, rate: int = 8000) -> None:
    """A 440 Hz tone, 16-bit PCM."""
    import math

    samples = [int(8000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(int(seconds * rate))]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))


def transcript_of(contact_id: int, text: str = "thank you for calling") -> dict[str, Any]:
    """A stored transcript of one segment."""
    return {
        "schema": "transcript-1.0",
        "contact_id": contact_id,
        "language": "en",
        "channel": "voice",
        "participants": [{"id": "a", "role": "agent"}],
        "segments": [{"speaker": "a", "start_ms": 0, "end_ms": 400, "text": text}],
    }


def files_of(directory: Path) -> dict[str, bytes]:
    """Every file of a delivered directory with its bytes."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }
