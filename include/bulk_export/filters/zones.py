"""Time zones that a filter may name."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

# Not a zone but a word: each contact's own.
CONTACT_ZONE = "contact"


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone name this machine knows."""
    return frozenset(available_timezones())
