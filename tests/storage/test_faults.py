"""Bad days: every fault a network or a service can show, and never a wrong byte under a final name."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable

import pytest

from bulk_export.errors import BulkExportError, RefusedError, TransientError
from bulk_export.storage.objects import WHOLE_BYTES
from bulk_export.storage.reading import read
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.s3 import S3Storage
from fault_proxy import (
    EXPIRED,
    SKEWED,
    SLOW_DOWN,
    Fault,
    FaultProxy,
    corrupt,
    corrupt_upload,
    lose_answer,
    reset_while_sending,
    stall,
    truncate,
)
from servers import S3Server

pytestmark = pytest.mark.faults("object-storage")

Open = Callable[..., S3Storage]
SMALL = hashlib.shake_128(b"small").digest(240_000)
LARGE = hashlib.shake_128(b"large").digest(WHOLE_BYTES + 5_000_000)
BAD_DAYS: dict[str, tuple[Fault, dict[str, int]]] = {
    "503 SlowDown, again and again": (SLOW_DOWN, {"times": 6}),
    "reset while the body is sent": (reset_while_sending, {"times": 3}),
    "the answer is lost": (lose_answer, {"times": 3}),
    "a stall": (stall(3), {"times": 1}),
    "the body is cut short": (truncate, {"times": 3}),
    "a byte changes": (corrupt, {"times": 3}),
    "a byte changes on the way up": (corrupt_upload, {"times": 3}),
}


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("day", BAD_DAYS)
def test_what_is_written_on_a_bad_day_is_whole(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, day: str, content: bytes
) -> None:
    fault, how = BAD_DAYS[day]
    planned = proxy.plan(fault, "PUT", "POST", **how)

    opened(endpoint=proxy.endpoint).put("key", io.BytesIO(content), replace=False)

    assert planned.done
    lies = s3_server.client().get_object(Bucket="exports", Key=f"{prefix}/key")["Body"].read()
    assert lies == content
    assert "Uploads" not in s3_server.client().list_multipart_uploads(Bucket="exports", Prefix=prefix)


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("day", [day for day in BAD_DAYS if "up" not in day and "sent" not in day])
def test_what_is_read_on_a_bad_day_is_what_was_stored(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, day: str, content: bytes
) -> None:
    # In one PUT, so that the service has a digest of the whole.
    s3_server.client().put_object(Bucket="exports", Key=f"{prefix}/key", Body=content, ChecksumAlgorithm="SHA256")
    fault, how = BAD_DAYS[day]
    planned = proxy.plan(fault, "GET", **how)
    storage = opened(endpoint=proxy.endpoint)

    try:
        found = read(storage, "key")
    except TransientError:  # a large object is proven at its end; whoever reads it begins again
        assert (day, content) == ("a byte changes", LARGE)
        found = read(storage, "key")

    assert planned.done
    assert found == content


def test_a_large_object_that_arrives_damaged_is_never_delivered(opened: Open, proxy: FaultProxy) -> None:
    opened("calls").put("stored.mp4", LARGE[:WHOLE_BYTES])  # one PUT, whose digest the service keeps
    proxy.plan(corrupt, "GET", skip=2)
    destination = opened()

    with opened("calls", endpoint=proxy.endpoint).open("stored.mp4") as stream, pytest.raises(TransientError):
        destination.put("1.mp4", stream, replace=False)

    assert [*destination.list()] == []


@pytest.mark.parametrize("fault", [SLOW_DOWN, lose_answer, truncate], ids=["503", "lost", "cut"])
def test_a_listing_goes_on_where_it_broke(opened: Open, proxy: FaultProxy, fault: Fault) -> None:
    storage = opened()
    keys = [f"data/{number:04d}" for number in range(1_100)]  # more than a page
    threads = [threading.Thread(target=lambda part=keys[n::8]: [storage.put(k, b"") for k in part]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    proxy.plan(fault, "GET", times=4, every=2)

    assert [entry.key for entry in opened(endpoint=proxy.endpoint).list("data/")] == keys


@pytest.mark.faults("clock")
@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [(EXPIRED, TransientError, "STORAGE_EXPIRED"), (SKEWED, TransientError, "STORAGE_CLOCK")],
    ids=["expired", "skewed"],
)
@pytest.mark.parametrize("verb", ["put", "put large", "fetch", "list"])
def test_credentials_and_clocks_that_are_wrong_are_told_at_once(
    opened: Open, proxy: FaultProxy, fault: Fault, kind: type[BulkExportError], code: str, verb: str
) -> None:
    opened().put("key", SMALL)
    proxy.plan(fault, "GET", "PUT", "POST")
    storage = opened(endpoint=proxy.endpoint)
    acts: dict[str, Callable[[], object]] = {
        "put": lambda: storage.put("new", SMALL),
        "put large": lambda: storage.put("new", LARGE),
        "fetch": lambda: storage.fetch("key", 1_000_000),
        "list": lambda: [*storage.list()],
    }

    with pytest.raises(kind) as caught:
        acts[verb]()

    assert caught.value.code == code
    assert caught.value.hint
    assert len(proxy.requests) == 1  # trying again would only be refused again


def test_an_outage_shorter_than_the_window_is_sat_out(opened: Open, s3_server: S3Server, proxy: FaultProxy) -> None:
    storage = opened(endpoint=proxy.endpoint)
    proxy.down = True
    threading.Timer(1.5, setattr, (proxy, "down", False)).start()

    storage.put("key", SMALL, replace=False)

    assert read(opened(), "key") == SMALL


def test_an_outage_longer_than_the_window_is_told(opened: Open, proxy: FaultProxy) -> None:
    storage = opened(endpoint=proxy.endpoint, retry_policy=RetryPolicy(window_s=0.5, timeout_s=1, connect_s=1))
    proxy.down = True
    began = time.monotonic()

    for act in (lambda: storage.put("key", SMALL), lambda: storage.put("key", LARGE), lambda: [*storage.list()]):
        with pytest.raises(TransientError, match=r"STORAGE_UNREACHABLE"):
            act()

    assert time.monotonic() - began < 30
    proxy.down = False
    assert [*storage.list()] == []


def test_a_missing_bucket_is_no_reason_to_wait(opened: Open) -> None:
    with pytest.raises(RefusedError, match=r"STORAGE_MISSING"):
        opened("no-such-bucket").put("key", LARGE)
    with pytest.raises(RefusedError, match=r"STORAGE_MISSING"):
        opened("no-such-bucket").put("key", SMALL)
