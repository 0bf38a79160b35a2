"""Turn stored values of a batch into finished cells.

What had to be changed for it is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.contacts_csv import cells, formats, local_time
from bulk_export.contacts_csv.layout import METADATA_PREFIX, CsvLayout
from bulk_export.csv_cells.guard import guard
from bulk_export.fields import CSV_FIELDS, Field, Kind

MASK = "######"
_DERIVED_TIMES = ("date", "time")


@dataclass(slots=True)
class Tally:
    """What was changed so far; see `writer.CsvCounts`."""

    rows: int = 0
    masked: int = 0
    cut_values: int = 0
    long_cells: int = 0
    guarded_cells: int = 0
    replaced_cells: int = 0
    unknown_zones: int = 0

    def add(self, other: Tally) -> None:
        """Count what another batch changed, too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def store_columns(layout: CsvLayout) -> list[str]:
    """The columns of a job table that the CSV is made from."""
    keys = [field.key for field in CSV_FIELDS if field.key not in _DERIVED_TIMES]
    return [*keys, "started_at", "recycled", *(METADATA_PREFIX + key for key in layout.metadata_keys)]


@dataclass(slots=True)
class BatchColumns:
    """The cells of one batch of contacts, column by column."""

    batch: pa.RecordBatch
    layout: CsvLayout
    tally: Tally
    _live: pa.Array = attribute(init=False)
    _recycled: pa.Array = attribute(init=False)
    _masked: int = attribute(init=False)

    def __post_init__(self) -> None:
        self._recycled = pc.fill_null(self.batch["recycled"], False)
        self._live = pc.invert(self._recycled)
        self._masked = pc.sum(self._recycled).as_py() or 0

    def all(self) -> list[pa.Array]:
        """One string array per column of the CSV, in its order."""
        self.tally.rows += self.batch.num_rows
        self.tally.masked += self._masked
        times = local_time.local_times(self.batch["started_at"], self.batch["time_zone"])
        self.tally.unknown_zones += pc.sum(pc.and_(times.unknown_zone, self._live)).as_py() or 0
        columns = [self._field(field, times) for field in CSV_FIELDS]
        for key in self.layout.metadata_keys:
            columns.append(self._masking(self._text(self._of_live(METADATA_PREFIX + key), None)))
        return columns

    def _field(self, field: Field, times: local_time.LocalTimes) -> pa.Array:
        if field.key == "contact_id":
            return formats.integer_text(self.batch["contact_id"])
        if field.key in _DERIVED_TIMES:
            return self._masking(self._start(field.key, times))
        values = self._of_live(field.key)
        if field.only_for:
            applies = pc.is_in(self.batch["contact_type"], pa.array(sorted(field.only_for)))
            values = pc.if_else(applies, values, None)
            if field.default:
                unknown = pc.and_(applies, pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), ""), True))
                values = pc.if_else(unknown, field.default, values)
        return self._masking(self._shown(field, values))

    def _of_live(self, column: str) -> pa.Array:
        """A column's values; null for recycled contacts, so that nothing behind a mask is counted."""
        values = self.batch[column]
        return pc.if_else(self._live, values, None) if self._masked else values

    def _masking(self, text: pa.Array) -> pa.Array:
        return pc.if_else(self._recycled, MASK, text) if self._masked else text

    def _start(self, key: str, times: local_time.LocalTimes) -> pa.Array:
        if key == "date":
            return local_time.date_text(times, "{year}-{month}-{day}" if self._raw else "{day}/{month}/{year}")
        return local_time.iso_time_text(times) if self._raw else local_time.clock_text(times)

    @property
    def _raw(self) -> bool:
        return self.layout.for_programs

    def _shown(self, field: Field, values: pa.Array) -> pa.Array:
        match field.kind:
            case Kind.INTEGER:
                return formats.integer_text(values)
            case Kind.DURATION:
                return formats.seconds_text(values) if self._raw else formats.duration_text(values)
            case Kind.RATIO:
                return formats.decimal_text(values) if self._raw else formats.ratio_text(values)
            case Kind.DECIMAL:
                return formats.decimal_text(values)
            case Kind.YES_NO:
                return formats.yes_no_text(values, self.layout.yes_no)
            case Kind.DATE:
                # The vendor shows this one month first, unlike the contact's own date.
                return formats.day_text(values, "{year}-{month}-{day}" if self._raw else "{month}/{day}/{year}")
            case Kind.TEXT | Kind.ENUM:
                return self._text(values, field.max_chars)
        raise ValueError(f"no format for a column of the kind '{field.kind}', which {field.key} is")

    def _text(self, text: pa.Array, max_chars: int | None) -> pa.Array:
        """Outsiders' text, enumerations included: cleaned, then cut, then guarded (the guard is not text)."""
        text = pc.cast(text, pa.string())
        text, replaced = cells.without_nul(text) if self._raw else cells.readable(text)
        self.tally.replaced_cells += replaced
        if max_chars is not None:
            text, cut = cells.cut(text, max_chars)
            self.tally.cut_values += cut
        if not self._raw:
            text, guarded = guard(text, self.layout.separator)
            self.tally.guarded_cells += guarded
        self.tally.long_cells += cells.beyond_excel(text)
        return text
