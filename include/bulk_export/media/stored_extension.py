"""The file name extension of a stored file that is delivered unchanged."""

from __future__ import annotations

from bulk_export.media.doubts import TELEPHONE_EXTENSIONS, extension_of

# Extensions a stored file of a container may keep; the first one is given where its own is none of them.
_EXTENSIONS = {
    "wav": ("wav",),
    "w64": ("w64",),
    "ogg": ("ogg", "oga", "opus", "ogv", "spx"),
    "mp3": ("mp3", "mp2", "mpga"),
    "webm": ("webm",),
    "matroska": ("mkv", "mka"),
    "mp4": ("mp4", "m4a", "m4v", "3gp", "3g2"),
    "mov": ("mov", "qt"),
    "asf": ("wmv", "wma", "asf"),
    "flac": ("flac",),
    "amr": ("amr",),
    "caf": ("caf",),
    "au": ("au", "snd"),
    "flv": ("flv",),
    "avi": ("avi",),
    "aiff": ("aiff", "aif", "aifc"),
}
_OTHERS = frozenset({"aac", "adts", "ac3", "ts", "mts", "mpg", "mpeg"}) | TELEPHONE_EXTENSIONS
_KNOWN = _OTHERS.union(*_EXTENSIONS.values())
_NO_EXTENSION = "bin"


def stored_extension(container: str, uri: str) -> str:
    """The extension for a stored file delivered unchanged.

    It is what the bytes say, else the uri's where that is known. Nothing of a uri but one of the known extensions ever
    enters a name.
    """
    given = extension_of(uri)
    family = _EXTENSIONS.get(container)
    if family:
        return given if given in family else family[0]
    return given if given in _KNOWN else _NO_EXTENSION
