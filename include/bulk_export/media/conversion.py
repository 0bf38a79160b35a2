"""Request and answer of a converting process: one JSON line each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from bulk_export.formats.encoders import AudioEncoder, VideoEncoder
from bulk_export.formats.media import MediaFormat
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
        # The format goes as a whole: the process need not have registered it.
        line = {"requested": asdict(self.requested), "limits": asdict(self.limits), **paths}
        return json.dumps(line, default=sorted).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Conversion:
        """What `to_line` wrote."""
        data = json.loads(line)
        requested = data["requested"]
        requested |= {"sources": tuple(requested["sources"]), "format": _format_of(requested["format"])}
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
        code: of a failure, one of the table of error codes.
    """

    verdict: Literal["built", "copy", "fault", "failed"]
    reason: Reason | None = None
    detail: str = ""
    code: str = ""

    def to_line(self) -> bytes:
        """As one line."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> ConversionOutcome:
        """What `to_line` wrote; `ValueError` for anything else."""
        data = json.loads(line)
        return cls(data["verdict"], Reason(data["reason"]) if data["reason"] else None, data["detail"], data["code"])


def _format_of(data: dict[str, Any]) -> MediaFormat:
    """The format that `asdict` took apart and JSON has changed: sets are lists, keys are texts."""
    audio, video = data["audio"], data["video"]
    return MediaFormat(
        **data
        | {name: frozenset(data[name]) for name in ("serves", "audio_fits", "video_fits")}
        | {"audio": _audio_encoder_of(audio) if audio else None, "video": VideoEncoder(**video) if video else None}
    )


def _audio_encoder_of(data: dict[str, Any]) -> AudioEncoder:
    kbits = {int(rate): kbits for rate, kbits in data["kbits"].items()}
    return AudioEncoder(**data | {"kbits": kbits, "rates": tuple(data["rates"])})
