"""Print on any console, whatever its encoding can show."""

from __future__ import annotations

import io
import json
import sys


def show_everything() -> None:
    """Have characters that the console's encoding lacks printed escaped, never refused."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(text: str | bytes) -> None:
    """Print a JSON text.

    As it is; on a console that is not Unicode with JSON's own escapes.
    """
    words = text.decode() if isinstance(text, bytes) else text
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    if not words.isascii() and not encoding.startswith("utf"):
        # Outside of strings JSON is ASCII, so that escaping the characters one by one keeps its layout.
        words = "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in words)
    print(words)
