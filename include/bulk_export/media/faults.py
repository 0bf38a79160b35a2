"""What can be wrong with one media file, and its limits."""

from __future__ import annotations

from dataclasses import dataclass

from bulk_export.jobs.item_fault import ItemFault
from bulk_export.reasons import Reason


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What one media file may take.

    Attributes:
        max_duration_s: longest media that is converted, seconds; copies have no limit in time.
        max_source_bytes: largest stored file that is delivered at all.
        timeout_s: longest time one conversion may take; then its process is killed.
        max_memory_bytes: address space of one converting process, 0 for no limit.
    """

    max_duration_s: float = 12 * 3600.0
    max_source_bytes: int = 64 * 1024**3
    timeout_s: float = 3600.0
    max_memory_bytes: int = 4 * 1024**3


def corrupt(detail: str) -> ItemFault:
    """The stored file is empty, cut off, not media or not decodable."""
    return ItemFault(Reason.MEDIA_CORRUPT, detail)


def unsupported(detail: str) -> ItemFault:
    """The stored file may be sound, and nothing here can decode it."""
    return ItemFault(Reason.MEDIA_UNSUPPORTED, detail)


def too_large(detail: str) -> ItemFault:
    """The stored file is sound and beyond a limit."""
    return ItemFault(Reason.MEDIA_TOO_LARGE, detail)


def missing(detail: str) -> ItemFault:
    """The stored file is not there or must not be read."""
    return ItemFault(Reason.MEDIA_MISSING, detail)
