"""Media to a bucket, and from bucket to bucket: the stage `copy_media` against s5cmd, in alternating rounds.

    python benchmarks/s3_copy.py [--files 2000] [--bytes 240000] [--rounds 3] [--s5cmd PATH] [--folder DIR]

One SeaweedFS on loopback serves both; it shares the processor with its clients, so compare the two, not the figures.
The stage does more than s5cmd: it judges every file, makes its SHA-256, and keeps a journal.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from bulk_export.definitions.models import MediaFormats, S3Location
from bulk_export.media.job import MediaLimits, copy_job_media
from bulk_export.results import Journal
from bulk_export.storage import open_storage
from bulk_export.storage.base import Storage
from bulk_export.storage.buckets import Credentials
from bulk_export.storage.local import LocalStorage
from servers import SECRETS, S3Server, seaweedfs


def bucket(server: S3Server, name: str) -> Storage:
    location = S3Location(type="s3", bucket=name, endpoint=server.endpoint, region="us-east-1")
    key = Credentials({"access_key_id": "owner", "secret_access_key": SECRETS["owner"]})
    return open_storage(location, base=Path("/"), credentials=key)


def make_media(folder: Path, files: int, size: int) -> pa.Table:
    for number in range(files):
        with wave.open(str(folder / f"{number}.wav"), "wb") as out:
            out.setparams((1, 2, 8000, 0, "NONE", ""))
            out.writeframes(os.urandom(size - 44))
    return pa.table(
        {
            "contact_id": pa.array(range(files), pa.int64()),
            "contact_type": ["CALL"] * files,
            "recycled": [False] * files,
            "audio_uri": [f"{number}.wav" for number in range(files)],
            "screen_uri": pa.nulls(files, pa.string()),
            "audio_bytes": pa.array([size] * files, pa.int64()),
            "screen_bytes": pa.nulls(files, pa.int64()),
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=240_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--s5cmd", default=shutil.which("s5cmd"))
    parser.add_argument("--folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        (folder / "server").mkdir()
        (folder / "media").mkdir()
        contacts = make_media(folder / "media", options.files, options.bytes)
        with seaweedfs(folder / "server") as server:
            for made in ("calls", "exports"):
                server.client().create_bucket(Bucket=made)
            run(options, folder, server, contacts)


def run(options: argparse.Namespace, folder: Path, server: S3Server, contacts: pa.Table) -> None:
    environment = os.environ | {
        "AWS_ACCESS_KEY_ID": "owner",
        "AWS_SECRET_ACCESS_KEY": SECRETS["owner"],
        "AWS_REGION": "us-east-1",
    }

    def ours(source: Storage, into: str) -> None:
        counts = copy_job_media(
            contacts, job=1, formats=MediaFormats(audio_only="original"), source=source,
            destination=bucket(server, "exports"), run_prefix=into, journal=Journal(LocalStorage(folder / into), "j"),
            scratch=folder / "scratch", workers=1, limits=MediaLimits(), progress=lambda done, bytes: None,
        )  # fmt: skip
        assert counts.delivered == options.files, counts

    def s5cmd(source: str, into: str) -> None:
        command = [options.s5cmd, "--endpoint-url", server.endpoint, "--log", "error", "--numworkers", "16"]
        subprocess.run([*command, "cp", source, f"s3://exports/{into}/"], env=environment, check=True)

    stored = bucket(server, "calls")
    for path in (folder / "media").iterdir():
        stored.put(path.name, path)
    local = LocalStorage(folder / "media")
    acts: dict[str, Callable[[str], None]] = {
        "disk to bucket, ours": lambda into: ours(local, into),
        "disk to bucket, s5cmd": lambda into: s5cmd(f"{folder}/media/", into),
        "bucket to bucket, ours": lambda into: ours(stored, into),
        "bucket to bucket, s5cmd": lambda into: s5cmd("s3://calls/*", into),
    }
    if not options.s5cmd:
        acts = {name: act for name, act in acts.items() if "s5cmd" not in name}
    rates: dict[str, list[float]] = {name: [] for name in acts}
    for turn in range(options.rounds):
        for position, (name, act) in enumerate(acts.items()):
            began = time.perf_counter()
            act(f"run-{turn}-{position}")
            rates[name].append(options.files / (time.perf_counter() - began))
    for name, found in rates.items():
        print(f"{name:<26}{statistics.median(found):6.0f} files/s  ({', '.join(f'{rate:.0f}' for rate in found)})")


if __name__ == "__main__":
    main()
