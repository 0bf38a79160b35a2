"""What only buckets can get wrong: answers of the service, credentials, checksums. The service is one on loopback."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from obstore.store import LocalStore

from bulk_export.definitions.locations import S3Location
from bulk_export.errors import BulkExportError, RefusedError, TransientError
from bulk_export.storage import open_storage
from bulk_export.storage.base import Storage
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.objects import ObjectStorage
from bulk_export.storage.reading import read
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.rights import check_writable

SECRET = "s3cr3t-value"
KEY = Credentials({"access_key_id": "CONNECTION", "secret_access_key": SECRET})
DENIED = (
    403,
    "<Error><Code>AccessDenied</Code><Message>Not for you</Message><StringToSign>s3cr3t</StringToSign></Error>",
)
NOTHING_LISTED = (200, "<ListBucketResult></ListBucketResult>")
AT_ONCE = RetryPolicy(window_s=0)
NO_BUCKET = (404, "<Error><Code>NoSuchBucket</Code><Message>It does not exist</Message></Error>")
NO_KEY = (404, "<Error><Code>NoSuchKey</Code><Message>It does not exist</Message></Error>")
FULL = (400, "<Error><Code>QuotaExceeded</Code><Message>No room</Message></Error>")
ODD = (400, "<Error><Code>Odd</Code><Message>What?</Message></Error>")


@dataclass
class Service:
    """Answers every request alike, but for `by_method`, and remembers what it was asked."""

    answer: tuple[int, str] = (200, "")
    by_method: dict[str, tuple[int, str]] = field(default_factory=dict)
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    def storage(self, credentials: Credentials = KEY, kms_key: str | None = None) -> Storage:
        endpoint = f"http://127.0.0.1:{self.port}"
        location = S3Location(
            type="s3", bucket="exports", prefix="/calls/", endpoint=endpoint, region="us-east-1", kms_key=kms_key
        )
        return open_storage(location, base=Path("/"), credentials=credentials, retry_policy=AT_ONCE)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.seen.append((self.command, self.path, headers))
            status, body = service.by_method.get(self.command, service.answer)
            self.send_response(status)
            self.send_header("etag", '"tag"')
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode() if self.command != "HEAD" else b"")

        do_GET = do_HEAD = do_DELETE = do_POST = do_PUT  # noqa: N815 - named by the standard library

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield service
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_put_carries_its_checksum_and_reads_nothing_back(service: Service) -> None:
    content = b"the whole object"

    service.storage().put("run/data/1.wav", content)

    ((method, path, headers),) = service.seen
    assert (method, path) == ("PUT", "/exports/calls/run/data/1.wav")
    assert headers["x-amz-checksum-sha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()


def test_the_key_of_the_location_encrypts(service: Service) -> None:
    service.storage(kms_key="arn:aws:kms:key/1").put("key", b"")

    headers = service.seen[0][2]
    assert headers["x-amz-server-side-encryption"] == "aws:kms"
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == "arn:aws:kms:key/1"


def test_a_connections_key_is_never_mixed_with_the_environments(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-environment")

    service.storage().put("key", b"")

    headers = service.seen[0][2]
    assert "Credential=CONNECTION/" in headers["authorization"]
    assert "x-amz-security-token" not in headers


def test_a_role_gives_its_session_token(service: Service) -> None:
    role = Credentials(
        provider=lambda: {
            "access_key_id": "ROLE", "secret_access_key": SECRET, "token": "session", "expires_at": None,
        }
    )  # fmt: skip

    service.storage(role).put("key", b"")

    headers = service.seen[0][2]
    assert ("Credential=ROLE/" in headers["authorization"], headers["x-amz-security-token"]) == (True, "session")


@pytest.mark.parametrize(
    ("answer", "kind", "code", "words"),
    [
        (DENIED, RefusedError, "STORAGE_DENIED", "AccessDenied: Not for you"),
        (NO_BUCKET, RefusedError, "STORAGE_MISSING", "NoSuchBucket"),
        (FULL, TransientError, "STORAGE_FULL", "QuotaExceeded"),
        (ODD, TransientError, "STORAGE_UNREACHABLE", "Odd: What?"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("verb", ["put", "check_writable", "read", "list"])
def test_an_answer_of_the_service_says_who_must_act(
    service: Service, verb: str, answer: tuple[int, str], kind: type[BulkExportError], code: str, words: str
) -> None:
    service.answer = answer
    acts = {
        "put": lambda storage: storage.put("run/key", b""),
        "read": lambda storage: read(storage, "run/key"),
        "list": lambda storage: [*storage.list("run/")],
        "check_writable": check_writable,
    }

    with pytest.raises(kind) as caught:
        acts[verb](service.storage())

    assert caught.value.code == code
    assert "s3://exports/calls" in caught.value.message
    assert words in caught.value.message
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__suppress_context__  # the original repeats addresses and headers


def test_an_absent_object_is_told_from_an_absent_bucket(service: Service) -> None:
    service.answer = NO_KEY
    with pytest.raises(FileNotFoundError, match="s3://exports/calls/key"):
        read(service.storage(), "key")

    service.answer = NO_BUCKET
    with pytest.raises(RefusedError, match="STORAGE_MISSING"):
        read(service.storage(), "key")


def test_an_exporter_that_may_not_delete_can_still_write(service: Service) -> None:
    service.by_method = {"GET": NOTHING_LISTED, "DELETE": DENIED, "POST": DENIED}  # a batch of deletions is a POST

    check_writable(service.storage())

    assert [method for method, _, _ in service.seen] == ["GET", "PUT", "GET", "POST"]


def test_a_large_object_that_is_refused_part_way_says_who_must_act(service: Service) -> None:
    upload = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
    service.by_method = {"POST": (200, upload), "PUT": DENIED}

    with pytest.raises(RefusedError, match=r"STORAGE_DENIED.*s3://exports/calls/key"):
        service.storage().put("key", bytes(20_000_000))

    assert not any("uploadId" in path for method, path, _ in service.seen if method == "POST")  # never completed


def test_a_service_that_is_down_can_be_tried_again() -> None:
    location = S3Location(type="s3", bucket="exports", endpoint="http://127.0.0.1:1", region="us-east-1")
    storage = open_storage(location, base=Path("/"), credentials=KEY, retry_policy=AT_ONCE)

    with pytest.raises(TransientError, match=r"STORAGE_UNREACHABLE.*s3://exports/key") as caught:
        storage.put("key", b"")

    assert SECRET not in str(caught.value)


def test_credentials_are_never_shown() -> None:
    assert SECRET not in repr(KEY)
    assert SECRET not in str(KEY)


def test_deleting_goes_on_where_a_store_stops_at_the_first_absent_object(tmp_path: Path) -> None:
    storage = ObjectStorage(LocalStore(tmp_path), tmp_path.as_uri())
    for key in ["a", "b"]:
        (tmp_path / key).touch()

    storage.delete(["absent", "a", "gone", "b"])

    assert [*storage.list()] == []
