"""Put a long stream: `stream_large.py ENDPOINT SECRET KEY MEGABYTES`; prints the process's peak memory in MB."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from bulk_export.definitions.locations import S3Location
from bulk_export.storage import open_storage
from bulk_export.storage.credentials import Credentials


class Zeros(io.RawIOBase):
    """So many zero bytes, none of them in memory."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        count = self._left if size < 0 else min(size, self._left)
        self._left -= count
        return bytes(count)


endpoint, secret, key, megabytes = sys.argv[1:]
location = S3Location(type="s3", bucket="exports", endpoint=endpoint, region="us-east-1")
credentials = Credentials({"access_key_id": "owner", "secret_access_key": secret})
open_storage(location, base=Path("/"), credentials=credentials).put(key, Zeros(int(megabytes) * 2**20))  # type: ignore[arg-type]
# Not getrusage: its peak counts what the test process had in memory when it started this one.
status = Path("/proc/self/status").read_text()
print(next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")))
