"""Every field that can be filtered on.

Its kind decides the operators that fit it (`operators.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bulk_export.fields import CSV_FIELDS, DERIVED_KEYS, STORE_FIELDS, Kind
from bulk_export.filters.operators import operators_for

METADATA_PREFIX = "metadata."

# Column questions: the field is whether the store names an object.
HAS_FIELDS: Mapping[str, str] = MappingProxyType(
    {"has_audio": "audio_uri", "has_screen": "screen_uri", "has_transcript": "transcript_uri"}
)

# CSV columns that are written from another field: what to filter on instead.
WRITTEN_FROM: Mapping[str, str] = MappingProxyType({"date": "started_at", "time": "started_at", "text_preview": "text"})

# Columns of the store that are none of the CSV, and come before it.
_FIRST_KEYS = ("started_at", "updated_at", "recycled")


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field that filters may name.

    Attributes:
        key: name in filters: a column of the store, `metadata.<key>`, or `has_...`.
        kind: type of its values and operands.
        values: the valid values of an enumeration.
    """

    key: str
    kind: Kind
    values: tuple[str, ...] = ()

    @property
    def operators(self) -> tuple[str, ...]:
        """Names of the operators that fit it, in display order."""
        return tuple(operator.name for operator in operators_for(self.kind))


def field_catalog(exportable_metadata: Sequence[str]) -> Mapping[str, FilterField]:
    """Every field that can be filtered on, by key, in display order.

    Args:
        exportable_metadata: the administrator's custom metadata keys, in their order.
    """
    store = {field.key: field for field in STORE_FIELDS}
    columns = [store[key] for key in _FIRST_KEYS]
    columns += [field for field in CSV_FIELDS if field.key not in DERIVED_KEYS]
    fields = [FilterField(field.key, field.kind, field.values) for field in columns]
    fields += [FilterField(key, Kind.YES_NO) for key in HAS_FIELDS]
    fields.append(FilterField("text", store["text"].kind))
    fields += [FilterField(METADATA_PREFIX + key, Kind.TEXT) for key in exportable_metadata]
    return MappingProxyType({field.key: field for field in fields})
