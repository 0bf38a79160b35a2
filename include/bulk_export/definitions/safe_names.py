"""Make directory names from the names of exports.

Readable, and safe on every file system and in a URL.
"""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 80

_APOSTROPHES = re.compile(r"['’ʼ`´]")
_NOT_KEPT = re.compile(r"[^A-Za-z0-9._-]+")
# Runs of punctuation read badly, and `..` must never come out.
_RUNS = re.compile(r"[-.]{2,}")

# Windows opens a device whatever the extension: `con.txt` too.
_WINDOWS_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)

# Letters that Unicode does not take apart into a base letter and a mark.
_LETTERS = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i", "ħ": "h", "Ħ": "H"}
)


def safe_name(name: str, fallback: str) -> str:
    """The name in ASCII, of at most 80 characters.

    Letters, digits, `-`, `_` and single inner dots.

    Args:
        name: what a person wrote: any characters, any length.
        fallback: the export's id, already safe; taken when nothing readable is left, such as of a name in Chinese.

    Two names may give the same directory name: the run's own directory below it carries the run key.
    """
    folded = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", name).translate(_LETTERS))
    ascii_only = "".join(character for character in folded if not unicodedata.combining(character))
    kept = _RUNS.sub("-", _NOT_KEPT.sub("-", ascii_only))
    trimmed = kept.strip("-._")[:MAX_LENGTH].rstrip("-._")
    if not trimmed:
        return fallback
    return f"{trimmed}-export" if trimmed.partition(".")[0].lower() in _WINDOWS_DEVICES else trimmed
