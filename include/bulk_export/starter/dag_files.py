"""Texts of the DAG files, with the definitions beside them."""

from __future__ import annotations

from collections.abc import Mapping

_TEXT = '''"""{document}"""

from pathlib import Path

from bulk_export_airflow.dag_files import {function}

{statement}
'''


def _text(document: str, function: str, statement: str) -> str:
    call = f'{function}(Path(__file__).with_name("definitions"))'
    return _TEXT.format(document=document, function=function, statement=statement.format(call=call))


DAG_FILES: Mapping[str, str] = {
    "saved_exports.py": _text(
        "One Airflow DAG for each saved export.", "saved_export_dags", "globals().update({call})"
    ),
    "bulk_contact_export_now.py": _text(
        "The DAG that sends an export at once, as its form asks.", "immediate_export_dag", "dag = {call}"
    ),
    "bulk_export_maintenance.py": _text("The DAG that closes what nobody closed.", "maintenance_dag", "dag = {call}"),
    "broken_definitions.py": _text(
        "No DAG: its import error shows which definitions do not load.",
        "report_broken_definitions",
        "{call}",
    ),
}
