"""Media to a bucket, and from bucket to bucket: the stage `copy_media` against s5cmd and boto3.

    python benchmarks/s3_copy.py [--rounds 5] [--quick]

One SeaweedFS on loopback serves all; it shares the processor with its clients and is most of the work, so compare the
clients with each other. CPU is the clients' own. Time is from opening the storages, without Python's start.

| line | does |
|---|---|
| bulk-export | judges every file, makes its SHA-256, has the service check it, keeps a journal |
| s5cmd | moves bytes |
| s5cmd, sha256sum | moves bytes and makes every SHA-256 |
| boto3 TransferManager | moves bytes, with its defaults: ten at once |
| floor | the same requests as ours through bare obstore, hashing, and nothing else |
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare import PROJECT, Comparison, Contender, Fact, Facts, Options, Target, act, alternate, script, timed

sys.path.insert(0, str(PROJECT / "tests"))

from servers import SECRETS, S3Server, seaweedfs

if TYPE_CHECKING:
    from obstore.store import S3Store

    from bulk_export.storage.base import Storage

FILES, FILE_BYTES = 1_000, 240_000
_REASON = (
    "Each file is read by ours and by the floor, which the service answers with as much work as the copy itself; s5cmd "
    "reads none and so delivers what it has never seen: no checksum of its own, and torn files with the whole ones."
)
_KEY = {"access_key_id": "owner", "secret_access_key": SECRETS["owner"]}
_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "owner", "AWS_SECRET_ACCESS_KEY": SECRETS["owner"], "AWS_REGION": "us-east-1"}


def s5cmd_program() -> str:
    """The program that the peers' requirements bring, else the machine's."""
    beside = Path(sys.executable).with_name("s5cmd")
    found = str(beside) if beside.exists() else shutil.which("s5cmd")
    if found is None:
        raise RuntimeError("no s5cmd program: install benchmarks/requirements.txt")
    return found


def measure(options: Options) -> list[Comparison]:
    files = options.size(FILES, 20)
    folder, media = options.new_folder("s3-server"), options.new_folder("s3-media")
    make_media(media, files)
    with seaweedfs(folder, memory="2GiB") as server:
        for made in ("calls", "exports"):
            server.client().create_bucket(Bucket=made)
        stored = bucket(server.endpoint, "calls")
        for path in sorted(media.iterdir()):
            stored.put(path.name, path)
        up = alternate(options, "to-bucket", contenders(server, media, files, f"{media}/"))
        across = alternate(options, "across", contenders(server, media, files, "s3://calls/*"))
    told = f"{files:,} files of {FILE_BYTES // 1000} KB"
    return [
        Comparison(
            f"Disk to S3, {told}",
            "files/s",
            up,
            [
                Target("disk to S3 against s5cmd", up[0].rate / up[1].rate, 1.3),
                Target("disk to S3 against boto3's TransferManager", up[0].rate / up[2].rate, 1.9),
            ],
        ),
        Comparison(
            f"S3 to S3, {told}",
            "files/s",
            across,
            [Target("S3 to S3 against s5cmd", across[0].rate / across[1].rate, 1.3, reason=_REASON)],
            ["Ours reads every file once, to judge it and make its SHA-256; s5cmd and boto3 see none."],
        ),
    ]


def contenders(server: S3Server, media: Path, files: int, source: str) -> list[Contender]:
    """Those who take files from a folder, or from the bucket `calls`, to `exports`."""
    across = source.startswith("s3:")
    moved = [s5cmd_program(), "--endpoint-url", server.endpoint, "--log", "error", "--numworkers", "16", "cp", source]

    def s5cmd(into: Path) -> list[str]:
        return [*moved, f"s3://exports/{_prefix(into)}/"]

    def with_sums(into: Path) -> list[str]:
        sums = f"find {media} -type f -print0 | xargs -0 -n 100 -P 2 sha256sum > {into}/sums"
        return ["sh", "-c", f"{' '.join(s5cmd(into))} && {sums}"]

    def own(name: str) -> Contender:
        return Contender(
            _NAMES[name], lambda into: act(__file__, name, server.endpoint, media, "1" if across else "", into), files
        )

    found = [own("ours"), Contender("s5cmd", s5cmd, files, _ENVIRONMENT), own("boto3"), own("floor")]
    return found if across else [*found, Contender("s5cmd, sha256sum", with_sums, files, _ENVIRONMENT)]


_NAMES = {"ours": "bulk-export", "boto3": "boto3 TransferManager", "floor": "floor: bare obstore"}


def _prefix(into: Path) -> str:
    return f"{into.parent.name}-{into.name}"


def bucket(endpoint: str, name: str) -> Storage:
    from bulk_export.definitions.locations import S3Location
    from bulk_export.storage import open_storage
    from bulk_export.storage.credentials import Credentials

    location = S3Location(type="s3", bucket=name, endpoint=endpoint, region="us-east-1")
    return open_storage(location, base=Path("/"), credentials=Credentials(_KEY))


def make_media(folder: Path, files: int) -> None:
    for number in range(files):
        with wave.open(str(folder / f"{number}.wav"), "wb") as out:
            out.setparams((1, 2, 8000, 0, "NONE", ""))
            out.writeframes(os.urandom(FILE_BYTES - 44))


def ours(endpoint: str, media: str, across: str, into: str) -> Facts:
    import pyarrow as pa

    from bulk_export.contacts.addresses import Addresses
    from bulk_export.definitions.models import MediaFormats
    from bulk_export.media.job import MediaLimits, copy_job_media
    from bulk_export.staging.journal import Journal
    from bulk_export.storage.local import LocalStorage

    names = sorted(path.name for path in Path(media).iterdir())
    contacts = pa.table(
        {
            "contact_id": pa.array(range(len(names)), pa.int64()),
            "contact_type": ["CALL"] * len(names),
            "recycled": [False] * len(names),
            "audio_uri": names,
            "screen_uri": pa.nulls(len(names), pa.string()),
            "audio_bytes": pa.array([FILE_BYTES] * len(names), pa.int64()),
            "screen_bytes": pa.nulls(len(names), pa.int64()),
        }
    )
    facts: dict[str, Fact] = {}
    with timed(facts):
        counts = copy_job_media(
            contacts, job=1, formats=MediaFormats(audio_only="original"),
            addresses=Addresses(bucket(endpoint, "calls") if across else LocalStorage(Path(media))),
            destination=bucket(endpoint, "exports"), run_prefix=_prefix(Path(into)),
            journal=Journal(LocalStorage(Path(into)), "journal"), scratch=Path(into) / "scratch", workers=1,
            limits=MediaLimits(), progress=lambda *, contacts_done, bytes_written: None,
        )  # fmt: skip
    if counts.delivered != len(names):
        raise RuntimeError(f"not all were delivered: {counts}")
    return facts


def boto3(endpoint: str, media: str, across: str, into: str) -> Facts:
    from boto3.s3.transfer import TransferConfig, create_transfer_manager

    client: Any = S3Server(endpoint, 0).client()
    facts: dict[str, Fact] = {}
    with timed(facts), create_transfer_manager(client, TransferConfig()) as manager:
        futures = []
        for path in Path(media).iterdir():
            key = f"{_prefix(Path(into))}/{path.name}"
            if across:
                futures.append(manager.copy({"Bucket": "calls", "Key": path.name}, "exports", key))
            else:
                futures.append(manager.upload(str(path), "exports", key))
        for future in futures:
            future.result()
    return facts


def floor(endpoint: str, media: str, across: str, into: str) -> Facts:
    import obstore

    prefix = _prefix(Path(into))
    calls, exports = _bare(endpoint, "calls"), _bare(endpoint, "exports")
    # Addressed as if the server's root were the bucket's host, so that a key may begin with another bucket. It pins no
    # version and does not mind what stands there: a floor, and no way to write exports.
    root = _bare(endpoint, "calls", virtual_hosted_style_request="true")

    def put(path: Path) -> None:
        content = path.read_bytes()
        hashlib.sha256(content).hexdigest()
        obstore.put(exports, f"{prefix}/{path.name}", content, mode="create", use_multipart=False)

    def get_and_copy(path: Path) -> None:
        hashlib.sha256(obstore.get(calls, path.name).bytes().to_bytes()).hexdigest()
        obstore.copy(root, path.name, f"exports/{prefix}/{path.name}")

    facts: dict[str, Fact] = {}
    with timed(facts), ThreadPoolExecutor(8) as threads:
        list(threads.map(get_and_copy if across else put, Path(media).iterdir()))
    return facts


def _bare(endpoint: str, name: str, **options: str) -> S3Store:
    from obstore.store import S3Store

    config = {**_KEY, "region": "us-east-1", "endpoint": endpoint, "checksum_algorithm": "SHA256", **options}
    return S3Store(name, config=config, client_options={"allow_http": True})  # type: ignore[arg-type]


if __name__ == "__main__":
    script(measure, {"ours": ours, "boto3": boto3, "floor": floor})
