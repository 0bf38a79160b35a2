"""Which DAG belongs to which export."""

from __future__ import annotations

from bulk_export.definitions.dag_ids import IMMEDIATE_DAG_ID, MAINTENANCE_DAG_ID, dag_id_of, export_id_of


def test_the_dag_of_a_saved_export_is_found_both_ways() -> None:
    assert dag_id_of("nightly") == "export-nightly"
    assert export_id_of("export-nightly") == "nightly"
    assert export_id_of(dag_id_of("export-again")) == "export-again"


def test_other_dags_belong_to_no_saved_export() -> None:
    assert [export_id_of(name) for name in (IMMEDIATE_DAG_ID, MAINTENANCE_DAG_ID, "reporting")] == [None] * 3
