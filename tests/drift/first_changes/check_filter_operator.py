"""One more filter operator selects contacts, and is on the pages and in the documents."""

from __future__ import annotations

from pathlib import Path

from workbench import Workbench

import reference
from bulk_export_console.language import spanish


def test_it_selects(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    bench.contacts([bench.call(1, team_name="North 1"), bench.call(2, team_name="South"), bench.call(3)])
    bench.search("others", {"field": "team_name", "operator": "not_starts_with", "value": "north"})
    assert set(bench.items(bench.run(bench.export(search="others")))) == {2, 3}


def test_pages_and_documents_have_it() -> None:
    assert "| `not_starts_with` | does not begin with it, or is unknown |" in reference.definitions_page()
    assert spanish()["does not start with"] == "no empieza por"
