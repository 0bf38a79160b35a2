"""Judge a stored file that is delivered unchanged.

| the file | is |
|---|---|
| missing, empty; not proven whole, and smaller than the contact store says | a fault |
| text, only zero bytes | a fault, unless its name is of headerless telephone audio |
| proven whole by its container, or as large as the contact store says | delivered |
| media that its container does not prove whole, or speaks against | delivered, MEDIA_DOUBTFUL |
| headerless telephone audio, by its name | delivered, MEDIA_DOUBTFUL: nothing could be judged |
| anything else | for a media library to open |
"""

from __future__ import annotations

from bulk_export.media.containers.sniffed import Sniffed
from bulk_export.media.faults import corrupt

TELEPHONE_EXTENSIONS = frozenset(
    (
        *("al", "alaw", "la", "pcma", "lu", "mulaw", "pcmu", "ul", "ulaw"),  # A-law and mu-law
        *("g722", "g723", "g726", "g728", "g729", "gsm", "ima", "pcm", "vox"),
        *("sln", "sln8", "sln12", "sln16", "sln24", "sln32", "sln44", "sln48"),  # Asterisk's signed linear
    )
)
"""Names of audio without a header, as telephone systems store it."""

_NOT_JUDGED = "could not be judged: audio without a header, known by its name alone"
_NOT_PROVEN = "could not be judged: nothing in the file proves that it is whole"
_LONGER = "it holds more than its header says"


def extension_of(uri: str) -> str:
    """The lower-case extension of an address, without its dot; empty for none."""
    _, dot, given = uri.rpartition("/")[2].rpartition(".")
    return given.lower() if dot else ""


def doubt_of(look: Sniffed, uri: str, size: int, noted_bytes: int) -> str | None:
    """The doubt about a stored file, empty for none.

    None where only a media library knows whether it is media.

    Args:
        look: what its bytes tell.
        uri: its address.
        size: bytes of the file.
        noted_bytes: its size in the contact store, 0 for unknown.

    Raises:
        ItemFault: MEDIA_CORRUPT, as the table has it.
    """
    headerless = extension_of(uri) in TELEPHONE_EXTENSIONS
    if not look.container and look.fault and not (size and headerless):
        raise corrupt(look.fault)
    if not look.whole and size < noted_bytes:
        raise corrupt(f"cut off: {size} of {noted_bytes} bytes are there")
    if not look.container:
        return _NOT_JUDGED if headerless else None
    return doubt_of_media(look, size, noted_bytes)


def doubt_of_media(look: Sniffed, size: int, noted_bytes: int) -> str:
    """The doubt about a file that is media, empty for none."""
    if look.fault:
        return look.fault
    if look.understated:
        return _LONGER
    return "" if look.whole or size == noted_bytes else _NOT_PROVEN
