"""Every text of the pages has its Spanish, with the same gaps."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import bulk_export_console
from bulk_export.audit import figures
from bulk_export.filters.operators import OPERATORS
from bulk_export.formats.choices import form_choices
from bulk_export.reasons import REASON_WORDS
from bulk_export_console import filter_forms, wording
from bulk_export_console.language import spanish
from bulk_export_console.pages import PAGES

FOLDER = Path(bulk_export_console.__file__).parent
_CALLED = re.compile(r"""_\(\s*"((?:[^"\\]|\\.)*)"|_\(\s*'((?:[^'\\]|\\.)*)'""")
_LISTED = re.compile(r"script_words\(_, (\[.*?\])\)")
_GAPS = re.compile(r"{\w+}")


def texts() -> set[str]:
    """Every English text that is translated somewhere."""
    found = {*REASON_WORDS.values(), *filter_forms._NAMES.values()}
    found |= {operator.label for operator in OPERATORS.values()}
    for mapping in (
        *(
            wording.STATUSES,
            wording.TRIGGERS,
            wording.ITEM_STATUSES,
            wording.CSV_PROFILES,
            wording.SEPARATORS,
            wording.FORMAT_KINDS,
        ),
        *(wording.stage_labels(), wording.WEEKDAYS, wording.OVER_QUOTA, wording.LICENCES, wording.CHECKS),
    ):
        found |= set(mapping.values())
    for asked in ("audio_video", "audio_only", "transcripts"):
        found |= set(form_choices(asked).values())
    found |= {page.label for page in PAGES if page.label}
    for path in [*FOLDER.glob("templates/*.html"), *FOLDER.glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        found |= {double or single for double, single in _CALLED.findall(text)}
        for listed in _LISTED.findall(text):
            found |= set(ast.literal_eval(listed))
    found |= {figures.DELIVERED, figures.NOT_COUNTED, figures.NOT_COUNTED_WORDS}
    return found


def test_every_text_has_its_spanish_and_there_is_no_other() -> None:
    assert texts() - set(spanish()) == set()
    assert set(spanish()) - texts() == set()


def test_a_translation_has_the_gaps_of_its_text() -> None:
    wrong = {text: words for text, words in spanish().items() if set(_GAPS.findall(text)) != set(_GAPS.findall(words))}
    assert wrong == {}


def test_every_text_that_scripts_say_is_given_to_them_by_a_page() -> None:
    given = {
        text
        for path in FOLDER.glob("templates/*.html")
        for listed in _LISTED.findall(path.read_text())
        for text in ast.literal_eval(listed)
    }
    said = {text for path in FOLDER.glob("static/*.js") for text in re.findall(r'words\("([^"]+)"\)', path.read_text())}
    # "The run page's" words come from console.js, which every page loads.
    assert said - given == set()
