"""Ten contacts that between them meet every rule of contacts.csv. Values not given are null."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from bulk_export.fields import CSV_FIELDS, STORE_FIELDS, Kind

METADATA_KEYS = ("service-key", 'Línea, "tipo"')

_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.ENUM: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.DURATION: pa.int64(),
    Kind.RATIO: pa.float64(),
    Kind.DECIMAL: pa.float64(),
    Kind.YES_NO: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
}

# Every column filled; recycled below, so that nothing of it may show.
_WHOLE_CALL = {
    "contact_id": 100001,
    "last_name": "Nguyễn",
    "first_name": "Thị Minh",
    "group_name": "Ventas",
    "team_name": "Équipe, 3",
    "calling_number": "+16125550100",
    "called_number": "18005550199",
    "started_at": datetime(2026, 11, 23, 5, 5, 9, tzinfo=UTC),
    "time_zone": "America/Bogota",
    "score": 91,
    "reason": "100% recording",
    "recording_type": "CUBE Recording",
    "call_duration": 65,
    "agent_id": "A001",
    "hr": True,
    "training": False,
    "state": "Scored",
    "contact_type": "CALL",
    "external_party": "not for calls",
    "from_address": "not for calls",
    "to_address": "not for calls",
    "subject": "not for calls",
    "evaluator_name": "Siobhán O'Brien",
    "date_evaluated": date(2026, 11, 24),
    "approved_by": "José García",
    "evaluation_form": 'Form "A"',
    "calibrated": True,
    "max_silence": 3600,
    "min_silence": 0,
    "avg_silence": 59,
    "total_silence": 359_999,
    "silence_events": 15,
    "silence_ratio": 0.07,
    "max_talk_over": 1,
    "min_talk_over": 60,
    "avg_talk_over": 61,
    "total_talk_over": 360_000,
    "talk_over_events": 0,
    "talk_over_ratio": 0.5,
    "hold_events": 2,
    "min_hold": 86_399,
    "max_hold": 86_400,
    "total_hold": 3_600_000,
    "avg_hold": 3_661,
    "hold_ratio": 1.0,
    "end_of_interaction_workflow": "Default",
    "daily_workflow": "-1",
    "predictive_evaluation_score": 0.005,
    "net_promoter_score": 9.0,
    "predictive_net_promoter_score": 0.285,
    "sentiment_score": "positive",
    "survey_score": 4.5,
    "survey_name": "Q4",
    "agent_acd_id": "acd-1",
    "associated_call_id": "c-100000",
    "text_preview": "… cancel my account …",
    "metadata.service-key": "S-1",
    'metadata.Línea, "tipo"': "móvil",
}

_CONTACTS: tuple[dict[str, object], ...] = (
    _WHOLE_CALL,
    {  # a chat in summer time; what belongs to calls and e-mail stays out
        "contact_id": 100002,
        "last_name": "山田",
        "first_name": "太郎",
        "started_at": datetime(2026, 7, 1, 10, 30, tzinfo=UTC),
        "time_zone": "Europe/Madrid",
        "contact_type": "CHAT",
        "calling_number": "+34600000000",
        "called_number": None,
        "call_duration": 12,
        "external_party": "@user",
        "subject": "not for chats",
        "hr": False,
        "silence_ratio": 0.0,
        "talk_over_ratio": 0.995,
        "hold_ratio": 0.994,
        "net_promoter_score": 6.5,
        "sentiment_score": "neutral",
        "recycled": False,
        'metadata.Línea, "tipo"': "=2+5",
    },
    {  # an e-mail by an outsider with bad intentions
        "contact_id": 100003,
        "last_name": "-Smith",
        "first_name": "-12.5",
        "group_name": "\tTeam",
        "started_at": datetime(2026, 2, 28, 19, 0, tzinfo=UTC),
        "time_zone": "Asia/Kolkata",
        "contact_type": "EMAIL",
        "state": "=NOT()",
        "external_party": "not for e-mail",
        "from_address": "+44 20 7946 0958",
        "to_address": "help@example.com; other@example.com",
        "subject": '=HYPERLINK("http://evil.example","invoice")',
        "text_preview": ' +1 "and"\nmore',
        "metadata.service-key": "\rx",
    },
    {**_WHOLE_CALL, "contact_id": 100004, "recycled": True},
    {  # the last second before Lord Howe's clocks go forward by half an hour
        "contact_id": 100005,
        "started_at": datetime(2026, 10, 3, 15, 29, 59, tzinfo=UTC),
        "time_zone": "Australia/Lord_Howe",
        "contact_type": "SMS",
        "external_party": "+447958288215",
    },
    {  # and the second after
        "contact_id": 100006,
        "started_at": datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
        "time_zone": "Australia/Lord_Howe",
        "contact_type": "SMS",
        "external_party": "",
    },
    {  # a call of which hardly anything is known, in a zone nobody knows
        "contact_id": 100007,
        "started_at": datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC),
        "time_zone": "Mars/Olympus",
        "contact_type": "CALL",
        "called_number": "",
        "call_duration": -1,
        "silence_ratio": float("nan"),
        "talk_over_ratio": float("inf"),
        "net_promoter_score": float("nan"),
    },
    {  # texts that are too long, also where a cut would part an accent or an emoji; control characters
        "contact_id": 100008,
        "last_name": "a" * 60,
        "first_name": "b" * 61,
        "group_name": "c" * 59 + "e\u0301",
        "team_name": "=" + "d" * 60,
        "started_at": datetime(2026, 3, 8, 8, 0, tzinfo=UTC),
        "time_zone": "America/Chicago",
        "contact_type": "TEXT",
        "reason": "f" * 63 + "👍🏽",
        "agent_id": "nul\0bell\x07",
        "survey_name": "keeps\ttab",
        "metadata.service-key": "g" * 300,
    },
    {  # the edges of a ratio
        "contact_id": 100009,
        "started_at": datetime(2026, 3, 8, 7, 59, 59, tzinfo=UTC),
        "time_zone": "America/Chicago",
        "contact_type": "NON_CALL",
        "silence_ratio": 0.004999,
        "talk_over_ratio": 0.015,
        "hold_ratio": 1.004,
        "predictive_evaluation_score": -0.25,
        "predictive_net_promoter_score": 1e-7,
        "net_promoter_score": -100.0,
        "survey_score": 1.005,
        "score": -3,
    },
    {  # noon, no zone
        "contact_id": 9_223_372_036_854_775_807,
        "started_at": datetime(2026, 1, 2, 12, 0, tzinfo=UTC),
        "time_zone": None,
        "contact_type": "SCREEN_ONLY",
        "recycled": None,
    },
)


@pytest.fixture
def golden_contacts() -> pa.Table:
    names = {field.key: _TYPES[field.kind] for field in (*CSV_FIELDS, *STORE_FIELDS)}
    del names["date"], names["time"], names["text"]
    names.update({f"metadata.{key}": pa.string() for key in METADATA_KEYS})
    rows = [{name: contact.get(name) for name in names} for contact in _CONTACTS]
    return pa.Table.from_pylist(rows, schema=pa.schema(list(names.items())))
