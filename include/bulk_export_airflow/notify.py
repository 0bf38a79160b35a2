"""Notify of a run's end by webhook and by e-mail.

The e-mail goes through Airflow's SMTP connection.
"""

from __future__ import annotations

from html import escape
from smtplib import SMTPException
from typing import TYPE_CHECKING

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.sdk import Connection

from bulk_export.audit.notifications import email, post, wanted, webhook
from bulk_export.definitions.models import Notify
from bulk_export.definitions.run import RunSnapshot
from bulk_export.errors import DefinitionError, TransientError

if TYPE_CHECKING:
    from bulk_export.site import Site
    from bulk_export.state.records import RunRecord

SMTP_CONNECTION = "smtp_default"


def notify_about(site: Site, run_id: str) -> str:
    """Send what the run's definitions ask for.

    Returns what was sent, in words.

    Raises:
        TransientError: NOTIFY_FAILED; the webhook goes first, because one sent twice is known by its id.
    """
    record = site.reread(run_id)
    export = _export_of(site, record) if not record.definitions else None
    notify = export or (
        RunSnapshot.model_validate_json(record.definitions).export.notify if record.definitions else None
    )
    if notify is None or not wanted(notify, record.status):
        return "nothing"
    sent = []
    message = webhook(notify, record, secret=_secret(notify), now=site.clock())
    if message is not None:
        post(message)
        sent.append("webhook")
    words = email(notify, record)
    if words is not None:
        _send(words.to, words.subject, words.text)
        sent.append("e-mail")
    return " and ".join(sent) or "nothing"


def _export_of(site: Site, record: RunRecord) -> Notify | None:
    """Whom an export notifies whose run was refused before its definitions were frozen."""
    export = site.load(record.export_id).exports.get(record.export_id)
    return export.notify if export else None


def _secret(notify: Notify) -> str | None:
    if notify.webhook_secret_connection is None:
        return None
    connection = Connection.get(notify.webhook_secret_connection)
    if not connection.password:
        raise DefinitionError(
            "CONNECTION_UNSUPPORTED",
            f"the connection '{notify.webhook_secret_connection}' has no password to sign webhooks with",
            hint="Put the secret shared with the receiver into the connection's password.",
        )
    return str(connection.password)


def _send(to: tuple[str, ...], subject: str, text: str) -> None:
    try:
        with SmtpHook(smtp_conn_id=SMTP_CONNECTION) as smtp:
            smtp.send_email_smtp(to=list(to), subject=subject, html_content=f"<pre>{escape(text)}</pre>")
    except (OSError, SMTPException) as error:
        raise TransientError(
            "NOTIFY_FAILED",
            f"the e-mail about the run's end could not be sent: {type(error).__name__}",
            hint=f"Check the Airflow connection '{SMTP_CONNECTION}'; the task is tried again.",
        ) from error
