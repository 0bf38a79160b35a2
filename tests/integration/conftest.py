"""The definitions of this folder's tests, installed in the Airflow that they share with the browser's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bulk_export_sample import make_sample_store
from running_airflow import Running

SETTINGS = """
environment: {name: test, time_zone: UTC}
licence: {type: performance, job_contacts: 10}
contact_store: {type: parquet, uri: ../store}
storage_locations:
  archive: {type: local, path: ../exports}
  other: {type: local, path: ../elsewhere}
  dry: {type: local, path: ../dry}
staging: {type: local, path: ../staging}
state: {url: sqlite:///../state.db}
"""
SEARCHES = {
    "recent": "name: Recent calls\nfilters:\n"
    "  - {field: started_at, operator: last_days, value: 30}\n"
    "  - {field: contact_type, operator: is_any_of, value: [CALL]}\n",
    "everything": "name: Everything\nfilters:\n  - {field: started_at, operator: after, value: 2000-01-01}\n",
    "none": "name: Nobody\nfilters:\n  - {field: agent_id, operator: equals, value: nobody at all}\n",
    "incomplete": "name: Forgotten score\nfilters:\n"
    "  - {field: started_at, operator: last_days, value: 30}\n"
    "  - {field: predictive_net_promoter_score, operator: equals}\n",
}
EXPORT = (
    "name: {name}\nsearch: {search}\nstorage_location: archive\nmedia: {{audio_only: original}}\ntranscripts: json\n"
)


def definitions(now: datetime) -> dict[str, str]:
    """Text by path."""
    files = {"settings.yaml": SETTINGS} | {f"searches/{name}.yaml": text for name, text in SEARCHES.items()}
    for name, search in {"calls": "recent", "empty": "none", "incomplete": "incomplete"}.items():
        files[f"exports/{name}.yaml"] = EXPORT.format(name=f"{name} of the test", search=search)
    # Created a minute before a tick that will have passed when Airflow first sees the file.
    tick = now.replace(second=0, microsecond=0)
    files["exports/late.yaml"] = (
        EXPORT.format(name="late", search="none")
        + f'schedule: {{cron: "{tick.minute} {tick.hour} * * *", time_zone: UTC}}\n'
        + f"effective_from: {(tick - timedelta(minutes=1)).isoformat()}\n"
    )
    return files


@pytest.fixture(scope="module")
def airflow(running_airflow: Running) -> Running:
    now, store = datetime.now(UTC), running_airflow.root / "store"
    if not store.exists():
        make_sample_store(store, contacts=80, seed=11, until=now)
    running_airflow.install("integration", definitions(now))
    return running_airflow
