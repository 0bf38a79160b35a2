"""A real Airflow and a real browser: Playwright drives Debian's Chromium, or whatever browser is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser import PATIENCE_MS, chromium
from bulk_export.site import Site
from bulk_export.state.records import RunRecord
from bulk_export_sample import make_sample_store
from local_airflow.api import AirflowApi
from running_airflow import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

SignIn = Callable[..., "BrowserContext"]

SETTINGS = """
environment: {name: acme, time_zone: America/Bogota}
licence: {type: standard, job_contacts: 100}
contact_store: {type: parquet, uri: ../pages/store}
storage_locations:
  archive: {type: local, path: ../pages/exports}
  legal: {type: local, path: ../pages/legal}
staging: {type: local, path: ../pages/staging}
state: {url: sqlite:///../pages/state.db}
exportable_metadata: [account-key, service-key]
"""
SEARCH = """name: Calls of the last month
filters:
  - {field: started_at, operator: last_days, value: 30}
  - {field: contact_type, operator: is_any_of, value: [CALL]}
"""
EXPORT = """name: Complaints for legal
search: recent
storage_location: legal
media: {audio_video: original, audio_only: original}   # as stored
transcripts: xml
schedule: {monthly: {day: 31, time: "23:00"}, time_zone: Europe/Madrid}
"""


@dataclass(frozen=True)
class Installation:
    """What the pages show: its definitions in the Airflow under test, and a folder of its own for all else."""

    airflow: Running
    root: Path

    @property
    def url(self) -> str:
        return self.api.url

    @property
    def password(self) -> str:
        return self.airflow.instance.password

    @property
    def api(self) -> AirflowApi:
        return self.airflow.api

    @property
    def definitions(self) -> Path:
        return self.airflow.definitions

    @property
    def site(self) -> Site:
        return self.airflow.site

    def run(self, dag_id: str, **conf: object) -> RunRecord:
        """Trigger a DAG, wait until its run has ended, and return the record."""
        return self.airflow.run(dag_id, **conf).record

    def export(self, stem: str, text: str = EXPORT) -> str:
        """Save an export as somebody does who works with git; returns its DAG once that is up."""
        (self.definitions / f"exports/{stem}.yaml").write_text(text)
        self.airflow.up(f"export-{stem}")
        return f"export-{stem}"


@pytest.fixture(scope="module")
def installation(browser: Any, running_airflow: Running) -> Installation:
    """Started only where there is a browser to look at it."""
    root = running_airflow.root / "pages"
    if not root.exists():
        make_sample_store(root / "store", contacts=120, seed=11, until=datetime.now(UTC))
    files = {"settings.yaml": SETTINGS, "searches/recent.yaml": SEARCH, "exports/complaints.yaml": EXPORT}
    running_airflow.install("pages", files)
    return Installation(running_airflow, root)


# Closed with each module: while it is open, asyncio thinks that a loop runs in this thread.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def sign_in(browser: Browser, installation: Installation) -> SignIn:
    """Makes a signed-in browser window's context, English unless said otherwise; each user signs in once."""
    sessions: dict[str, Any] = {}

    def context_of(user: str, **options: Any) -> BrowserContext:
        wanted = {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, "storage_state": sessions.get(user)}
        context = browser.new_context(**(wanted | options))
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(PATIENCE_MS)
        if user not in sessions:
            page = context.new_page()
            page.goto(installation.url)
            page.fill("input[name=username]", user)
            page.fill("input[name=password]", installation.password)
            page.keyboard.press("Enter")
            page.wait_for_url(f"{installation.url}/")
            page.close()
            sessions[user] = context.storage_state()
        return context

    return context_of


@pytest.fixture
def admin(sign_in: SignIn) -> Iterator[BrowserContext]:
    context = sign_in("admin")
    yield context
    context.close()
