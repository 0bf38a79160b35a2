"""What people do in the Exports pages, in a real browser on a real Airflow, inside the frame Airflow shows them in."""

from __future__ import annotations

import csv
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bulk_export.state.database import transaction
from bulk_export.state.events import list_events
from bulk_export.state.progress import record_progress
from bulk_export.state.records import NewRun, RunStatus, Trigger
from bulk_export.state.reservations import reserve
from bulk_export.state.runs import RunFilters, close_run, create_run, get_run, list_runs

expect = pytest.importorskip("playwright.sync_api", reason="Playwright for Python is not installed").expect
expect.set_options(timeout=90_000)  # its own limit is 5 s

EXPORT = """name: Complaints for legal
search: recent
storage_location: legal
media: {audio_video: original, audio_only: original}
transcripts: xml
"""

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, FrameLocator, Page

    from conftest import Installation, SignIn

pytestmark = pytest.mark.xdist_group("airflow")

PATIENCE_MS = 90_000
ENDED_MS = 300_000


def exports(context: BrowserContext, installation: Installation) -> tuple[Page, FrameLocator]:
    """The pages as Airflow shows them: chosen in its navigation, inside a frame."""
    page = context.new_page()
    page.goto(installation.url)
    page.get_by_role("link", name="Exports").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Bulk Contact Export Audit").wait_for()
    return page, frame


def test_nobody_who_is_not_signed_in_sees_anything(installation: Installation) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{installation.url}/bulk-export/audit")
    assert refused.value.code == 401


def test_an_export_is_created_run_watched_audited_and_downloaded(
    admin: BrowserContext, installation: Installation, tmp_path: Path
) -> None:
    page, frame = exports(admin, installation)
    frame.get_by_role("link", name="New Export").first.click()
    frame.get_by_label("Export Name").fill("Weekly calls")
    frame.get_by_label("Saved Search").select_option("recent")
    frame.get_by_label("Storage Location").select_option("archive")
    frame.get_by_label("Audio Only Format").select_option("original")
    frame.get_by_role("radio", name="Weekly").check()
    frame.get_by_label("Monday").check()
    frame.get_by_text("Matching contacts:").wait_for()
    frame.get_by_text("All of it fits into today's quota.").wait_for()
    frame.locator("#upcoming li").nth(4).wait_for()
    assert not (installation.definitions / "exports/weekly-calls.yaml").exists()
    frame.get_by_role("button", name="Create").click()

    # Its DAG is up seconds later, because saving asked for it, and the link leads there.
    frame.locator('[data-dag="export-weekly-calls"][data-state="up"]').wait_for()
    assert frame.get_by_role("link", name="DAG in Airflow").get_attribute("href").endswith("/dags/export-weekly-calls")
    assert "effective_from" in (installation.definitions / "exports/weekly-calls.yaml").read_text()

    frame.get_by_role("button", name="Run now").click()
    frame.locator(".badge", has_text="Completed").first.wait_for(timeout=ENDED_MS)
    (record,) = list_runs(installation.site.engine, RunFilters(export_id="weekly-calls"))
    assert (record.triggered_by, record.trigger) == ("admin", "manual")
    assert record.matched
    rows = dict(
        zip(frame.locator(".sum th").all_inner_texts(), frame.locator(".sum td").all_inner_texts(), strict=True)
    )
    assert rows["Matched"] == str(record.matched)

    frame.get_by_role("link", name="Audit", exact=True).first.click()
    frame.get_by_role("heading", name="Bulk Contact Export Audit").wait_for()
    with page.expect_download() as download:
        frame.get_by_role("link", name="Download CSV").click()
    download.value.save_as(tmp_path / "audit.csv")
    rows_of = {
        row["run_id"]: row for row in csv.DictReader((tmp_path / "audit.csv").read_text("utf-8-sig").splitlines())
    }
    assert rows_of[record.run_id]["matched"] == str(record.matched)
    triggered = list_events(installation.site.engine, action="triggered", subject="export weekly-calls")
    assert [event.who for event in triggered] == ["admin"]

    frame.get_by_role("link", name="Weekly calls").first.click()
    frame.get_by_role("link", name="DAG run in Airflow").click()
    page.wait_for_url("**/dags/export-weekly-calls/runs/**")


def test_the_tab_of_a_dag_run_shows_its_record(admin: BrowserContext, installation: Installation) -> None:
    run_id = installation.api.trigger("export-complaints", {"limit": 20})
    page = admin.new_page()
    page.goto(f"{installation.url}/dags/export-complaints/runs/{run_id}/plugin/export-run")
    # A page that waits for the record, then one that follows the run, without anybody reloading.
    frame = page.frame_locator("iframe")
    frame.locator(".badge", has_text="Completed").first.wait_for(timeout=ENDED_MS)
    frame.get_by_text("limit=20").wait_for()


def test_progress_bars_move_by_themselves_until_the_run_has_ended(
    admin: BrowserContext, installation: Installation
) -> None:
    engine, now = installation.site.engine, datetime.now(UTC)
    run = NewRun(
        run_id="cli/under-way",
        export_id="nightly",
        export_name="Nightly",
        version="1",
        trigger=Trigger.CLI,
        as_of=now,
        licence="standard",
        definitions="",
        destination_name="archive",
        destination_uri="file:///srv",
        directory="Nightly/1",
        formats={"audio_only": "mp3", "transcripts": "none"},
    )
    create_run(engine, run, now)
    day = {"environment": "test", "day": now.date(), "daily_limit": 1_000, "policy": "continue", "now": now}
    reserve(engine, run_id=run.run_id, wanted=200, **day)

    def done(contacts: int) -> None:
        record_progress(engine, run.run_id, "copy_media", 1, done=contacts, total=200, bytes=0, now=now)

    done(40)
    page = admin.new_page()
    page.goto(f"{installation.url}/bulk-export/audit?export=nightly")
    expect(page.locator("progress")).to_have_attribute("value", "10")
    done(150)
    expect(page.locator("[data-percent]")).to_have_text("37%", timeout=PATIENCE_MS)
    with transaction(engine) as connection:
        close_run(connection, get_run(engine, run.run_id), RunStatus.CANCELLED, quota_after=None, now=now)
    page.locator(".badge", has_text="Cancelled").wait_for()
    expect(page.locator("progress")).to_have_count(0)


def test_an_export_is_sent_at_once_without_being_saved(admin: BrowserContext, installation: Installation) -> None:
    _, frame = exports(admin, installation)
    frame.get_by_role("link", name="New Export").first.click()
    frame.get_by_label("Export Name").fill("For the lawyers")
    frame.get_by_label("Saved Search").select_option("recent")
    frame.get_by_role("button", name="Create").click()
    frame.get_by_role("heading", name="For the lawyers").wait_for(timeout=ENDED_MS)
    frame.locator(".badge", has_text="Completed").first.wait_for(timeout=ENDED_MS)
    assert not list((installation.definitions / "exports").glob("for-the*"))


def test_two_people_editing_one_export_never_overwrite_each_other_unseen(
    admin: BrowserContext, installation: Installation
) -> None:
    path = installation.definitions / "exports/complaints.yaml"
    mine, theirs = admin.new_page(), admin.new_page()
    for page in (mine, theirs):
        page.goto(f"{installation.url}/bulk-export/exports/complaints")
    theirs.get_by_label("Transcript Output Format").select_option("json")
    with theirs.expect_navigation():
        theirs.get_by_role("button", name="Save", exact=True).click()
    assert "transcripts: json" in path.read_text()

    mine.get_by_label("Export Name").fill("Complaints, mine")
    mine.get_by_role("button", name="Save", exact=True).click()
    dialog = mine.get_by_role("dialog", name="Somebody else has changed this meanwhile")
    assert "transcripts: json" in dialog.locator("[data-theirs]").inner_text()
    assert "Complaints, mine" in dialog.locator("[data-mine]").inner_text()
    assert "name: Complaints for legal" in path.read_text()
    with mine.expect_navigation():
        dialog.get_by_role("button", name="Save mine in its place").click()
    mine.get_by_role("heading", name="Complaints, mine").wait_for()
    assert "# as stored" in path.read_text()
    path.write_text(path.read_text().replace("Complaints, mine", "Complaints for legal"))


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "immediate"])
def test_what_failed_is_retried_alone_once_it_can_be_delivered(
    admin: BrowserContext, installation: Installation, tmp_path: Path, saved: bool
) -> None:
    if saved:
        dag_id, answers = installation.export("retried", EXPORT.replace("Complaints for legal", "Retried")), {}
    else:
        dag_id = "bulk_contact_export_now"
        answers = {"name": "At once", "search": "recent", "storage_location": "legal", "audio_only": "original"}
    media = sorted(path for path in (installation.root / "store/media").rglob("*") if path.is_file())
    for number, path in enumerate(media):
        path.rename(tmp_path / str(number))
    try:
        first = installation.run(dag_id, **answers)
    finally:
        for number, path in enumerate(media):
            (tmp_path / str(number)).rename(path)
    faulty = first.by_status["faulty"]
    assert 0 < faulty < first.matched

    page = admin.new_page()
    page.goto(f"{installation.url}/bulk-export/runs/{first.run_key}")
    page.get_by_role("button", name="Retry failed only").click()
    page.get_by_role("link", name=first.run_key).wait_for(timeout=ENDED_MS)  # only the new run's page has it
    page.locator(".badge", has_text="Completed").first.wait_for(timeout=ENDED_MS)
    retried = list_runs(installation.site.engine, RunFilters(export_id=first.export_id))[0]
    assert (retried.matched, retried.by_status["faulty"]) == (faulty, 0)
    assert retried.parameters["retry_failed_of"] == first.run_key
    assert (retried.export_name, retried.destination_name) == (first.export_name, first.destination_name)
    page.get_by_role("link", name=first.run_key).click()
    page.get_by_role("link", name=retried.run_key).wait_for()


def test_the_health_page_knows_what_only_airflow_knows(admin: BrowserContext, installation: Installation) -> None:
    page, frame = exports(admin, installation)
    deadline = time.monotonic() + ENDED_MS / 1000  # what was found counts for a minute
    unhealthy = {"maintenance"}
    while "maintenance" in unhealthy:  # until the maintenance DAG has run once
        assert time.monotonic() < deadline, unhealthy
        page.wait_for_timeout(1_000)
        answer = page.request.get(f"{installation.url}/bulk-export/health", headers={"Accept": "application/json"})
        unhealthy = {one["check"] for one in answer.json()["checks"] if not one["healthy"]}
    assert unhealthy <= {"definitions"}  # another test writes one that does not load
    assert answer.status == (503 if unhealthy else 200)
    frame.get_by_role("link", name="Health").click()
    frame.get_by_text("Last success:").wait_for()


def test_an_export_is_duplicated_and_the_copy_deleted(admin: BrowserContext, installation: Installation) -> None:
    page, frame = exports(admin, installation)
    frame.get_by_role("link", name="Saved Contact Export").click()
    frame.get_by_role("link", name="Duplicate Complaints for legal").click()
    frame.get_by_label("Export Name").fill("A copy")
    frame.get_by_role("button", name="Create").click()
    frame.get_by_text("exports/a-copy.yaml").wait_for()
    copy, original = ((installation.definitions / f"exports/{id}.yaml").read_text() for id in ("a-copy", "complaints"))
    assert 'schedule: {monthly: {day: 31, time: "23:00"}, time_zone: Europe/Madrid}' in copy
    assert ("transcripts: xml" in copy) == ("transcripts: xml" in original)

    # Back is where one was, without anything being created once more.
    page.go_back()
    frame.get_by_role("heading", name="New Export").wait_for()
    page.go_forward()
    frame.get_by_role("button", name="Delete").click()
    dialog = frame.get_by_role("dialog", name="Delete A copy?")
    dialog.get_by_role("button", name="Cancel").click()
    frame.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    frame.locator('tr[data-export="complaints"]').wait_for()
    expect(frame.locator('tr[data-export="a-copy"]')).to_have_count(0)
    assert not (installation.definitions / "exports/a-copy.yaml").exists()


def test_the_pages_can_be_used_by_keyboard(admin: BrowserContext, installation: Installation) -> None:
    page = admin.new_page()
    page.goto(f"{installation.url}/bulk-export/exports")
    page.bring_to_front()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="New Export").last).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="New Export").wait_for()
    expect(page.get_by_role("button", name="Create")).to_be_enabled()  # the page's script is there
    page.get_by_label("Export Name").focus()
    page.keyboard.press("Enter")  # sends the form, which says what is missing
    expect(page.get_by_label("Export Name")).to_be_focused()
    expect(page.get_by_label("Export Name")).to_have_attribute("aria-invalid", "true")


def test_pause_is_airflows_own(admin: BrowserContext, installation: Installation) -> None:
    _, frame = exports(admin, installation)
    frame.get_by_role("link", name="Saved Contact Export").click()
    row = frame.locator('tr[data-export="complaints"]')
    row.get_by_role("button", name="Pause").click()
    row.get_by_text("Paused").wait_for()
    assert installation.api.request("GET", "/dags/export-complaints")["is_paused"] is True
    row.get_by_role("button", name="Resume").click()
    row.get_by_text("Up", exact=True).wait_for()
    assert installation.api.request("GET", "/dags/export-complaints")["is_paused"] is False


def test_a_search_is_built_from_drop_downs_marked_where_incomplete_and_previewed(
    admin: BrowserContext, installation: Installation
) -> None:
    _, frame = exports(admin, installation)
    frame.get_by_role("link", name="Saved Searches").click()
    frame.get_by_role("link", name="New saved search").first.click()
    frame.locator(".filter-row").first.wait_for()  # the builder is there
    frame.get_by_label("Name", exact=True).fill("Detractors")
    frame.get_by_role("button", name="Add a filter").click()
    row = frame.locator(".filter-row").nth(1)
    row.get_by_label("Field").select_option("predictive_net_promoter_score")
    row.get_by_text("value is missing").wait_for()
    row.get_by_label("Operator").select_option("less_than")
    row.get_by_label("Value").fill("0.9")
    frame.get_by_text("Matching contacts:").wait_for()
    frame.get_by_role("button", name="Preview the first 50 contacts").click()
    frame.locator("#preview tbody tr").first.wait_for()
    assert "Contact ID" in frame.locator("#preview thead").inner_text()
    frame.get_by_role("button", name="Save", exact=True).click()
    frame.get_by_text("The file, as in git").wait_for()
    written = (installation.definitions / "searches/detractors.yaml").read_text()
    assert "{field: predictive_net_promoter_score, operator: less_than, value: 0.9}" in written
    events = list_events(installation.site.engine, who="admin")
    assert {"previewed", "created"} <= {event.action for event in events}


def test_the_language_switch_is_remembered(admin: BrowserContext, installation: Installation) -> None:
    page, frame = exports(admin, installation)
    frame.get_by_role("link", name="Español").click()
    frame.get_by_role("heading", name="Auditoría de exportación masiva de contactos").wait_for()
    page.goto(f"{installation.url}/plugin/exports")
    frame.get_by_role("link", name="Nueva Exportación").first.click()
    frame.get_by_label("Ubicación de Almacenamiento").wait_for()


def test_a_viewer_reads_and_is_offered_nothing_else(sign_in: SignIn, installation: Installation) -> None:
    context = sign_in("viewer")
    page = context.new_page()
    page.goto(f"{installation.url}/bulk-export/exports")
    page.get_by_role("link", name="Complaints for legal", exact=True).click()
    assert page.get_by_label("Export Name").is_disabled()
    assert page.get_by_role("button").count() == 0
    answer = page.request.post(f"{installation.url}/bulk-export/exports", data={"name": "x"})
    assert answer.status == 403
    context.close()
