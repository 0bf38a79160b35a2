"""Ask Airflow's DAG processor to read the definitions again now.

For the API server alone: it writes to Airflow's metadata database, which no task may. Airflow 3.3 knows a request only
as a row there, the one its "Reparse DAG" button writes. The table is internal, so what goes wrong here is logged and
nothing else: the regular refresh comes anyway.
"""

from __future__ import annotations

import logging
from pathlib import PurePosixPath

from airflow.models.dag import DagModel
from airflow.models.dagbag import DagPriorityParsingRequest
from airflow.utils.session import create_session
from sqlalchemy import select

from bulk_export.definitions.dag_ids import IMMEDIATE_DAG_ID

log = logging.getLogger(__name__)

# The files that are made from definitions: `bulk_contact_export_now` lists searches and locations in its form.
DAG_FILES = ("saved_exports.py", "bulk_contact_export_now.py", "broken_definitions.py")


def request_refresh() -> None:
    """Put the generated DAG files first in the DAG processor's queue."""
    try:
        _write_requests()
    except Exception:
        log.warning("Airflow was not asked to refresh; its next round will find the change", exc_info=True)


def _write_requests() -> None:
    with create_session() as session:
        place = session.execute(
            select(DagModel.bundle_name, DagModel.relative_fileloc).where(DagModel.dag_id == IMMEDIATE_DAG_ID)
        ).first()
        if place is None:
            log.info(
                "The DAG %s is not up yet, so Airflow is reading the DAG files for the first time", IMMEDIATE_DAG_ID
            )
            return
        bundle, known = place
        folder = PurePosixPath(known or IMMEDIATE_DAG_ID).parent
        for name in DAG_FILES:
            file = str(folder / name)
            # The row's key is a hash of its content: a second one before the first is taken would be an error.
            waiting = session.scalar(
                select(DagPriorityParsingRequest.id).where(
                    DagPriorityParsingRequest.bundle_name == bundle, DagPriorityParsingRequest.relative_fileloc == file
                )
            )
            if waiting is None:
                session.add(DagPriorityParsingRequest(bundle_name=bundle, relative_fileloc=file))
