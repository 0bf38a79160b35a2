"""Answers of S3 that are no failures.

What the caller does next depends on them. Light: botocore is not needed here.
"""

from __future__ import annotations


class PreconditionError(Exception):
    """The object exists already, or is another version by now."""


class NotOfferedError(Exception):
    """The service does not do this, or not with this object."""


class UploadGoneError(Exception):
    """The unfinished upload exists no more.

    Completed by a request whose answer was lost, or removed.
    """
