"""Validity of keys: relative POSIX paths that cannot leave their root."""

from __future__ import annotations

import re

from bulk_export.errors import DefinitionError

_NO_SEGMENT = frozenset({"", ".", ".."})
_BUCKET = re.compile(r"[A-Za-z0-9$][A-Za-z0-9._-]{0,199}")  # $web and $root are containers of Azure


def is_path(key: str) -> bool:
    """Whether a key is a relative path.

    Without empty, `.` or `..` parts, and without NUL.
    """
    return "\0" not in key and _NO_SEGMENT.isdisjoint(key.split("/"))


def check_key(key: str) -> None:
    """Raise `DefinitionError` KEY_INVALID unless `key` names one object below a root.

    Refused: the empty key, absolute ones, empty segments, `.` and `..`, NUL. The key is quoted in the message: keys
    come from definitions and from the store's `*_uri` columns, never from free text.
    """
    if not is_path(key):
        raise DefinitionError(
            "KEY_INVALID",
            f"{key!r} is not a key: it must be a relative path without empty, '.' or '..' parts",
            hint="Correct the path; nothing outside the storage location can be addressed.",
        )


def check_prefix(prefix: str) -> None:
    """Raise `DefinitionError` KEY_INVALID unless keys can begin with `prefix`.

    The empty prefix is fine.
    """
    folder, slash, _ = prefix.rpartition("/")
    if slash:
        check_key(folder)
    elif prefix == ".." or "\0" in prefix:
        check_key(prefix)


def is_bucket_name(name: str) -> bool:
    """Whether a bucket or container may have this name.

    A little wider than any service's own rule.
    """
    return bool(_BUCKET.fullmatch(name))
