"""What one delivered file costs: requests and bytes on the wire, counted by a proxy in between."""

from __future__ import annotations

import hashlib
import io
import wave
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from bulk_export.contacts.addresses import Addresses
from bulk_export.definitions.models import MediaFormats
from bulk_export.media.job import MediaLimits, copy_job_media
from bulk_export.media.transfer import COPY_BYTES
from bulk_export.staging.journal import FileResult, Journal
from bulk_export.storage.base import Storage
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.s3 import S3Storage
from fault_proxy import FaultProxy
from servers import S3Server

Open = Callable[..., S3Storage]
FILES = 7
LISTING = 1  # of the job's folder: what an attempt delivered whose journal is lost


def wav(number: int, size: int) -> bytes:
    """A recording of exactly that size, of its own content."""
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(hashlib.shake_128(str(number).encode()).digest(size - 44))
    return made.getvalue()


def deliver(source: Storage, destination: Storage, size: int, folder: Path) -> list[FileResult]:
    contacts = pa.table(
        {
            "contact_id": pa.array(range(FILES), pa.int64()),
            "contact_type": ["CALL"] * FILES,
            "recycled": [False] * FILES,
            "audio_uri": [f"media/{number}.wav" for number in range(FILES)],
            "screen_uri": pa.nulls(FILES, pa.string()),
            "audio_bytes": pa.array([size] * FILES, pa.int64()),
            "screen_bytes": pa.nulls(FILES, pa.int64()),
        }
    )
    journal = Journal(LocalStorage(folder / "staging"), "media")
    counts = copy_job_media(
        contacts, job=1, formats=MediaFormats(audio_only="original"), addresses=Addresses(source),
        destination=destination,
        run_prefix="run", journal=journal, scratch=folder / "scratch", workers=1, limits=MediaLimits(),
        progress=lambda *, contacts_done, bytes_written: None,
    )  # fmt: skip
    assert (counts.delivered, counts.files) == (FILES, FILES)
    return journal.read()


def check(server: S3Server, prefix: str, results: list[FileResult], size: int) -> None:
    """What lies in the destination is what was stored, and what the journal says."""
    for result in results:
        found = server.client().get_object(Bucket="exports", Key=f"{prefix}/run/{result.path}")
        content = found["Body"].read()
        assert content == wav(result.contact_id, size)
        assert result.sha256 == hashlib.sha256(content).hexdigest()
        assert found["ContentType"] == "audio/vnd.wave"


def asked(proxy: FaultProxy) -> Counter[str]:
    assert sum(method == "GET" and "list-type=2" in address for method, address in proxy.requests) == LISTING
    return Counter(method for method, _ in proxy.requests)


@pytest.mark.parametrize("size", [COPY_BYTES // 2, 240_000])
def test_a_file_from_a_disk_costs_one_put(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, tmp_path: Path, size: int
) -> None:
    stored = LocalStorage(tmp_path / "store")
    for number in range(FILES):
        stored.put(f"media/{number}.wav", wav(number, size))

    results = deliver(stored, opened(endpoint=proxy.endpoint), size, tmp_path)

    assert asked(proxy) == {"GET": LISTING, "PUT": FILES}
    assert proxy.bytes_in == FILES * size
    check(s3_server, prefix, results, size)


def test_a_file_that_stays_in_the_service_is_read_once_and_never_sent(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, tmp_path: Path
) -> None:
    size = 240_000
    for number in range(FILES):
        opened("calls").put(f"media/{number}.wav", wav(number, size))

    results = deliver(opened("calls", endpoint=proxy.endpoint), opened(endpoint=proxy.endpoint), size, tmp_path)

    again = 1  # the first object is copied once more, to see that it is refused
    assert asked(proxy) == {"GET": FILES + LISTING, "PUT": FILES + again}
    assert 0 <= proxy.bytes_out - FILES * size < FILES * 1_000  # beside the files, the answers to the copies
    assert proxy.bytes_in == 0
    check(s3_server, prefix, results, size)


def test_a_small_file_that_stays_in_the_service_costs_one_get_and_one_put(
    opened: Open, s3_server: S3Server, proxy: FaultProxy, prefix: str, tmp_path: Path
) -> None:
    size = COPY_BYTES // 2
    for number in range(FILES):
        opened("calls").put(f"media/{number}.wav", wav(number, size))

    results = deliver(opened("calls", endpoint=proxy.endpoint), opened(endpoint=proxy.endpoint), size, tmp_path)

    assert asked(proxy) == {"GET": FILES + LISTING, "PUT": FILES}
    assert proxy.bytes_in == FILES * size
    check(s3_server, prefix, results, size)
