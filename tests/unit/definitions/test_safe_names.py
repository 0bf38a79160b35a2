from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.definitions.safe_names import MAX_LENGTH, safe_name

SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Weekly detractors", "Weekly-detractors"),
        ("Año nuevo: llamadas de José", "Ano-nuevo-llamadas-de-Jose"),
        ("Straße, Œuvre, Łódź, Ærø", "Strasse-OEuvre-Lodz-AEro"),
        ("v1.2_final", "v1.2_final"),
        ('Agent\'s "best" calls', "Agents-best-calls"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", "fallback"),
        (".hidden", "hidden"),
        ("a/b\\c", "a-b-c"),
        ("a..b", "a-b"),
        ("nul\0byte\r\nline", "nul-byte-line"),
        ("$(rm -rf ~); `x` | y", "rm-rf-x-y"),
        ("🚀 Launch 🚀", "Launch"),
        ("日本語", "fallback"),
        ("Ｆｕｌｌ width", "Full-width"),
        ("---", "fallback"),
        ("", "fallback"),
        ("CON", "CON-export"),
        ("lpt1.txt", "lpt1.txt-export"),
        ("Console", "Console"),
        ("=cmd()", "cmd"),
        ("x" * 300, "x" * MAX_LENGTH),
        ("x" * (MAX_LENGTH - 1) + " y", "x" * (MAX_LENGTH - 1)),
        ("trailing. ", "trailing"),
    ],
)
def test_a_name_becomes_a_directory_name(name: str, expected: str) -> None:
    assert safe_name(name, "fallback") == expected


@settings(deadline=None, derandomize=True, max_examples=500)
@given(name=st.text(max_size=400))
def test_no_name_gives_anything_unsafe(name: str) -> None:
    result = safe_name(name, "fallback")

    assert SAFE.fullmatch(result)
    assert ".." not in result
    assert len(result) <= MAX_LENGTH + len("-export")
    assert not DEVICES.fullmatch(result)


@settings(deadline=None, derandomize=True)
@given(name=st.text(max_size=100))
def test_however_a_name_is_composed_it_is_the_same(name: str) -> None:
    assert safe_name(unicodedata.normalize("NFD", name), "f") == safe_name(unicodedata.normalize("NFC", name), "f")


@settings(deadline=None, derandomize=True)
@given(name=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}[A-Za-z0-9]", fullmatch=True))
def test_what_is_safe_already_stays_but_for_runs_and_devices(name: str) -> None:
    if "--" not in name and not DEVICES.fullmatch(name):
        assert safe_name(name, "fallback") == name
