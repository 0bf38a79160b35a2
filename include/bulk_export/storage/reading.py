"""Ways to read objects that every storage has, made of its verbs."""

from __future__ import annotations

from bulk_export.storage.base import ByteRange, Fetched, Storage
from bulk_export.storage.capabilities import WholeReads


def read(storage: Storage, key: str, *, max_bytes: int | None = None) -> bytes:
    """The object's bytes, at most `max_bytes` of them; `FileNotFoundError` when absent."""
    with storage.open(key) as stream:
        return stream.read() if max_bytes is None else stream.read(max_bytes)


def read_range(storage: Storage, key: str, byte_range: ByteRange) -> bytes:
    """The bytes of a range, fewer at the object's end."""
    with storage.open(key, byte_range) as stream:
        return stream.read()


def fetch(storage: Storage, key: str, max_bytes: int) -> Fetched:
    """Size of the object, and its bytes up to `max_bytes`.

    Raises:
        FileNotFoundError: there is no such object.
    """
    if isinstance(storage, WholeReads):
        return storage.fetch(key, max_bytes)
    entry = storage.find(key)
    if entry is None:
        raise FileNotFoundError(f"no such object: {storage.uri}/{key}")
    if entry.bytes > max_bytes:
        return Fetched(entry.bytes, None, entry.version)
    content = read_range(storage, key, ByteRange(0, entry.bytes, entry.version))
    return Fetched(entry.bytes, content, entry.version)
