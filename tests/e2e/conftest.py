"""A real Airflow and a real browser: Playwright drives Debian's Chromium, or whatever browser is found."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser import PATIENCE_MS, chromium
from bulk_export.site import Site
from bulk_export.state.records import RunRecord
from bulk_export.state.runs import get_run
from bulk_export_sample import make_sample_store
from local_airflow.api import AirflowApi
from local_airflow.config import Folders, free_ports
from local_airflow.guard import watch_over
from local_airflow.instance import USER, LocalAirflow
from local_airflow.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

PROJECT = Path(__file__).resolve().parents[2]
SignIn = Callable[..., "BrowserContext"]

SETTINGS = """
environment: {name: acme, time_zone: America/Bogota}
licence: {type: standard, job_contacts: 100}
contact_store: {type: parquet, uri: ../store}
storage_locations:
  archive: {type: local, path: ../exports}
  legal: {type: local, path: ../legal}
staging: {type: local, path: ../staging}
state: {url: sqlite:///../state.db}
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
    """The Airflow under test, and the folder of everything it works on."""

    url: str
    password: str
    api: AirflowApi
    root: Path

    @property
    def definitions(self) -> Path:
        return self.root / "definitions"

    @property
    def site(self) -> Site:
        return Site(definitions=self.definitions, clock=lambda: datetime.now(UTC))

    def run(self, dag_id: str, **conf: object) -> RunRecord:
        """Trigger a DAG, wait until its run has ended, and return the record."""
        run_id = self.api.trigger(dag_id, conf)
        Watch(self.api, self.definitions, lambda _: None).follow(dag_id, run_id, limit_s=300)
        return get_run(self.site.engine, f"{dag_id}/{run_id}")

    def export(self, stem: str, text: str = EXPORT) -> str:
        """Save an export as somebody does who works with git; returns its DAG once that is up."""
        (self.definitions / f"exports/{stem}.yaml").write_text(text)
        self.api.read_again("export-complaints")
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while f"export-{stem}" not in self.api.dag_ids():
            assert time.monotonic() < deadline, f"the DAG of {stem} is not up"
            time.sleep(0.2)
        return f"export-{stem}"


@pytest.fixture(scope="session")
def installation(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Started only where there is a browser to look at it."""
    root = tmp_path_factory.mktemp("installation")
    make_sample_store(root / "store", contacts=120, seed=11, until=datetime.now(UTC))
    for name, text in (("settings", SETTINGS), ("searches/recent", SEARCH), ("exports/complaints", EXPORT)):
        path = root / f"definitions/{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folders = Folders(root / "airflow", PROJECT / "dags", PROJECT / "plugins", root / "definitions")
    instance = LocalAirflow(folders, {"admin": "admin", "viewer": "viewer"})
    try:
        started = instance.start(os.environ, free_ports((0, 0, 0)))
        watch_over(folders.home, os.getpid())
        instance.wait(started, limit_s=300)
        api = AirflowApi(started.url, USER, instance.password, timeout_s=PATIENCE_MS / 1000)
        yield Installation(started.url, instance.password, api, root)
    finally:
        instance.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
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
