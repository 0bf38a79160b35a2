"""What the product relies on in S3, against a real server: written once, large objects, copies, checksums."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bulk_export.bag.write import publish_bag
from bulk_export.errors import RefusedError, TransientError
from bulk_export.items.payload_file import PayloadFile
from bulk_export.storage.base import Stored
from bulk_export.storage.objects import WHOLE_BYTES
from bulk_export.storage.s3 import S3Storage
from fault_proxy import DENIED, FaultProxy, corrupt_upload, lose_answer, refuse
from servers import SECRETS, S3Server

Open = Callable[..., S3Storage]

LARGE = hashlib.shake_128(b"large").digest(2 * WHOLE_BYTES + 1000)


def stored(content: bytes) -> Stored:
    return Stored(len(content), hashlib.sha256(content).hexdigest())


def lies(server: S3Server, prefix: str, key: str, bucket: str = "exports") -> bytes:
    found: bytes = server.client().get_object(Bucket=bucket, Key=f"{prefix}/{key}")["Body"].read()
    return found


def uploads(server: S3Server, prefix: str) -> list[Any]:
    listed = server.client().list_multipart_uploads(Bucket="exports", Prefix=prefix)
    return [*listed.get("Uploads", ())]


@pytest.mark.parametrize("content", [b"", b"small", LARGE], ids=["empty", "small", "large"])
def test_what_was_written_by_an_earlier_attempt_counts_as_written(opened: Open, content: bytes) -> None:
    storage = opened()
    first = storage.put("key", content, replace=False)

    assert storage.put("key", io.BytesIO(content), replace=False) == first == stored(content)


@pytest.mark.parametrize("theirs", [b"somebody else's", b"as long as it is", LARGE[:-1]], ids=len)
@pytest.mark.parametrize("ours", [b"as long as ours!", LARGE], ids=len)
def test_what_somebody_else_wrote_is_never_overwritten(
    opened: Open, s3_server: S3Server, prefix: str, ours: bytes, theirs: bytes
) -> None:
    s3_server.client().put_object(Bucket="exports", Key=f"{prefix}/key", Body=theirs)

    with pytest.raises(RefusedError, match=rf"STORAGE_CONFLICT.*s3://exports/{prefix}/key"):
        opened().put("key", ours, replace=False)

    assert lies(s3_server, prefix, "key") == theirs
    assert uploads(s3_server, prefix) == []


def test_what_may_be_replaced_is_replaced(opened: Open, s3_server: S3Server, prefix: str) -> None:
    storage = opened()
    for content in (b"first", LARGE, b"third"):
        storage.put("items.csv", content)
        assert lies(s3_server, prefix, "items.csv") == content


@pytest.mark.faults("object-storage")
@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
def test_a_put_whose_answer_was_lost_is_found_done(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, content: bytes
) -> None:
    proxy.plan(lose_answer, "PUT", "POST", times=3)

    assert opened(endpoint=proxy.endpoint).put("key", content, replace=False) == stored(content)

    assert lies(s3_server, prefix, "key") == content


@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
def test_an_exporter_that_may_only_list_and_put_converges(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, content: bytes
) -> None:
    proxy.plan(DENIED, "HEAD", "DELETE")
    proxy.plan(DENIED, "GET", part=f"{prefix}/")  # a listing's path is the bucket's
    proxy.plan(DENIED, "POST", part="?delete")
    storage = opened(endpoint=proxy.endpoint, who="dropper")

    first = storage.put("key", content, replace=False)
    again = storage.put("key", content, replace=False)

    assert first == again == stored(content)
    assert lies(s3_server, prefix, "key") == content


def test_bytes_that_changed_on_their_way_are_sent_again(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str
) -> None:
    proxy.plan(corrupt_upload, "PUT", times=2)

    opened(endpoint=proxy.endpoint).put("key", b"the very bytes" * 1000, replace=False)

    assert lies(s3_server, prefix, "key") == b"the very bytes" * 1000


def test_a_large_object_whose_source_breaks_leaves_no_upload(opened: Open, s3_server: S3Server, prefix: str) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > WHOLE_BYTES * 3 // 2:
                raise TransientError("STORAGE_UNREACHABLE", "the source went away")
            return super().read(size)

    with pytest.raises(TransientError, match="went away"):
        opened().put("key", Broken(LARGE))

    assert [*opened().list()] == []
    assert uploads(s3_server, prefix) == []


def test_a_large_object_that_is_refused_part_way_leaves_no_upload(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str
) -> None:
    proxy.plan(DENIED, "PUT", part="partNumber=2")

    with pytest.raises(RefusedError, match=r"STORAGE_DENIED"):
        opened(endpoint=proxy.endpoint).put("key", LARGE)

    assert uploads(s3_server, prefix) == []


@pytest.mark.faults("object-storage")
def test_sweeping_aborts_what_killed_writers_began(opened: Open, s3_server: S3Server, prefix: str) -> None:
    client = s3_server.client()
    client.create_multipart_upload(Bucket="exports", Key=f"{prefix}/run/data/1.mp4")
    client.create_multipart_upload(Bucket="exports", Key=f"{prefix}/other/data/1.mp4")

    assert opened().sweep("run/") == 1

    assert [upload["Key"] for upload in uploads(s3_server, prefix)] == [f"{prefix}/other/data/1.mp4"]
    assert opened(who="dropper").sweep("other/") == 0  # it may not even list them, and that is no reason to fail
    opened().sweep()


def test_a_service_without_conditions_is_written_to_all_the_same(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str
) -> None:
    proxy.plan(refuse(501, "NotImplemented"), "PUT", times=1)
    storage = opened(endpoint=proxy.endpoint)

    storage.put("a", b"content", replace=False)
    storage.put("a", b"content", replace=False)

    with pytest.raises(RefusedError, match=r"STORAGE_CONFLICT"):
        storage.put("a", b"other", replace=False)


@pytest.mark.parametrize("bucket", ["exports", "calls"], ids=["within a bucket", "between buckets"])
@pytest.mark.parametrize("largest", [5 * 2**30, WHOLE_BYTES], ids=["in one request", "in parts"])
@pytest.mark.parametrize("checksum", [True, False], ids=["checksum kept", "no checksum kept"])
def test_a_copy_is_made_by_the_service(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, bucket: str, largest: int, checksum: bool
) -> None:
    kept = {"ChecksumAlgorithm": "SHA256"} if checksum else {}
    s3_server.client().put_object(Bucket=bucket, Key=f"{prefix}/stored.mp4", Body=LARGE, **kept)
    source, destination = opened(bucket, endpoint=proxy.endpoint), opened(endpoint=proxy.endpoint)
    destination.copies.largest_copy_bytes, destination.copies.copy_part_bytes = largest, 6 * 2**20
    fetched = opened(bucket).fetch("stored.mp4", 1000)  # not through the proxy, whose bytes are counted

    assert destination.copy("1.mp4", source, "stored.mp4", fetched) == stored(LARGE)

    assert lies(s3_server, prefix, "1.mp4") == LARGE
    assert (proxy.bytes_out < 10_000) == checksum  # read once where the service keeps no digest, never sent
    assert destination.copy("1.mp4", source, "stored.mp4", fetched) == stored(LARGE)  # a retry finds it


def test_a_copy_of_what_changed_meanwhile_is_not_made(opened: Open, s3_server: S3Server, prefix: str) -> None:
    source, destination = opened("calls"), opened()
    source.put("stored.mp4", b"as it was judged" * 1000)
    fetched = source.fetch("stored.mp4", 10)
    source.put("stored.mp4", b"as it is by now!" * 1000)

    assert destination.copy("1.mp4", source, "stored.mp4", fetched) is None

    assert [*destination.list("1.mp4")] == []


def test_a_copy_does_not_overwrite_what_somebody_else_wrote(opened: Open, s3_server: S3Server, prefix: str) -> None:
    source, destination = opened("calls"), opened()
    source.put("stored.mp4", b"ours" * 1000)
    destination.put("1.mp4", b"them" * 1000)

    assert destination.copy("1.mp4", source, "stored.mp4", source.fetch("stored.mp4", 10)) is None

    assert lies(s3_server, prefix, "1.mp4") == b"them" * 1000


def test_a_copy_that_breaks_in_an_answer_that_began_well_is_made_again(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str
) -> None:
    opened("calls").put("stored.wav", LARGE[:100_000])
    source, destination = opened("calls", endpoint=proxy.endpoint), opened(endpoint=proxy.endpoint)
    fetched = source.fetch("stored.wav", 200_000)
    proxy.plan(refuse(200, "InternalError"), "PUT", times=2)

    assert destination.copy("1.wav", source, "stored.wav", fetched) == stored(LARGE[:100_000])

    assert lies(s3_server, prefix, "1.wav") == LARGE[:100_000]


@pytest.mark.faults("object-storage")
def test_copies_that_are_refused_again_and_again_are_not_asked_for_any_more(opened: Open, proxy: FaultProxy) -> None:
    opened("calls").put("stored.wav", b"content")
    source, destination = opened("calls", endpoint=proxy.endpoint), opened(endpoint=proxy.endpoint)
    fetched = source.fetch("stored.wav", 100)
    proxy.plan(DENIED, "PUT")

    assert [destination.copy(f"{number}.wav", source, "stored.wav", fetched) for number in range(9)] == [None] * 9

    assert {path.rpartition("/")[2] for method, path in proxy.requests if method == "PUT"} == {
        "0.wav",
        "1.wav",
        "2.wav",
    }


def test_a_service_whose_copies_write_over_others_makes_one(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str
) -> None:
    def done(handler: Any, body: bytes) -> bool:
        handler.answer(200, [], b"<CopyObjectResult><ETag>0123</ETag></CopyObjectResult>")
        return True

    opened("calls").put("stored.wav", b"content")
    source, destination = opened("calls", endpoint=proxy.endpoint), opened(endpoint=proxy.endpoint)
    fetched = source.fetch("stored.wav", 100)
    proxy.plan(done, "PUT", skip=1)

    assert destination.copy("1.wav", source, "stored.wav", fetched) == stored(b"content")
    assert destination.copy("2.wav", source, "stored.wav", fetched) is None

    assert lies(s3_server, prefix, "1.wav") == b"content"


def test_a_copy_of_an_odd_key_is_a_copy(opened: Open, s3_server: S3Server, prefix: str) -> None:
    key = "año 1/a+b&c=d%20?#'~.wav"
    opened("calls").put(key, b"content")
    source, destination = opened("calls"), opened()

    assert destination.copy(f"to/{key}", source, key, source.fetch(key, 100)) == stored(b"content")

    assert lies(s3_server, prefix, f"to/{key}") == b"content"


def test_only_one_service_with_one_key_copies(opened: Open, proxy: FaultProxy) -> None:
    opened("calls").put("stored", b"content")
    fetched = opened("calls").fetch("stored", 1)

    assert opened().copy("1", opened("calls", endpoint=proxy.endpoint), "stored", fetched) is None
    assert opened().copy("1", opened("calls", who="reader"), "stored", fetched) is None


def test_a_checksum_is_told_only_where_it_proves_the_whole_object(
    opened: Open, s3_server: S3Server, prefix: str
) -> None:
    storage = opened()
    storage.put("small", b"content")
    storage.put("large", LARGE)
    s3_server.client().put_object(Bucket="exports", Key=f"{prefix}/foreign", Body=b"content")

    assert storage.checksum("small") == hashlib.sha256(b"content").hexdigest()
    assert storage.checksum("large") is None  # of its parts' digests
    assert storage.checksum("foreign") is None
    assert opened(who="dropper").checksum("small") is None


def test_a_finished_bag_stays_as_it_is_where_only_lists_and_puts_are_allowed(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, tmp_path: Path
) -> None:
    """Whoever finds its marker takes it over; publishing it anew would need the right to withdraw the marker."""
    proxy.plan(DENIED, "HEAD", "DELETE")
    proxy.plan(DENIED, "GET", part=f"{prefix}/")
    proxy.plan(DENIED, "POST", part="?delete")
    destination = opened(endpoint=proxy.endpoint, who="dropper")
    written = destination.put("run/data/contacts.csv", b"Contact ID\n", replace=False)
    payload = [PayloadFile("data/contacts.csv", written.bytes, written.sha256)]

    publish_bag(destination, "run", payload, {"Bagging-Date": "2026-11-23"}, scratch=tmp_path)
    marker = lies(s3_server, prefix, "run/tagmanifest-sha256.txt")
    with pytest.raises(RefusedError, match="STRAY_FILES"):
        publish_bag(destination, "run", payload, {"Bagging-Date": "2026-11-23"}, scratch=tmp_path)

    assert lies(s3_server, prefix, "run/tagmanifest-sha256.txt") == marker


def test_a_file_far_larger_than_memory_streams(s3_server: S3Server, prefix: str) -> None:
    """In a process of its own, whose memory is what it says."""
    script = Path(__file__).with_name("stream_large.py")
    megabytes = 400
    command = [sys.executable, str(script), s3_server.endpoint, SECRETS["owner"], f"{prefix}/large", str(megabytes)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout)

    assert s3_server.client().head_object(Bucket="exports", Key=f"{prefix}/large")["ContentLength"] == megabytes * 2**20
    assert grown < 200, f"{grown} MB"
    s3_server.client().delete_object(Bucket="exports", Key=f"{prefix}/large")
