"""Profile, language and custom columns of one contacts.csv.

| profile    | encoding    | records end with | dates, times, durations, decimals | cells a spreadsheet would run |
|------------|-------------|------------------|-----------------------------------|-------------------------------|
| `standard` | UTF-8       | LF               | as the vendor's CSV shows them    | prefixed with `'`             |
| `excel`    | UTF-8 + BOM | CRLF             | as the vendor's CSV shows them    | prefixed with `'`             |
| `data`     | UTF-8       | LF               | ISO 8601, seconds, full precision | raw                           |

Cells are separated by `,`, or by `;` where that is asked for; without a word about it in profile `excel` by what Excel
takes where the language is spoken.

Maximum lengths hold in every profile: they are part of what the columns promise. `contacts.parquet` has whole texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from bulk_export.fields import CSV_FIELDS

if TYPE_CHECKING:
    from bulk_export.definitions.models import CsvProfile

Separator: TypeAlias = Literal[",", ";"]

METADATA_PREFIX = "metadata."
_LABELS = {"en": ("Yes", "No"), "es": ("Sí", "No")}
_EXCEL_SEPARATORS: Mapping[str, Separator] = {"en": ",", "es": ";"}


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """How contacts.csv is written.

    Attributes:
        profile: `standard`, `excel` or `data`, as in the table above.
        language: of the Yes/No labels, the only words that are translated.
        metadata_keys: exportable custom metadata, in the administrator's order; each is a column and its own header.
        asked_separator: between cells; None for the profile's.
    """

    profile: CsvProfile = "standard"
    language: Literal["en", "es"] = "en"
    metadata_keys: tuple[str, ...] = ()
    asked_separator: Separator | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """The cells of the first line."""
        return (*(field.header for field in CSV_FIELDS), *self.metadata_keys)

    @property
    def byte_order_mark(self) -> bytes:
        """What the file starts with.

        Without it Excel takes UTF-8 for the machine's own code page.
        """
        return b"\xef\xbb\xbf" if self.profile == "excel" else b""

    @property
    def line_end(self) -> str:
        """What ends a record.

        Line breaks inside a cell stay as they were stored.
        """
        return "\r\n" if self.profile == "excel" else "\n"

    @property
    def separator(self) -> Separator:
        """What stands between cells."""
        return self.asked_separator or (_EXCEL_SEPARATORS[self.language] if self.profile == "excel" else ",")

    @property
    def for_programs(self) -> bool:
        """Whether cells are values to compute with.

        Rather than text to look at.
        """
        return self.profile == "data"

    @property
    def yes_no(self) -> tuple[str, str]:
        """The labels of true and false."""
        return _LABELS[self.language]
