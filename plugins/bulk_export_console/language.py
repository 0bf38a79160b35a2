"""Choose a reader's language, English or Spanish, and translate texts.

Texts stand in templates and modules in English; `es.json` holds the Spanish of each, in the words of the product's
Spanish documentation. A text without a Spanish one would be shown in English; a test sees that there is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from fastapi import Request

LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Español"}
COOKIE = "bulk_export_language"

Translate = Callable[..., str]


def language_of(request: Request) -> str:
    """The language chosen on the page, or preferred by the browser.

    English where neither says.
    """
    for wanted in (request.query_params.get("language"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return preferred(request.headers.get("accept-language", ""))


def preferred(accept_language: str) -> str:
    """The language a browser prefers of those there are."""
    best, best_quality = "en", 0.0
    for part in accept_language.split(","):
        tag, _, parameter = part.strip().partition(";")
        name = tag.split("-")[0].lower()
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if name in LANGUAGES and quality > best_quality:
            best, best_quality = name, quality
    return best


def translator(language: str) -> Translate:
    """A function that translates an English text with `{named}` gaps."""
    texts = spanish() if language == "es" else {}

    def translate(text: str, **gaps: object) -> str:
        found = texts.get(text, text)
        return found.format(**gaps) if gaps else found

    return translate


@cache
def spanish() -> Mapping[str, str]:
    """The Spanish texts by their English."""
    content: dict[str, str] = json.loads((Path(__file__).parent / "es.json").read_text(encoding="utf-8"))
    return content
