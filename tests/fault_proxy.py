"""An HTTP proxy on loopback that misbehaves on demand: what networks and services do to an exporter on a bad day.

It stands between a client and a server of the tests. Requests pass untouched unless a fault is planned for them. The
`Host` header is passed on as the client wrote it, and the server is told by address, so signatures stay valid.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Fault = Callable[["_Handler", bytes], bool]
"""Does its damage instead of the proxy's work and says True, or lets the request pass and says False."""
_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "keep-alive"})


@dataclass(slots=True)
class Plan:
    """A fault for requests of these methods whose path holds `part`: after `skip` of them, `times` times."""

    fault: Fault
    methods: frozenset[str]
    part: str = ""
    skip: int = 0
    times: int = 1_000_000
    every: int = 1
    seen: int = 0
    done: int = 0


@dataclass
class FaultProxy:
    """A running proxy; `endpoint` is where clients go.

    Attributes:
        endpoint: its address.
        requests: `(method, path)` of everything that came, in order.
        down: while True, every connection is cut at once.
        bytes_out: bytes of the bodies that clients received.
        bytes_in: bytes of the bodies that clients sent.
    """

    endpoint: str
    plans: list[Plan] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False
    bytes_out: int = 0
    bytes_in: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, fault: Fault, *methods: str, **how: object) -> Plan:
        """Plan a fault."""
        planned = Plan(fault, frozenset(methods), **how)  # type: ignore[arg-type]
        self.plans.append(planned)
        return planned

    def calm(self) -> None:
        """No faults any more, nothing counted."""
        self.plans.clear()
        self.requests.clear()
        self.down = False
        self.bytes_out = self.bytes_in = 0

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The fault planned for a request."""
        with self._lock:
            self.requests.append((method, path))
            for plan in self.plans:
                if method not in plan.methods or plan.part not in path:
                    continue
                plan.seen += 1
                if plan.seen > plan.skip and plan.done < plan.times and plan.seen % plan.every == 0:
                    plan.done += 1
                    return plan.fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    proxy: FaultProxy
    target: str

    def do_GET(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self._handle()

    do_PUT = do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815 - named by the standard library

    def _handle(self) -> None:
        if self.proxy.down:
            self.cut()
            return
        fault = self.proxy.fault_for(self.command, self.path)
        if fault is not None and fault is reset_while_sending:
            self.rfile.read(min(1000, int(self.headers.get("content-length") or 0)))
            self.cut()
            return
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.proxy.bytes_in += len(body)
        if fault is None or not fault(self, body):
            self.answer(*self.ask(body))

    def ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        """The server's own answer."""
        upstream = http.client.HTTPConnection(self.target, timeout=60)
        try:
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_BY_HOP and name.lower() != "expect":
                    upstream.putheader(name, value)
            upstream.endheaders(body or None)
            got = upstream.getresponse()
            return got.status, got.getheaders(), got.read()
        except OSError:
            return 502, [], b""
        finally:
            upstream.close()

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes, *, only: int | None = None) -> None:
        """Answer the client, with `only` so many bytes of the body before the connection ends."""
        self.send_response_only(status)
        length_told = False
        for name, value in headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
                length_told |= name.lower() == "content-length"
        if not length_told:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            sent = body if only is None else body[:only]
            self.proxy.bytes_out += len(sent)
            self.wfile.write(sent)
        if only is not None:
            self.wfile.flush()
            self.cut()

    def cut(self) -> None:
        """End the connection as a crash does."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        pass


def refuse(status: int, code: str) -> Fault:
    """Answer with an S3 error instead of asking the server."""

    def fault(handler: _Handler, body: bytes) -> bool:
        text = f"<Error><Code>{code}</Code><Message>as planned</Message></Error>"
        handler.answer(status, [("Content-Type", "application/xml")], text.encode())
        return True

    return fault


SLOW_DOWN = refuse(503, "SlowDown")
DENIED = refuse(403, "AccessDenied")
EXPIRED = refuse(403, "ExpiredToken")
SKEWED = refuse(403, "RequestTimeTooSkewed")


def reset_while_sending(handler: _Handler, body: bytes) -> bool:
    """Cut the connection while the client sends its body; the server never hears of it."""
    return True


def lose_answer(handler: _Handler, body: bytes) -> bool:
    """Let the server do it, and cut the connection before the client hears so."""
    handler.ask(body)
    handler.cut()
    return True


def pretend(handler: _Handler, body: bytes) -> bool:
    """Answer as a server does that has stored the object, and store nothing."""
    handler.answer(200, [("ETag", f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')], b"")
    return True


def truncate(handler: _Handler, body: bytes) -> bool:
    """Send half of the answer's body, then cut the connection."""
    status, headers, content = handler.ask(body)
    handler.answer(status, headers, content, only=len(content) // 2)
    return True


def corrupt(handler: _Handler, body: bytes) -> bool:
    """Change one byte in the middle of the answer's body."""
    status, headers, content = handler.ask(body)
    if status in {200, 206} and content and not content.startswith(b"<?xml"):
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 0xFF
        content = bytes(changed)
    handler.answer(status, headers, content)
    return True


def corrupt_upload(handler: _Handler, body: bytes) -> bool:
    """Change one byte of what the client sends."""
    changed = bytearray(body)
    if changed:
        changed[len(changed) // 2] ^= 0xFF
    handler.answer(*handler.ask(bytes(changed)))
    return True


def outage(seconds: float) -> Fault:
    """From this request on nobody is reached, for so many seconds."""

    def fault(handler: _Handler, body: bytes) -> bool:
        handler.proxy.down = True
        threading.Timer(seconds, setattr, (handler.proxy, "down", False)).start()
        handler.cut()
        return True

    return fault


def stall(seconds: float) -> Fault:
    """Say nothing for a while, then cut the connection."""

    def fault(handler: _Handler, body: bytes) -> bool:
        time.sleep(seconds)
        handler.cut()
        return True

    return fault


@contextmanager
def fault_proxy(target: str) -> Iterator[FaultProxy]:
    """A proxy in front of the server at the address `target`."""
    proxy = FaultProxy("")
    handler = type("Handler", (_Handler,), {"proxy": proxy, "target": urlsplit(target).netloc})

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was cut off is no news."""

    server = Server(("127.0.0.1", 0), handler)
    proxy.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
