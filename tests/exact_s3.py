"""An S3 server on loopback whose keys are bytes, as Amazon's are: SeaweedFS tidies `a//b` and `a/../b` itself.

It keeps objects in memory and knows what a reader asks for: whole objects, ranges, sizes and listings.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

_PAGE = 3


@dataclass
class ExactS3:
    """A running server.

    Attributes:
        endpoint: its address.
        objects: content by bucket and key, such as `calls/media//1.wav`.
        asked: method and key of every request for an object.
    """

    endpoint: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def exact_s3() -> Iterator[ExactS3]:
    """The server, gone at the end."""
    state = ExactS3()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            key = unquote(path)[1:]
            if "list-type" in query:
                self._list(key.rstrip("/"), parse_qs(query))
                return
            state.asked.append((self.command, key))
            content = state.objects.get(key)
            if content is None:
                self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>", {})
                return
            etag = f'"{hashlib.md5(content).hexdigest()}"'
            if self.headers.get("If-Match", etag).strip('"') != etag.strip('"'):
                self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>", {})
                return
            headers = {"ETag": etag, "Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT"}
            wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if wanted is None:
                self._answer(200, content, headers)
                return
            first, last = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            self._answer(206, content[first : last + 1], headers)

        def _list(self, bucket: str, query: dict[str, list[str]]) -> None:
            prefix = query.get("prefix", [""])[0]
            after = max(query.get(name, [""])[0] for name in ("start-after", "continuation-token"))
            keys = sorted(
                key.removeprefix(f"{bucket}/") for key in state.objects if key.startswith(f"{bucket}/{prefix}")
            )
            keys = [key for key in keys if key > after]
            page, rest = keys[:_PAGE], keys[_PAGE:]
            found = "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(state.objects[f'{bucket}/{key}'])}</Size>"
                f"<LastModified>2026-11-23T00:00:00Z</LastModified><ETag>x</ETag></Contents>"
                for key in page
            )
            more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if rest else ""
            body = (
                f"<ListBucketResult><Name>{bucket}</Name><KeyCount>{len(page)}</KeyCount>"
                f"<IsTruncated>{str(bool(rest)).lower()}</IsTruncated>{more}{found}</ListBucketResult>"
            )
            self._answer(200, body.encode(), {"Content-Type": "application/xml"})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
