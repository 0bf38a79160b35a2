"""The invented contact centre: zones, agents, evaluators, subjects, workflows, telephone numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone contacts come from, its share, its topics."""

    name: str
    share: float
    topics: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent. Names are in several scripts on purpose."""

    agent_id: str
    last_name: str
    first_name: str
    group: str
    team: str
    acd_id: str


ZONES = (
    Zone("America/Bogota", 0.26, ("factura", "internet")),
    Zone("America/Chicago", 0.24, ("double-charge", "late-parcel")),
    Zone("Europe/Madrid", 0.16, ("internet", "factura")),
    Zone("America/Sao_Paulo", 0.12, ("plano", "plano")),
    Zone("Asia/Kolkata", 0.10, ("cancellation", "double-charge")),
    Zone("Asia/Tokyo", 0.06, ("password-ja", "password-ja")),
    Zone("Europe/Berlin", 0.04, ("rechnung", "rechnung")),
    Zone("Australia/Lord_Howe", 0.02, ("late-parcel", "cancellation")),
)

AGENTS = (
    Agent("A001", "O'Brien", "Siobhán", "Billing", "Team A", "acd-4101"),
    Agent("A002", "García Márquez", "Lucía", "Soporte", "Équipe, 3", "acd-4102"),
    Agent("A003", "Müller", "Jürgen", "Billing", "Team B", "acd-4103"),
    Agent("A004", "山田", "太郎", "Soporte", "Team B", "acd-4104"),
    Agent("A005", "Иванова", "Ольга", "Ventas", "Équipe, 3", "acd-4105"),
    Agent("A006", "الحداد", "ليلى", "Retention", "Team A", "acd-4106"),
    Agent("A007", "शर्मा", "प्रिया", "Ventas", 'Team "North"', "acd-4107"),
)
AGENT_SHARES = (0.2, 0.18, 0.16, 0.14, 0.12, 0.1, 0.1)

EVALUATORS = ("Lee, Kim", "Νίκος Παπαδόπουλος", "Ann Smith", "Nguyễn Thị Minh")
APPROVERS = ("Ann Smith", "Beatriz Núñez")
EVALUATION_FORMS = ('Standard "v2"', "Compliance", "Ventas 2026", "Soft skills")
REASONS = ("100% recording", "Complaint", "New hire", "Random sample", "Legal hold")
REASON_SHARES = (0.55, 0.12, 0.08, 0.2, 0.05)
END_WORKFLOWS = ("Archive audio", "Complaint follow-up", "Keep 7 years")
DAILY_WORKFLOWS = ("Default", "Nightly archive")
SURVEYS = ("After-call survey", "Encuesta de satisfacción", "Quarterly NPS")
CALL_RECORDERS = ("CUBE Recording", "AWS Connect Recording", "Genesys Recording", "Network Recording", "None")
CALL_RECORDER_SHARES = (0.35, 0.3, 0.2, 0.12, 0.03)
DESKTOP_RECORDER = "End Point Recording"
SERVICES = ("Billing_1", "Billing_2", "Connectivity_1", "Delivery_3", "Retention_1", "Sales, new")
MAILBOXES = ("billing@example.com", "support@example.com", "ventas@example.com")
MAILBOX_LISTS = (*MAILBOXES, "support@example.com, billing@example.com", "support@example.com; legal@example.com")

# An e-mail subject is written by an outsider: formulas, commas, quotes, line breaks, more than a column holds.
SUBJECTS = (
    "Invoice 2026-114 is wrong",
    "I was charged twice",
    "Where is my parcel?",
    "Factura duplicada, por favor revisar",
    "Sin internet desde ayer",
    "Cancelar meu plano",
    "Kündigung zum Monatsende",
    "パスワードを再設定したい",
    "Question about my contract",
    "Thank you!",
    "Re: Re: Fwd: order 7731",
    "Préstamo – ¿dudas?",
    'Re: "order", line\nbreak',
    'She said "refund", then nothing',
    "Price, delivery, and 3 more questions",
    "Great service 🎉👍🏽",
    "=SUM(1+1)*2",
    '=HYPERLINK("http://evil.example.com","invoice")',
    "@SUM(A1:A9)",
    "+1 on my last message",
    "-20% was promised",
    "\tleading tab",
    "",
    "long " * 240 + "end",
)
SUBJECT_SHARES = (*(0.06,) * 12, *(0.025,) * 4, *(0.02,) * 6, 0.04, 0.02)

_AREA_CODES = (202, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 612, 617, 702, 713)


def telephone_numbers() -> list[str]:
    """2,500 telephone numbers that reach nobody.

    555-01xx in North America and Ofcom's 07700 900xxx for drama.
    """
    american = [f"+1{area}55501{line:02}" for area in _AREA_CODES for line in range(100)]
    return american + [f"+447700900{line:03}" for line in range(1000)]


SERVICE_NUMBERS = ("18005550100", "18005550142", "+448081570123", "2000", "2001")
