"""Arguments of a sample store, and the report of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from bulk_export.errors import DefinitionError

MOST_CONTACTS = 10_000_000
MOST_DAYS = 3_660
LEAST_AUDIO_BYTES = 4_096
MOST_AUDIO_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SampleReport:
    """What a sample store holds.

    Attributes:
        contacts: rows of the catalogue, root and recycled ones included.
        media_files: audio and screen files that are there.
        transcript_files: transcripts that are there.
        bytes: size of catalogue, media and transcripts together.
    """

    contacts: int
    media_files: int
    transcript_files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """The arguments that decide every byte of a sample store.

    Attributes:
        contacts: number of contacts, root and recycled ones included.
        seed: any number from 0; the same arguments give the same store.
        until: aware; every contact starts before it.
        days: how far back contacts go.
        media: write audio, screen video and transcripts. Without, there is only the catalogue.
        dirt: give a few percent of the contacts the faults real stores have.
        audio_bytes: when set, every contact is a call with one WAV file of this size (and a transcript), none of them
            root or recycled: for measuring.
    """

    contacts: int
    seed: int
    until: datetime
    days: int = 60
    media: bool = True
    dirt: bool = False
    audio_bytes: int | None = None

    @property
    def until_s(self) -> int:
        """The end of the window, whole seconds since 1970 in UTC."""
        return int(self.until.timestamp())

    def refuse_nonsense(self) -> None:
        """Raise `DefinitionError` SAMPLE_ARGUMENTS naming every argument out of range."""
        wrong: list[str] = []
        if not 1 <= self.contacts <= MOST_CONTACTS:
            wrong.append(f"contacts is {self.contacts}, not from 1 to {MOST_CONTACTS}")
        if self.seed < 0:
            wrong.append(f"seed is {self.seed}, not 0 or more")
        if not 1 <= self.days <= MOST_DAYS:
            wrong.append(f"days is {self.days}, not from 1 to {MOST_DAYS}")
        elif self.until.tzinfo is None:
            wrong.append("until has no time zone")
        elif self.until.astimezone(UTC) < datetime(1971, 1, 1, tzinfo=UTC) + timedelta(days=self.days):
            wrong.append(f"until is {self.until.isoformat()}, so that contacts would start before 1971")
        if self.audio_bytes is not None:
            if not LEAST_AUDIO_BYTES <= self.audio_bytes <= MOST_AUDIO_BYTES:
                wrong.append(f"audio_bytes is {self.audio_bytes}, not from {LEAST_AUDIO_BYTES} to {MOST_AUDIO_BYTES}")
            if not self.media:
                wrong.append("audio_bytes is given, but media is off")
        if wrong:
            raise DefinitionError("SAMPLE_ARGUMENTS", "making a sample store: " + "; ".join(wrong))

    def as_marker(self) -> dict[str, int | str | bool | None]:
        """The arguments as the marker file has them; `until` in UTC."""
        return asdict(self) | {"until": self.until.astimezone(UTC).isoformat()}
