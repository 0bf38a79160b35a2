"""Notify people and programs of a run's end.

An e-mail's words, and a signed webhook.

Whether an end is notified, and in what words, is decided here; Airflow's own SMTP provider sends the e-mail.
Webhooks follow the Standard Webhooks specification: the receiver recomputes the HMAC-SHA256 over id, time and body, and
drops what it has seen under the same id before, so that a retried delivery does no harm.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from bulk_export.audit.report import audit_summary
from bulk_export.errors import RefusedError, TransientError
from bulk_export.state.records import UNSUCCESSFUL, RunRecord, RunStatus

if TYPE_CHECKING:
    from bulk_export.definitions.models import Notify

_TIMEOUT_S = 20.0
_TRY_AGAIN = frozenset({408, 425, 429})
_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True)
class Email:
    """An e-mail to send.

    It holds counts and places, never anything of a contact.
    """

    to: tuple[str, ...]
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """One signed POST.

    Attributes:
        url: where to.
        headers: of the specification, signature included where there is a secret.
        body: JSON, UTF-8.
    """

    url: str
    headers: dict[str, str]
    body: bytes


def wanted(notify: Notify | None, status: RunStatus) -> bool:
    """Whether an end is to be notified.

    `failure` is FAILED and CANCELLED, `completion` everything else.
    """
    return notify is not None and ("failure" if status in UNSUCCESSFUL else "completion") in notify.on


def email(notify: Notify, record: RunRecord) -> Email | None:
    """The e-mail about an end; None where nobody gets one."""
    if not notify.email:
        return None
    words = str(record.status).replace("_", " ").lower()
    link = f"\n\n{record.dag_run_url}" if record.dag_run_url else ""
    return Email(
        notify.email, f"Bulk contact export: {record.export_name}: {words}", audit_summary(record) + link + "\n"
    )


def webhook(notify: Notify, record: RunRecord, *, secret: str | None, now: datetime) -> Webhook | None:
    """The webhook about an end, or None where none is configured.

    Args:
        notify: what the export asks for.
        record: the closed record.
        secret: shared with the receiver; None sends unsigned.
        now: aware time, part of what is signed.
    """
    if notify.webhook is None:
        return None
    facts = {
        "type": f"bulk_export.run.{str(record.status).lower()}",
        "timestamp": now.isoformat(),
        "data": {
            "run_id": record.run_id,
            "export_id": record.export_id,
            "status": str(record.status),
            "matched": record.matched,
            "exported": record.exported,
            "by_reason": dict(record.by_reason),
            "directory": f"{record.destination_uri}/{record.directory}" if record.published else None,
            "manifest_sha256": record.manifest_sha256 or None,
            "error_code": record.error_code or None,
            "dag_run_url": record.dag_run_url or None,
        },
    }
    body = json.dumps(facts, ensure_ascii=False).encode()
    sent = str(int(now.timestamp()))
    # The same end has the same id, however often it is sent; an end after a retry of the run is another.
    ended = record.ended_at.isoformat() if record.ended_at else ""
    identity = "msg_" + hashlib.sha256(f"{record.run_id} {record.status} {ended}".encode()).hexdigest()[:24]
    headers = {"content-type": "application/json", "webhook-id": identity, "webhook-timestamp": sent}
    if secret is not None:
        headers["webhook-signature"] = signature(secret, identity, sent, body)
    return Webhook(notify.webhook, headers, body)


def signature(secret: str, identity: str, sent: str, body: bytes) -> str:
    """The signature of a webhook, as Standard Webhooks defines it.

    `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; a `whsec_` secret is base64 itself.
    """
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    digest = hmac.new(key, f"{identity}.{sent}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def post(message: Webhook, *, timeout_s: float = _TIMEOUT_S) -> None:
    """Deliver a webhook.

    Raises:
        TransientError: NOTIFY_FAILED when the receiver is down, slow, busy or in error.
        RefusedError: NOTIFY_REFUSED when it refuses the request as such.
    """
    host = urlsplit(message.url).hostname or ""  # the rest of an address may hold a token
    try:
        answer = httpx.post(message.url, content=message.body, headers=message.headers, timeout=timeout_s)
    except httpx.HTTPError as error:
        raise TransientError(
            "NOTIFY_FAILED",
            f"the webhook at {host} could not be reached: {type(error).__name__}",
            hint="Check that the receiver is up; the task is tried again.",
        ) from None
    if answer.is_success:
        return
    kind: type[TransientError | RefusedError] = RefusedError
    if answer.status_code in _TRY_AGAIN or answer.status_code >= _SERVER_ERRORS:
        kind = TransientError
    raise kind(
        "NOTIFY_FAILED" if kind is TransientError else "NOTIFY_REFUSED",
        f"the webhook at {host} answered {answer.status_code}",
        hint="Check the address and the secret in the export's notify settings.",
    )
