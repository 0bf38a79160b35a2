"""The exception that becomes a result with a reason."""

from __future__ import annotations

from bulk_export.reasons import Reason


class ItemFault(Exception):  # noqa: N818 - an item's outcome, never the job's error
    """One file of a contact cannot be delivered, for a reason.

    Attributes:
        reason: why.
        detail: what exactly is wrong, for engineers; never personal data.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
