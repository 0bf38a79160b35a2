"""The names of IANA time zones: what counts as one, anywhere.

A machine's own zone folder holds more than that: `localtime`, which means another thing on each machine, `posixrules`,
`Factory`, and under `right/` clocks that count leap seconds. So the list is that of the database itself.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files

from bulk_export.suggestions import did_you_mean

# Not a zone but a word of filters: each contact's own.
CONTACT_ZONE = "contact"
_NO_PLACE = {"Factory"}  # in the list, for clocks that nobody has set


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone name, links such as `US/Central` included."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - _NO_PLACE


@lru_cache(maxsize=256)
def nearest_zone(name: str) -> str:
    """The words `Did you mean 'x'?` for no zone's name.

    Empty when nothing is near.
    """
    return did_you_mean(name.removeprefix("posix/").removeprefix("right/"), sorted(zone_names() | {CONTACT_ZONE}))
