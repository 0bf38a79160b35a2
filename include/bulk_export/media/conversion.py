"""What a converting process is asked and what it answers: one JSON line each way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from bulk_export.media.faults import MediaLimits
from bulk_export.media.plan import RequestedFile
from bulk_export.reasons import Reason


@dataclass(frozen=True, slots=True)
class Conversion:
    """A file to make.

    Attributes:
        requested: what it shall be.
        audio: the stored audio file, None when it is not needed.
        screen: the stored screen file, likewise.
        into: where to write; replaced when it is there.
        limits: what it may take.
    """

    requested: RequestedFile
    audio: Path | None
    screen: Path | None
    into: Path
    limits: MediaLimits

    def to_line(self) -> bytes:
        """As one line."""
        paths = {name: str(path) if (path := getattr(self, name)) else None for name in ("audio", "screen", "into")}
        return (
            json.dumps({"requested": asdict(self.requested), "limits": asdict(self.limits), **paths}).encode() + b"\n"
        )

    @classmethod
    def from_line(cls, line: bytes) -> Conversion:
        """What `to_line` wrote."""
        data = json.loads(line)
        requested = data["requested"] | {"sources": tuple(data["requested"]["sources"])}
        audio, screen = (Path(data[name]) if data[name] else None for name in ("audio", "screen"))
        return cls(RequestedFile(**requested), audio, screen, Path(data["into"]), MediaLimits(**data["limits"]))


@dataclass(frozen=True, slots=True)
class ConversionOutcome:
    """What became of a conversion.

    Attributes:
        verdict: `built` (the file is there), `copy` (the stored file already is what was asked for), `fault` (of the
            stored file) or `failed` (of this machine: no room, no file system).
        reason: of a fault.
        detail: of a fault or failure.
    """

    verdict: Literal["built", "copy", "fault", "failed"]
    reason: Reason | None = None
    detail: str = ""

    def to_line(self) -> bytes:
        """As one line."""
        return json.dumps({"verdict": self.verdict, "reason": self.reason, "detail": self.detail}).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> ConversionOutcome:
        """What `to_line` wrote; `ValueError` for anything else."""
        data = json.loads(line)
        return cls(data["verdict"], Reason(data["reason"]) if data["reason"] else None, data["detail"])
