"""Ask Airflow when the maintenance DAG, which closes lost runs, last succeeded.

For the API server alone: it reads Airflow's metadata database, which no task may.
"""

from __future__ import annotations

from datetime import datetime

from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from sqlalchemy import select

from bulk_export.definitions.dag_ids import MAINTENANCE_DAG_ID


def last_maintenance_success() -> datetime | None:
    """When it last succeeded; None when it never has."""
    statement = (
        select(DagRun.end_date)
        .where(DagRun.dag_id == MAINTENANCE_DAG_ID, DagRun.state == DagRunState.SUCCESS, DagRun.end_date.is_not(None))
        .order_by(DagRun.end_date.desc())
        .limit(1)
    )
    with create_session() as session:
        ended: datetime | None = session.scalar(statement)
    return ended
