"""Why a contact was not delivered whole: one closed list, used in items.csv, the audit and the pages.

A contact has exactly one status and at most one deciding reason, so that
`matched = delivered + masked + faulty + deferred + already delivered` adds up for every run.
"""

from __future__ import annotations

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
    MEDIA_MISSING = "MEDIA_MISSING"
    MEDIA_CORRUPT = "MEDIA_CORRUPT"
    MEDIA_TOO_LARGE = "MEDIA_TOO_LARGE"
    TRANSCRIPT_MISSING = "TRANSCRIPT_MISSING"
    TRANSCRIPT_CORRUPT = "TRANSCRIPT_CORRUPT"
    TRANSCRIPT_TOO_LARGE = "TRANSCRIPT_TOO_LARGE"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    LIMIT = "LIMIT"
    ALREADY_DELIVERED = "ALREADY_DELIVERED"
    # The contact is whole without it: these never make it faulty.
    NO_SCREEN = "NO_SCREEN"
    NO_MEDIA = "NO_MEDIA"
    NO_TRANSCRIPT = "NO_TRANSCRIPT"
    # Not a match at all: excluded and counted apart.
    ROOT_UNSUPPORTED = "ROOT_UNSUPPORTED"


NOT_APPLICABLE = frozenset({Reason.NO_SCREEN, Reason.NO_MEDIA, Reason.NO_TRANSCRIPT})

# What each reason means and what can be done about it, for people.
REASON_WORDS: dict[Reason, str] = {
    Reason.RECYCLED: "The contact is recycled: its fields are masked and it has no media or transcript.",
    Reason.CONTACT_GONE: "The contact left the store between selection and export.",
    Reason.MEDIA_MISSING: "The store names a media file that is not there: restore it, then retry what failed.",
    Reason.MEDIA_CORRUPT: "The stored media file is empty, cut off or damaged: replace it, then retry what failed.",
    Reason.MEDIA_TOO_LARGE: "The stored media file is longer than conversion allows: export it as stored.",
    Reason.TRANSCRIPT_MISSING: "The store names a transcript that is not there: restore it, then retry what failed.",
    Reason.TRANSCRIPT_CORRUPT: "The stored transcript is unreadable or of another format: fix it, then retry.",
    Reason.TRANSCRIPT_TOO_LARGE: "The stored transcript is larger than the limit of 64 MB.",
    Reason.QUOTA_EXCEEDED: "The day's quota did not reach this contact.",
    Reason.LIMIT: "The run was limited to fewer contacts.",
    Reason.ALREADY_DELIVERED: "An earlier run of this export delivered the contact and it has not changed since.",
    Reason.NO_SCREEN: "The contact has no screen recording and no audio format was asked for.",
    Reason.NO_MEDIA: "The contact has no media.",
    Reason.NO_TRANSCRIPT: "The contact has no transcript.",
    Reason.ROOT_UNSUPPORTED: "Root recordings cannot be exported.",
}
