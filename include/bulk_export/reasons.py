"""List the reasons why a contact was not delivered whole.

Used in items.csv, the audit and the pages. A contact has exactly one status and at most one deciding
reason, so that `matched = delivered + masked + faulty + deferred + already delivered` adds up for every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ItemStatus(StrEnum):
    """What became of a matched contact."""

    DELIVERED = "delivered"
    MASKED = "masked"
    FAULTY = "faulty"
    DEFERRED = "deferred"
    ALREADY_DELIVERED = "already_delivered"


class Reason(StrEnum):
    """Why something of a contact is not in the directory."""

    RECYCLED = "RECYCLED"
    CONTACT_GONE = "CONTACT_GONE"
    ADDRESS_NOT_ALLOWED = "ADDRESS_NOT_ALLOWED"
    MEDIA_MISSING = "MEDIA_MISSING"
    MEDIA_CORRUPT = "MEDIA_CORRUPT"
    MEDIA_TOO_LARGE = "MEDIA_TOO_LARGE"
    MEDIA_UNSUPPORTED = "MEDIA_UNSUPPORTED"
    TRANSCRIPT_MISSING = "TRANSCRIPT_MISSING"
    TRANSCRIPT_CORRUPT = "TRANSCRIPT_CORRUPT"
    TRANSCRIPT_TOO_LARGE = "TRANSCRIPT_TOO_LARGE"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    LIMIT = "LIMIT"
    ALREADY_DELIVERED = "ALREADY_DELIVERED"
    NO_SCREEN = "NO_SCREEN"
    NO_MEDIA = "NO_MEDIA"
    NO_TRANSCRIPT = "NO_TRANSCRIPT"
    MEDIA_DOUBTFUL = "MEDIA_DOUBTFUL"
    ROOT_UNSUPPORTED = "ROOT_UNSUPPORTED"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason says of a contact.

    Attributes:
        status: what it makes of the contact; None for what is no match at all.
        words: what has happened, for people; the pages translate it.
        remedy: what can be done about it; empty where nothing is wrong.
    """

    status: ItemStatus | None
    words: str
    remedy: str = ""


_DELIVERED, _FAULTY, _DEFERRED = ItemStatus.DELIVERED, ItemStatus.FAULTY, ItemStatus.DEFERRED

MEANINGS: Mapping[Reason, Meaning] = {
    Reason.RECYCLED: Meaning(
        ItemStatus.MASKED, "The contact is recycled: its fields are masked and it has no media or transcript."
    ),
    Reason.CONTACT_GONE: Meaning(
        _FAULTY,
        "The contact left the store between selection and export.",
        "If it should be there, restore it, then retry what failed.",
    ),
    Reason.ADDRESS_NOT_ALLOWED: Meaning(
        _FAULTY,
        "The store names a file outside of what may be read: it was not looked at.",
        "Let the administrator add its place to `contact_store.allowed`, then *Retry failed only*; "
        "`bulk-export check-store` prints the lines.",
    ),
    Reason.MEDIA_MISSING: Meaning(
        _FAULTY,
        "The store names a media file that is not there: restore it, then retry what failed.",
        "Restore the file in the contact store, then *Retry failed only*.",
    ),
    Reason.MEDIA_CORRUPT: Meaning(
        _FAULTY,
        "The stored media file is empty, cut off or damaged: replace it, then retry what failed.",
        "Replace the file in the contact store, then *Retry failed only*.",
    ),
    Reason.MEDIA_TOO_LARGE: Meaning(
        _FAULTY,
        "The stored media file is longer than conversion allows: export it as stored.",
        "Export it with `original`.",
    ),
    Reason.MEDIA_UNSUPPORTED: Meaning(
        _FAULTY,
        "The stored media file has a codec that cannot be converted: export it as stored.",
        "Export it with `original`.",
    ),
    Reason.TRANSCRIPT_MISSING: Meaning(
        _FAULTY,
        "The store names a transcript that is not there: restore it, then retry what failed.",
        "Restore the file in the contact store, then *Retry failed only*.",
    ),
    Reason.TRANSCRIPT_CORRUPT: Meaning(
        _FAULTY,
        "The stored transcript is unreadable or of another format: fix it, then retry.",
        "Restore or fix the file in the contact store, then *Retry failed only*.",
    ),
    Reason.TRANSCRIPT_TOO_LARGE: Meaning(
        _FAULTY,
        "The stored transcript is larger than the limit of 64 MB.",
        "See whether it really is a transcript; it cannot be exported as it is.",
    ),
    Reason.QUOTA_EXCEEDED: Meaning(
        _DEFERRED,
        "The day's quota did not reach this contact.",
        "Nothing, where the export continues on the next day; else run it again then.",
    ),
    Reason.LIMIT: Meaning(_DEFERRED, "The run was limited to fewer contacts.", "Run it without a limit."),
    Reason.ALREADY_DELIVERED: Meaning(
        ItemStatus.ALREADY_DELIVERED,
        "An earlier run of this export delivered the contact and it has not changed since.",
    ),
    # The contact is whole without it: these never make it faulty.
    Reason.NO_SCREEN: Meaning(_DELIVERED, "The contact has no screen recording and no audio format was asked for."),
    Reason.NO_MEDIA: Meaning(_DELIVERED, "The contact has no media."),
    Reason.NO_TRANSCRIPT: Meaning(_DELIVERED, "The contact has no transcript."),
    Reason.MEDIA_DOUBTFUL: Meaning(
        _DELIVERED,
        "The media file was delivered as it is stored: nothing in it proves that it is whole.",
        "Listen to its end, or note its size in the contact store (`audio_bytes`, `screen_bytes`).",
    ),
    # Not a match at all: excluded and counted apart.
    Reason.ROOT_UNSUPPORTED: Meaning(None, "Root recordings cannot be exported."),
}

NOT_APPLICABLE = frozenset(reason for reason, meaning in MEANINGS.items() if meaning.status is _DELIVERED)

# The words of each reason, in the order in which pages and documents show them.
REASON_WORDS: Mapping[Reason, str] = {reason: meaning.words for reason, meaning in MEANINGS.items()}
