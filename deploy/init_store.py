"""Make the buckets that settings.yaml names and, where its contact store is empty, fill it with sample contacts.

For the S3-compatible store of docker-compose.yaml; a store of real contacts is not touched.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from bulk_export.definitions.contact_stores import ParquetStore
from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.locations import S3Location
from bulk_export.definitions.settings import Settings
from bulk_export_sample import make_sample_store

UPLOADS_AT_ONCE = 8


def main() -> None:
    """Do both for every S3 place of the settings."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=500, help="how many sample contacts; 0 makes none")
    contacts = arguments.parse_args().contacts
    settings = load_definitions(Path(os.environ["BULK_EXPORT_DEFINITIONS"]), only_export="").require_settings()
    for bucket, connection in _buckets(settings):
        hook = S3Hook(aws_conn_id=connection)
        if not hook.check_for_bucket(bucket):
            hook.get_conn().create_bucket(Bucket=bucket)
            print(f"Made the bucket {bucket}.")
    store = settings.contact_store
    if contacts and isinstance(store, ParquetStore) and store.uri.startswith("s3://"):
        bucket, _, prefix = store.uri.removeprefix("s3://").partition("/")
        _fill(S3Hook(aws_conn_id=store.connection).get_conn(), bucket, prefix and f"{prefix.rstrip('/')}/", contacts)


def _buckets(settings: Settings) -> set[tuple[str, str | None]]:
    places = [*settings.storage_locations.values(), settings.staging]
    named = {(place.bucket, place.connection) for place in places if isinstance(place, S3Location)}
    store = settings.contact_store
    if isinstance(store, ParquetStore) and store.uri.startswith("s3://"):
        named.add((store.uri.removeprefix("s3://").partition("/")[0], store.connection))
    return named


def _fill(client: Any, bucket: str, prefix: str, contacts: int) -> None:
    if client.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}contacts/", MaxKeys=1)["KeyCount"]:
        return
    with tempfile.TemporaryDirectory() as folder:
        make_sample_store(Path(folder), contacts=contacts, seed=1, until=datetime.now(UTC))
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        # The catalogue last: a store that speaks of objects which are not there yet looks damaged.
        files.sort(key=lambda path: path.suffix == ".parquet")

        def upload(path: Path) -> None:
            client.upload_file(str(path), bucket, prefix + path.relative_to(folder).as_posix())

        objects = [path for path in files if path.suffix != ".parquet"]
        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            list(pool.map(upload, objects))
        for path in files[len(objects) :]:
            upload(path)
    print(f"Filled s3://{bucket}/{prefix} with {contacts} sample contacts.")


if __name__ == "__main__":
    main()
