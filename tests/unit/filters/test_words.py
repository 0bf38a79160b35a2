"""What is the same text, what is a word, and what the Text Preview shows."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Sequence

import duckdb
import pyarrow as pa
import pytest

from bulk_export.definitions.models import Filter
from bulk_export.filters.dialect import DIALECTS
from bulk_export.filters.preview import WIDTH, text_preview
from bulk_export.filters.words import body_pattern, fold, words_of


def found(body: str, *terms: str) -> bool:
    return bool(bodies_with([words_of(term) for term in terms], [body]))


def bodies_with(terms: Sequence[tuple[str, ...]], bodies: Sequence[str]) -> list[str]:
    dialect = DIALECTS["duckdb"]
    query = f"SELECT body FROM (SELECT unnest(?) AS body) WHERE {dialect.matches.format('body')}"
    return [body for (body,) in duckdb.execute(query, [bodies, *dialect.patterns(terms)]).fetchall()]


def preview(body: str | None, value: object, operator: str = "any_words") -> str | None:
    return text_preview(body, [Filter(field="text", operator=operator, value=value)])


def test_the_database_folds_every_character_as_python_does() -> None:
    # Characters both sides know: Unicode 13 and older, whatever Python runs.
    characters = [
        chr(code)
        for code in range(1, sys.maxunicode + 1)
        if unicodedata.ucd_3_2_0.category(chr(code)) not in {"Cn", "Cs", "Co"}
    ]
    with duckdb.connect() as connection:
        connection.register("given", pa.table({"character": characters}))
        folded = DIALECTS["duckdb"].fold.format("character")
        rows = connection.execute(f"SELECT character, {folded} FROM given").fetchall()
    assert len(rows) > 90_000
    assert [character for character, database in rows if database != fold(character)] == []


@pytest.mark.parametrize("word", ["kelvin", "straße", "glass", "mañana", "ii", "résumé", "x1y", "İzmir", "東京ab"])
def test_the_first_look_at_a_body_overlooks_nothing_whatever_its_form(word: str) -> None:
    terms = [words_of(word)]
    characters = [chr(code) for code in range(1, 0x3100) if not 0xD800 <= code < 0xE000] + ["\u212a", "\ufb01"]
    spots = range(len(word) + 1)
    bodies = [word[:at] + char + word[at + width :] for char in characters for at in spots for width in (0, 1)]
    bodies += [unicodedata.normalize("NFD", body) for body in bodies[:20_000]]
    query = "SELECT body FROM (SELECT unnest(?) AS body) WHERE regexp_matches(nfc_normalize(body), ?)"
    thorough = [body for (body,) in duckdb.execute(query, [bodies, body_pattern(terms)]).fetchall()]
    assert len(thorough) > 1000
    assert bodies_with(terms, bodies) == thorough


@pytest.mark.parametrize(
    ("one", "other"),
    [("ÑANDÚ", "ñandu\u0301"), ("STRASSE", "straße"), ("ΟΔΟΣ", "οδος"), ("İstanbul", "istanbul"), ("ДЫМ", "дым")],
)
def test_texts_that_differ_in_case_or_composition_are_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_accents_make_a_difference() -> None:
    assert fold("senor") != fold("señor")


@pytest.mark.parametrize(
    ("body", "term"),
    [
        ("a cat.", "CAT"),
        ("Cat", "cat"),
        ("the-cat-sat", "cat"),
        ("the_cat_sat", "cat"),
        ("I don't know", "don't"),
        ("money,\n back", "money back"),
        ("Ñandu\u0301!", "ñandú"),
        ("Große Straße", "GROSSE STRASSE"),
        ("in İstanbul", "istanbul"),
        ("ΟΔΟΣ", "οδος"),
        ("हिन्दी में", "हिन्दी"),
        ("我要投诉你们", "投诉"),
        ("ขอเงินคืนครับ", "เงินคืน"),
        ("order 42", "42"),
    ],
)
def test_a_word_is_found_whatever_stands_around_it(body: str, term: str) -> None:
    assert found(body, term)
    assert preview(body, [term]) is not None


@pytest.mark.parametrize(
    ("body", "term"),
    [
        ("concatenate", "cat"),
        ("cats", "cat"),
        ("cat2", "cat"),
        ("señor", "senor"),
        ("sen\u0303or", "sen"),
        ("हिन्दी", "हिन"),
        ("back money", "money back"),
        ("money for back", "money back"),
        ("dont", "don't"),
        ("moneyback", "money back"),
        ("", "a"),
        (".*", "a"),
    ],
)
def test_a_part_of_a_word_or_another_order_is_not_found(body: str, term: str) -> None:
    assert not found(body, term)
    assert preview(body, [term]) is None


def test_the_longest_allowed_search_still_compiles() -> None:
    phrase = " ".join(f"слово{number}" for number in range(50))
    assert found(f"… {phrase.upper()} …", phrase)
    assert found("последнее", *phrase.split()[1:], "последнее")
    assert found("ж" * 1000, "Ж" * 1000)


def test_the_preview_is_a_short_line_around_the_first_hit() -> None:
    body = "word " * 100 + "\n\t refund   please " + "other " * 100
    shown = preview(body, "refund")
    assert shown is not None
    assert "word refund please other" in shown
    assert shown.startswith("…") and shown.endswith("…")
    assert WIDTH * 0.8 <= len(shown) <= WIDTH + 2
    assert "\n" not in shown and "  " not in shown


def test_a_short_body_is_shown_whole() -> None:
    assert preview("I want a\nrefund now", "refund") == "I want a refund now"


@pytest.mark.parametrize("place", [0, 50, 100])
def test_the_hit_itself_is_always_in_the_preview(place: int) -> None:
    body = " ".join(["filler"] * place + ["Refund"] + ["filler"] * (100 - place))
    assert "Refund" in (preview(body, "refund") or "")


def test_a_body_without_spaces_is_cut_too() -> None:
    shown = preview("字" * 500 + "投诉" + "字" * 500, "投诉")
    assert shown is not None and "投诉" in shown and len(shown) <= WIDTH + 2


def test_there_is_no_preview_without_a_hit_a_body_or_a_text_filter() -> None:
    assert preview("a cat", "dog") is None
    assert preview(None, "dog") is None
    assert preview("a cat", "cat", "none_of") is None
    assert text_preview("a cat", [Filter(field="last_name", operator="contains", value="cat")]) is None
    assert text_preview("a cat", []) is None


def test_the_first_hit_of_any_text_filter_counts() -> None:
    body = "alpha " + "x " * 200 + "beta " + "x " * 200
    filters = [
        Filter(field="text", operator="phrase", value="beta"),
        Filter(field="text", operator="any_words", value=["gamma", "alpha"]),
    ]
    assert (text_preview(body, filters) or "").startswith("alpha")
