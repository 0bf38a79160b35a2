"""The audit and the page of a run."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event, insert, update

from bulk_export.reasons import ItemStatus, Reason
from bulk_export.state.items import Item, record_items
from bulk_export.state.tables import runs

if TYPE_CHECKING:
    from conftest import Console

HOSTILE = "<script>alert('x')</script>=cmd|' /C calc'!A0"


def shown(client: Any, path: str, **headers: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html", **headers})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_an_installation_where_nothing_ran_yet_says_so(console: Console) -> None:
    assert "No export has run yet." in shown(console.client(), "/audit")


def test_a_run_is_listed_with_its_counts_and_its_page_adds_up(console: Console) -> None:
    (console.bench.root / "store/media/2.wav").unlink()
    record = console.bench.run(console.bench.export("nightly"))
    text = shown(console.client(), "/audit")
    assert f"/runs/{record.run_key}" in text
    assert "Completed with errors" in text
    text = shown(console.client(), f"/runs/{record.run_key}")
    assert "The store names a media file that is not there: restore it, then retry what failed." in text
    figures = [int(number) for number in re.findall(r'<td class="figure">(\d+)</td>', text.split("</tfoot>")[0])]
    assert sum(figures[:-1]) == figures[-1] == 5


def test_what_delivered_contacts_do_without_is_noted_and_no_reason_to_list_items_by(console: Console) -> None:
    bench = console.bench
    bench.contacts([*(bench.call(number) for number in range(1, 4)), bench.call(4, transcript=False, audio_uri=None)])
    (bench.root / "store/media/2.wav").unlink()
    record = bench.run(bench.export("nightly"))
    text = shown(console.client(), f"/runs/{record.run_key}")
    noted = text.split("Also noted")[1].split("</section>")[0]
    assert re.findall(r'<code>(\w+)</code>.*?<td class="figure">(\d+)</td>', noted) == [
        ("NO_MEDIA", "1"),
        ("NO_TRANSCRIPT", "1"),
    ]
    figures = [int(number) for number in re.findall(r'<td class="figure">(\d+)</td>', text.split("</tfoot>")[0])]
    assert sum(figures[:-1]) == figures[-1] == 4
    assert re.findall(r'<option value="([A-Z_]+)"', text.split('name="reason"')[1]) == ["MEDIA_MISSING"]


def test_charts_say_in_words_what_they_draw(console: Console) -> None:
    (console.bench.root / "store/media/2.wav").unlink()
    console.bench.write_settings(licence={"type": "standard"})
    console.bench.run(console.bench.export("nightly"))
    text = shown(console.client(), "/audit")
    labels = re.findall(r'<svg class="plot" role="img" aria-label="([^"]+)"', text)
    assert labels[0] == "4 of 1,000 contacts used today"
    assert labels[1] == "Contacts exported in 30 days: 4"
    assert labels[2].startswith("Delivered in 30 days: ")
    assert labels[3] == "Runs of the last 30 days: Completed with errors 1"
    assert "Standard licence" in text
    # Each day by itself, and as its reader writes a day.
    assert text.count("<title>") == 1 + 3 * 30
    assert "<title>2026-11-23: 4</title>" in text
    assert "<title>23/11/2026: Completada con errores 1</title>" in shown(console.client(), "/audit?language=es")


@pytest.mark.faults("requests")
def test_a_hostile_name_is_shown_as_text_and_is_no_formula_in_the_download(console: Console) -> None:
    console.bench.run(console.bench.export("evil", name=HOSTILE))
    client = console.client()
    assert "<script>alert" not in shown(client, "/audit")
    assert "&lt;script&gt;" in shown(client, "/audit")
    console.bench.run(console.bench.export("formula", name="=1+1"))
    rows = list(csv.DictReader(io.StringIO(client.get("/audit.csv").text.removeprefix("\ufeff"))))
    by_name = {row["export_name"]: row for row in rows}
    assert set(by_name) == {HOSTILE, "'=1+1"}
    assert by_name[HOSTILE]["matched"] == "5"


def test_pages_follow_one_another_without_gap_or_repetition_and_filters_hold(console: Console) -> None:
    first = console.bench.run(console.bench.export("nightly"))
    engine = console.bench.site().engine
    with engine.begin() as connection:
        row = dict(connection.execute(runs.select().where(runs.c.run_id == first.run_id)).mappings().one())
        for number in range(119):
            moment = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(minutes=number // 2)
            key = {"run_id": f"export-nightly/{number:03}", "run_key": f"{number:010x}", "queued_at": moment}
            status = "FAILED" if number % 3 == 0 else "COMPLETED"
            connection.execute(insert(runs).values(row | key | {"status": status}))
    client, path, found = console.client(), "/audit", []
    while path:
        text = shown(client, path)
        found += re.findall(r'/runs/(\w{10})">', text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        path = older.group(1).replace("&amp;", "&") if older else ""
    assert len(found) == len(set(found)) == 120
    assert found[0] == first.run_key
    text = shown(client, "/audit?status=FAILED&export=nightly&first=2026-10-31&last=2026-11-01")
    assert text.count('<span class="badge tone-failed">') == 40
    assert "No run fits the filters." in shown(client, "/audit?who=somebody")
    assert "No run fits the filters." not in shown(client, "/audit?status=bogus&first=yesterday&last=9999-12-31")


def test_contacts_with_problems_come_in_pages_filters_and_a_download(console: Console) -> None:
    record = console.bench.run(console.bench.export("nightly"))
    engine = console.bench.site().engine
    many = [Item(number, ItemStatus.FAULTY, Reason.MEDIA_CORRUPT, "cut off") for number in range(1, 231)]
    record_items(engine, record.run_id, [*many, Item(900, ItemStatus.DEFERRED, Reason.QUOTA_EXCEEDED)])
    client, path, found = console.client(), f"/runs/{record.run_key}", []
    while path:
        text = shown(client, path)
        found += [int(number) for number in re.findall(r'data-label="Contact ID">(\d+)</td>', text)]
        more = re.search(r'rel="next" href="([^"#]+)', text)
        path = more.group(1).replace("&amp;", "&") if more else ""
    assert found == [*range(1, 231), 900]
    rows = client.get(f"/runs/{record.run_key}/items.csv?status=deferred").text.splitlines()
    assert rows[1:] == ["900,deferred,QUOTA_EXCEEDED,"]


def test_progress_has_percent_and_status_of_runs_under_way(console: Console) -> None:
    from bulk_export.state.progress import record_progress

    record = console.bench.run(console.bench.export("nightly"))
    engine, now = console.bench.site().engine, datetime(2026, 11, 23, tzinfo=UTC)
    with engine.begin() as connection:
        connection.execute(update(runs).values(status="RUNNING"))
    for stage, done in (("copy_media", 5), ("export_transcripts", 2), ("build_csv", 0)):
        record_progress(engine, record.run_id, stage, 0, done=done, total=5, bytes=0, now=now)
    client = console.client()
    found = client.get(f"/audit/progress?run={record.run_key}").json()
    # The stages of job 1 are done already; those of this test count beside them up to each stage's contacts.
    assert found[record.run_key]["status"] == "RUNNING"
    assert 0 < found[record.run_key]["percent"] <= 99
    assert f'data-bar="{record.run_key}"' in shown(client, "/audit")
    assert client.get("/audit/progress?run=0000000000").status_code == 404


def test_the_tabs_of_a_dag_and_of_a_dag_run_lead_to_its_export(console: Console) -> None:
    run_id = "export-nightly/manual__2026-11-23T08:00:00+00:00"
    record = console.bench.run(console.bench.export("nightly"), run_id=run_id, dag_id="export-nightly")
    client = console.client()
    assert "<code>exports/nightly.yaml</code></summary><pre" in shown(client, "/dag/export-nightly")
    assert f"/runs/{record.run_key}" in shown(client, "/dag/export-nightly")
    (console.bench.definitions / "exports/nightly.yaml").unlink()
    assert (
        client.get("/dag/export-nightly", follow_redirects=False).headers["location"].endswith("audit?export=nightly")
    )
    assert record.run_key in shown(client, "/dag-run/export-nightly/manual__2026-11-23T08%3A00%3A00%2B00%3A00")
    assert "data-wait-for-record" in shown(client, "/dag-run/export-nightly/manual__later")
    for page in ("/dag/export-nightly", "/dag/export-gone"):
        foreign = client.get(page, follow_redirects=False, headers={"host": "elsewhere.example"})
        assert "elsewhere" not in foreign.headers.get("location", "")
    assert "Not a bulk contact export" in shown(client, "/dag/somebody_elses")


def test_the_delivered_files_are_listed_page_by_page(console: Console) -> None:
    from bulk_export_console.routes import files

    record = console.bench.run(console.bench.export("nightly"))
    directory = console.bench.directory(record)
    (directory / "data/a&b.txt").write_text("four")
    for number in range(files.FILES):
        (directory / f"data/more-{number:03}.txt").touch()
    client, path, found = console.client(), f"/runs/{record.run_key}/files", []
    while path:
        text = shown(client, path)
        found += re.findall(r'<td class="detail"><code>([^<]+)</code></td>', text)
        more = re.search(r'rel="next" href="([^"]+)', text)
        path = html.unescape(more.group(1)) if more else ""
    on_disk = sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())
    assert [html.unescape(name) for name in found] == on_disk
    assert f"/runs/{record.run_key}/files" in shown(client, f"/runs/{record.run_key}")
    dry = console.bench.run("nightly", parameters={"dry_run": True})
    assert "There is no file in the run&#39;s directory." in shown(client, f"/runs/{dry.run_key}/files")


def test_the_pages_speak_spanish_to_a_spanish_browser_and_the_switch_is_remembered(console: Console) -> None:
    client = console.client()
    assert "<h1>Auditoría de exportación masiva de contactos</h1>" in shown(
        client, "/audit", **{"Accept-Language": "es-CO,es;q=0.9,en;q=0.8"}
    )
    assert 'lang="en"' in shown(client, "/audit", **{"Accept-Language": "de, en;q=0.5, es;q=0.1"})
    assert 'lang="es"' in shown(client, "/audit?language=es")
    assert 'lang="es"' in shown(client, "/audit")


def test_a_run_that_is_not_there_is_a_page_that_says_so(console: Console) -> None:
    answer = console.client().get("/runs/0123456789", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "RUN_UNKNOWN" in answer.text


def test_the_audit_reads_a_page_of_its_runs_whatever_their_number(console: Console) -> None:
    first = console.bench.run(console.bench.export("nightly"))
    engine = console.bench.site().engine
    statements: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append((statement, parameters))

    def asked(path: str) -> list[tuple[str, Any]]:
        statements.clear()
        shown(console.client(), path)
        return statements.copy()

    with engine.begin() as connection:
        row = dict(connection.execute(runs.select().where(runs.c.run_id == first.run_id)).mappings().one())
        many = (
            {"run_id": f"export-nightly/{number:05}", "run_key": f"{number:010x}"}
            | {"queued_at": datetime(2026, 11, 1, tzinfo=UTC) - timedelta(minutes=number)}
            for number in range(2_000)
        )
        connection.execute(insert(runs), [row | changed for changed in many])
    event.listen(Engine, "before_cursor_execute", note)
    try:
        newest, far_back = asked("/audit"), asked("/audit?before=export-nightly/01900")
        of_one = asked("/audit?export=nightly&status=COMPLETED")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    # As many with 2,000 runs as with one: none is asked for by itself.
    assert len(newest) < 10
    assert len(far_back) == len(newest) + 1
    for asked_for in (newest, far_back, of_one):
        listed, parameters = next(one for one in asked_for if "LIMIT" in one[0])
        with engine.connect() as connection:
            plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {listed}", parameters))
        # In the order of an index, so that no more is read than is shown.
        assert "USING INDEX ix_runs_" in plan
        assert "TEMP B-TREE" not in plan
