"""Every page, light and dark, wide and narrow: no serious fault that axe-core finds, nothing wider than the window.

With BULK_EXPORT_SCREENSHOTS=1 the pictures of docs/img are taken too.
"""

from __future__ import annotations

import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Frame, Page

    from conftest import Installation, SignIn

pytestmark = pytest.mark.xdist_group("airflow")

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "img"
WIDTHS = {"wide": 1280, "narrow": 400}
MAX_BYTES = 200_000
PATIENCE_S = 90


@pytest.fixture(scope="module")
def history(installation: Installation) -> str:
    """A month of runs in the audit, one of them with trouble, and definitions that need attention; a run's key."""
    from sqlalchemy import insert

    from bulk_export.reasons import ItemStatus, Reason
    from bulk_export.state.items import Item, record_items
    from bulk_export.state.tables import runs

    definitions = installation.definitions
    (definitions / "searches/forgotten.yaml").write_text(
        "name: Forgotten score\nfilters:\n  - {field: started_at, operator: last_week}\n"
        "  - {field: predictive_net_promoter_score, operator: equals}\n"
    )
    (definitions / "exports/scores.yaml").write_text(
        "name: Scores of the week\nsearch: forgotten\nstorage_location: archive\ntranscripts: json\n"
        'schedule: {weekly: {days: [mon, thu], time: "02:30"}, time_zone: America/Bogota}\n'
    )
    (definitions / "exports/torn.yaml").write_text("name: Torn\nsearch: recent\nstorage: archive\n")
    engine = installation.site.engine
    model = installation.run("export-complaints", limit=40)
    with engine.begin() as connection:
        row = dict(connection.execute(runs.select().where(runs.c.run_id == model.run_id)).mappings().one())
        statuses = (
            "COMPLETED",
            "COMPLETED_WITH_ERRORS",
            "COMPLETED",
            "CONTINUED",
            "COMPLETED",
            "FAILED",
            "COMPLETED_EMPTY",
        )
        for number in range(45):
            moment = datetime.now(UTC) - timedelta(hours=15 * (number + 1))
            status = statuses[number % 7]
            matched = 0 if status in {"FAILED", "COMPLETED_EMPTY"} else 120 + (number * 137) % 700
            faulty = 7 if status == "COMPLETED_WITH_ERRORS" else 0
            deferred = matched // 3 if status == "CONTINUED" else 0
            exported = matched - faulty - deferred
            changed: dict[str, Any] = {
                "run_id": f"export-complaints/scheduled__{number:03}",
                "run_key": f"{number:010x}",
                "directory": f"{row['directory'].partition('/')[0]}/{moment:%Y%m%dT%H%M%SZ}_{number:010x}",
                "queued_at": moment,
                "started_at": moment,
                "ended_at": moment + timedelta(minutes=4),
                "status": status,
                "trigger": "schedule",
                "triggered_by": "",
                "parameters": {},
                "as_of": moment,
                "roots": 1 if exported else 0,
                # A run that failed at once has counted nothing and delivered nothing.
                "matched": None if status == "FAILED" else matched,
                "exported": exported,
                "masked": 2 if exported else 0,
                "media_files": max(0, exported - 2),
                "media_bytes": exported * 212_000,
                "transcript_files": max(0, exported - 2),
                "transcript_bytes": exported * 3_100,
                "error_code": "STORAGE_UNREACHABLE" if status == "FAILED" else "",
                "error_message": "archive did not answer" if status == "FAILED" else "",
                "manifest_sha256": "" if status == "FAILED" else row["manifest_sha256"],
                "by_status": {
                    "delivered": max(0, exported - 2),
                    "masked": 2 if exported else 0,
                    "faulty": faulty,
                    "deferred": deferred,
                },
                "by_reason": ({"MEDIA_MISSING": 4, "TRANSCRIPT_CORRUPT": 3} if faulty else {})
                | ({"QUOTA_EXCEEDED": deferred} if deferred else {})
                | ({"RECYCLED": 2} if exported else {}),
            }
            connection.execute(insert(runs).values(row | changed))
            if number == 1:
                shutil.copytree(
                    installation.root / "legal" / row["directory"], installation.root / "legal" / changed["directory"]
                )
    troubled = f"export-complaints/scheduled__{1:03}"
    items = [
        Item(100_000 + n, ItemStatus.FAULTY, Reason.MEDIA_MISSING, "media/absent.wav is not there") for n in range(4)
    ]
    items += [Item(100_200 + n, ItemStatus.FAULTY, Reason.TRANSCRIPT_CORRUPT, "not JSON, line 1") for n in range(3)]
    record_items(engine, troubled, items)
    return f"{1:010x}"


PAGES = {
    "audit": "audit",
    "run": "runs/{run}",
    "files": "runs/{run}/files",
    "new-export": "new?search=recent",
    "saved-exports": "exports",
    "saved-export": "exports/complaints",
    "saved-searches": "searches",
    "saved-search": "searches/forgotten",
    "health": "health",
    "error": "runs/ffffffffff",
}


def _described(name: str, width: int, fault: dict[str, Any]) -> str:
    node = fault["nodes"][0]
    return f"{name} {width} {fault['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"


# A page that has not begun to ask the server, or still does, or a DAG that is up without its chip saying so.
SETTLED = """() => document.readyState === "complete"
    && !/Counting…|Contando…|Looking…|Buscando…/.test(document.body.innerText)
    && [...document.querySelectorAll("[data-dag]")].every((chip) => chip.dataset.state)
    && [...document.querySelectorAll("#rows")].every((rows) => rows.children.length > 0)
    && [...document.querySelectorAll("#export-form button[type=submit]")].every((button) => !button.disabled)"""


def settled(page: Page | Frame) -> None:
    """Wait until everything is there that a page asks the server for."""
    page.wait_for_function(SETTLED)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_usable_by_everybody(
    sign_in: SignIn, installation: Installation, history: str, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

    faults = []
    for width in WIDTHS.values():
        context = sign_in("admin", color_scheme=scheme, viewport={"width": width, "height": 900})
        page = context.new_page()
        blocked: list[str] = []
        page.on("console", lambda message, blocked=blocked: blocked.append(message.text))
        for name, path in PAGES.items():
            page.goto(f"{installation.url}/bulk-export/{path.format(run=history)}")
            settled(page)
            found = axe.Axe().run(page).response["violations"]
            faults += [_described(name, width, one) for one in found if one["impact"] in {"serious", "critical"}]
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                faults.append(f"{name} is {wide} wide in a window of {width}")
        faults += [text for text in blocked if "Content Security" in text]
        context.close()
    assert faults == []


def still(page: Page, *, inside: bool) -> bytes:
    """A picture that does not change any more: Airflow may load a frame anew, and drawing comes after the text."""
    deadline = time.monotonic() + PATIENCE_S
    last = b""
    while time.monotonic() < deadline:
        shown: Page | Frame = page
        if inside:
            page.frame_locator("iframe").locator("h1").first.wait_for()
            shown = next(frame for frame in page.frames if "/bulk-export/" in frame.url)
        settled(shown)
        shown.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        picture = page.screenshot()
        if picture == last:
            return picture
        last = picture
    raise AssertionError(f"{page.url} does not come to rest")


# Each page once; the audit and the saved exports also as they look in the dark and in a narrow window.
PICTURES = [(name, "wide", "light") for name in PAGES if name != "error"]
PICTURES += [("audit", "wide", "dark"), ("audit", "narrow", "light"), ("saved-exports", "narrow", "dark")]


@pytest.mark.skipif(os.environ.get("BULK_EXPORT_SCREENSHOTS") != "1", reason="BULK_EXPORT_SCREENSHOTS=1 takes pictures")
def test_pictures_of_every_page(sign_in: SignIn, installation: Installation, history: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    for name, size, scheme in PICTURES:
        context = sign_in("admin", color_scheme=scheme, viewport={"width": WIDTHS[size], "height": 800})
        context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
        page = context.new_page()
        inside = size == "wide"
        page.goto(
            f"{installation.url}/{'plugin/exports/' if inside else ''}bulk-export/{PAGES[name].format(run=history)}"
        )
        picture = still(page, inside=inside)
        assert len(picture) < MAX_BYTES
        (IMAGES / f"{name}-{size}-{scheme}.png").write_bytes(picture)
        context.close()
