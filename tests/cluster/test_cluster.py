"""A day's whole quota from bucket to bucket over two workers, one of which dies on the way."""

from __future__ import annotations

import io
import wave
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from obstore.store import S3Store

from bulk_export.bag.verify import verify_run
from bulk_export.definitions.locations import S3Location
from bulk_export.quota import quota_day
from bulk_export.site import Site
from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.runs import get_run
from bulk_export.storage import open_storage
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.reading import read
from servers import SECRETS

if TYPE_CHECKING:
    from conftest import Cluster

CONTACTS = 40_000
# One contact in so many has audio, so that the test takes minutes and not an hour on a small machine.
AUDIO_EVERY = 5
SEARCH = "name: Everything\nfilters:\n  - {field: started_at, operator: after, value: 2000-01-01}\n"
EXPORT = """name: All of it
search: everything
storage_location: archive
media: {audio_only: original}
"""
# An environment of its own has a day's quota of its own.
CHANGED = {
    "contact_store": "{type: parquet, uri: s3://contacts/many, connection: exports_s3}",
    "environment": "{name: large, time_zone: UTC}",
}


def tone() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as audio:
        audio.setparams((1, 2, 8000, 0, "NONE", ""))
        audio.writeframes(bytes(range(256)) * 8)
    return out.getvalue()


def fill(cluster: Cluster, folder: Path) -> None:
    """Forty thousand calls in the bucket, some with audio."""
    store = S3Store(
        "contacts",
        prefix="many",
        endpoint=cluster.s3.endpoint,
        region="us-east-1",
        access_key_id="owner",
        secret_access_key=SECRETS["owner"],
        client_options={"allow_http": True},
    )
    ids, audio = range(1, CONTACTS + 1), tone()
    begun = datetime.now(UTC) - timedelta(days=2)
    uris = [f"media/{number}.wav" if number % AUDIO_EVERY == 0 else None for number in ids]

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda uri: store.put(uri, audio), filter(None, uris)))
    table = pa.table(
        {
            "contact_id": pa.array(ids, pa.int64()),
            "started_at": pa.array([begun + timedelta(seconds=number) for number in ids], pa.timestamp("us", "UTC")),
            "time_zone": ["UTC"] * CONTACTS,
            "contact_type": ["CALL"] * CONTACTS,
            "agent_id": [f"A{number % 97}" for number in ids],
            "audio_uri": pa.array(uris, pa.string()),
            "audio_bytes": pa.array([len(audio) if uri else None for uri in uris], pa.int64()),
        }
    )
    pq.write_table(table, folder / "all.parquet")
    store.put("contacts/all.parquet", folder / "all.parquet")


def site(cluster: Cluster) -> Site:
    """The installation as an administrator's machine sees it."""
    key = Credentials(
        {
            "access_key_id": "owner",
            "secret_access_key": SECRETS["owner"],
            "endpoint": cluster.s3.endpoint,
            "region": "us-east-1",
        }
    )
    state = f"postgresql+psycopg://exports:{cluster.variables['EXPORTS_PASSWORD']}@127.0.0.1:{cluster.database.port}"
    return Site(
        definitions=cluster.definitions,
        clock=lambda: datetime.now(UTC),
        credentials=lambda connection: key,
        database_url=lambda connection: f"{state}/exports",
    )


def test_what_comes_with_it_is_exported_and_shown_to_whoever_is_permitted(cluster: Cluster) -> None:
    cluster.until("the sample export is a DAG", lambda: "export-last-month" in cluster.api.dag_ids())
    run_id = cluster.api.trigger("export-last-month")
    state = cluster.until("the run ends", lambda: cluster.ended("export-last-month", run_id), limit_s=600)

    record = get_run(site(cluster).engine, f"export-last-month/{run_id}")
    assert (state, record.status) == ("success", RunStatus.COMPLETED), cluster.last_words()
    assert record.exported > 0
    assert record.run_key in cluster.page("/bulk-export/audit")


def test_forty_thousand_contacts_arrive_once_though_a_worker_dies(cluster: Cluster, tmp_path: Path) -> None:
    fill(cluster, tmp_path)
    settings = cluster.definitions / "settings.yaml"
    kept = [line for line in settings.read_text().splitlines() if line.partition(":")[0] not in CHANGED]
    settings.write_text("\n".join([*kept, *(f"{key}: {value}" for key, value in CHANGED.items())]))
    (cluster.definitions / "searches/everything.yaml").write_text(SEARCH)
    (cluster.definitions / "exports/all.yaml").write_text(EXPORT)
    cluster.until("the export is a DAG", lambda: "export-all" in cluster.api.dag_ids())
    run_id = cluster.api.trigger("export-all")

    def workers_at_media() -> dict[str, list[int]]:
        return {name: cluster.at_work(name, "export-all", run_id, "copy_media") for name in ("worker-1", "worker-2")}

    def both_at_media() -> dict[str, list[int]] | None:
        assert cluster.api.run("export-all", run_id)["state"] in {"queued", "running"}, cluster.last_words()
        at_work = workers_at_media()
        return at_work if all(at_work.values()) else None

    at_work = cluster.until("both workers copy media", both_at_media)
    cluster.kill("worker-1")

    state = cluster.until("the run ends", lambda: cluster.ended("export-all", run_id), limit_s=1_200)

    here = site(cluster)
    record = get_run(here.engine, f"export-all/{run_id}")
    assert (state, record.status) == ("success", RunStatus.COMPLETED), cluster.last_words()
    assert (record.matched, record.exported, record.jobs) == (CONTACTS, CONTACTS, 4)
    assert {status: count for status, count in record.by_status.items() if count} == {"delivered": CONTACTS}
    assert record.media_files == CONTACTS // AUDIO_EVERY
    assert usage(here.engine, "large", quota_day(datetime.now(UTC), "UTC")).used == CONTACTS
    assert {one["pool"] for one in tasks(cluster, run_id, "copy_media")} == {"archive"}
    tries = {one["map_index"]: one["try_number"] for one in tasks(cluster, run_id, "copy_media")}
    assert all(tries[job] > 1 for job in at_work["worker-1"])
    assert_delivered_once(cluster, record.directory, tmp_path)


def tasks(cluster: Cluster, run_id: str, task_id: str) -> list[Any]:
    return [one for one in cluster.api.task_instances("export-all", run_id) if one["task_id"] == task_id]


def assert_delivered_once(cluster: Cluster, directory: str, tmp_path: Path) -> None:
    place = S3Location(type="s3", bucket="exports", prefix=directory, endpoint=cluster.s3.endpoint, region="us-east-1")
    key = Credentials({"access_key_id": "owner", "secret_access_key": SECRETS["owner"]})
    delivered = open_storage(place, base=tmp_path, credentials=key)
    assert verify_run(delivered).faults == ()
    for name in ("items", "contacts"):
        (tmp_path / f"{name}.csv").write_bytes(read(delivered, f"data/{name}.csv"))
    counted = "SELECT count(*), count(DISTINCT {0}), min({0}), max({0}) FROM '{1}'"
    for name, column in (("items", "contact_id"), ("contacts", '"Contact ID"')):
        with duckdb.connect() as connection:
            found = connection.execute(counted.format(column, tmp_path / f"{name}.csv")).fetchone()
        assert found == (CONTACTS, CONTACTS, 1, CONTACTS)
    kinds = Counter(Path(entry.key).suffix for entry in delivered.list("data/media/"))
    assert kinds == {".wav": CONTACTS // AUDIO_EVERY}
