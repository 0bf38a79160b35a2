from __future__ import annotations

import pyarrow as pa
import pytest

from bulk_export.contacts_csv.guard import guard


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        '=HYPERLINK("http://evil.example","x")',
        "@SUM(1+1)",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "-",
        "+",
        "--1",
        "-1-1",
        "+1*2",
        "-1 =2",
        "+1-612-555-0100",
        "+1/2",
        "+16125550100;=1",
        "+16125550100\n=1",
        "\ttab",
        "\rreturn",
        "\nline",
        "\t5",
        " =1+1",
        "\u00a0=1",
        "\u200b=1",
        "\ufeff=1",
        "\u3000@x",
        "＝1+1",
        "＋1",
        "－1",
        "＠SUM(A1)",
    ],
)
def test_what_a_spreadsheet_would_run_is_prefixed(text: str) -> None:
    guarded, found = guard(pa.array(["plain", text, None]))
    assert (guarded.to_pylist(), found) == (["plain", "'" + text, None], 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "a=1",
        "1-2",
        "'=1",
        "user@example.com",
        "-5",
        "+5",
        "-5.25",
        "-.5",
        "+1,234.50",
        "-1,5",
        "-12%",
        "-1e-5",
        " -5",
        "+16125550100",
        "+44 20 7946 0958",
        "+1 (612) 555.0100",
        "山田",
        "¿dudas?",
        "\u00a0text",
    ],
)
def test_plain_numbers_phone_numbers_and_harmless_text_stay(text: str) -> None:
    guarded, found = guard(pa.array([text]))
    assert (guarded.to_pylist(), found) == ([text], 0)


def test_a_slice_of_a_column_is_judged_by_its_own_cells() -> None:
    column = pa.array(["=1", "plain", "=2", "plain"])
    assert guard(column.slice(1, 1)) == (pa.array(["plain"]), 0)
    assert guard(column.slice(1, 2)) == (pa.array(["plain", "'=2"]), 1)
