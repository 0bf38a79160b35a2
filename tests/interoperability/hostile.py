"""What the delivered runs of these tests hold, and how each profile of contacts.csv must show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# What outsiders wrote, and how profiles `standard` and `excel` show it. `data` and Parquet have it as it was written.
HOSTILE: tuple[tuple[str, str], ...] = (
    ('say "hi", twice', 'say "hi", twice'),
    ('"', '"'),
    ('ends with a quote"', 'ends with a quote"'),
    (",", ","),
    (";\\\"'|", ";\\\"'|"),
    ("line\nbreak", "line\nbreak"),
    ("dos\r\nbreak", "dos\r\nbreak"),
    ("old\rmac", "old\rmac"),
    ("two\n\nbreaks", "two\n\nbreaks"),
    ('=HYPERLINK("http://evil.example","invoice")', '\'=HYPERLINK("http://evil.example","invoice")'),
    ("=1+1", "'=1+1"),
    ("+1+1", "'+1+1"),
    ("-2+3", "'-2+3"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("  =1+1", "'  =1+1"),
    ("\t=1+1", "'\t'=1+1"),
    ("Hola;=1+1;x", "Hola;'=1+1;x"),
    ("＝1+1", "'＝1+1"),
    ("+16125550100", "+16125550100"),
    ("-5", "-5"),
    ("'already", "'already"),
    ("👍🏽 👨‍👩‍👧 🇨🇴", "👍🏽 👨‍👩‍👧 🇨🇴"),
    ("שלום עולם", "שלום עולם"),
    ("\u202egnp.exe", "\u202egnp.exe"),
    ("\ufeffmark first", "\ufeffmark first"),
    ("Nguyễn 山田 Łódź ñandú", "Nguyễn 山田 Łódź ñandú"),
    ("bell\x07 escape\x1b[31m delete\x7f", "bell\ufffd escape\ufffd[31m delete\ufffd"),
    ("\u2028separators\u2029\x85", "\u2028separators\u2029\x85"),
    ("NULL", "NULL"),
    ("None", "None"),
    ("NaN", "NaN"),
    ("00123", "00123"),
    ("1e5", "1e5"),
    ("2026-11-23", "2026-11-23"),
    ("TRUE", "TRUE"),
    (" padded ", " padded "),
    ("#comment", "#comment"),
    ("<script>alert(1)</script>&amp;", "<script>alert(1)</script>&amp;"),
    ("%00%0A\\n\\0", "%00%0A\\n\\0"),
)
PROFILES = ("standard", "excel", "data")
FIRST_ID = 100_001
STARTED_AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
FORMATS = (("mp4", "wav"), ("webm", "mp3"), ("wmv", "ogg"))
SECONDS = 2.0


@dataclass(frozen=True)
class Delivered:
    """A finished run: its directory and the profile of its CSV."""

    directory: Path
    profile: str

    def shown(self) -> list[str]:
        """What the hostile cells must read as."""
        return [stored if self.profile == "data" else shown for stored, shown in HOSTILE]
