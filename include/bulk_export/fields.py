"""Define every field of a contact, in the order of contacts.csv.

One table feeds the CSV columns, the filter catalogue, the store's schema and the docs, so that adding a field is
one line here. The order and the headers are those of the vendor's published CSV (57 columns).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """Type of a field's values: decides store type, operators and cells."""

    TEXT = "text"
    WORDS = "words"  # text that is searched for its words
    INTEGER = "integer"  # int64
    DURATION = "duration"  # int64 seconds, shown as HH:MM:SS
    RATIO = "ratio"  # float64 from 0 to 1, shown as .99
    DECIMAL = "decimal"  # float64
    YES_NO = "yes/no"  # bool
    ENUM = "enumeration"  # text, one of Field.values
    DATE = "date"  # calendar day, no zone
    TIMESTAMP = "timestamp"  # UTC


CONTACT_TYPES = ("CALL", "NON_CALL", "SCREEN_ONLY", "EMAIL", "TEXT", "CHAT", "SMS")
STATES = ("Unscored", "Scored", "In Progress", "Needs Approval")
SENTIMENTS = ("positive", "negative", "neutral")
RECORDING_TYPES = (
    "AACC MLS Recording",
    "Acme Packet Recording",
    "AudioCodes Recording",
    "AWS Connect Recording",
    "BroadSoft Recording",
    "CUBE Recording",
    "End Point Recording",
    "Event Notification",
    "Five 9 VCC Recording",
    "Genesys Recording",
    "IP Office Recording",
    "MediaSense Recording",
    "Multiple Registration Recording",
    "Network Recording",
    "None",
    "Reconciliation",
    "RTP Logger Recording",
    "Serenova Recording",
    "Single Step Conference Recording",
    "Sonus Recording",
    "Unknown Recording Type",
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a contact.

    Attributes:
        key: name in the store, in filters and in code.
        header: name in the CSV; empty where the field is not a CSV column of its own.
        kind: type of its values.
        max_chars: longest text the CSV holds, None for no limit.
        values: the valid values of an enumeration, in display order.
        only_for: contact types the field applies to; empty means all.
        default: what the CSV shows for a contact the field applies to when its value is null or empty.
        note: what docs/output-format.md says of the column beside all this.
    """

    key: str
    header: str
    kind: Kind
    max_chars: int | None = None
    values: tuple[str, ...] = ()
    only_for: frozenset[str] = field(default_factory=frozenset)
    default: str = ""
    note: str = ""


_CALLS = frozenset({"CALL"})
_MESSAGES = frozenset({"CHAT", "SMS"})
_EMAILS = frozenset({"EMAIL"})

# Columns 8 and 9 (Date, Time) are both made from started_at in the contact's own zone, so they have keys of their
# own here ("date", "time") and are derived; every other key is a column of the store.
CSV_FIELDS: tuple[Field, ...] = (
    Field("contact_id", "Contact ID", Kind.INTEGER),
    Field("last_name", "Last Name", Kind.TEXT, 60),
    Field("first_name", "First Name", Kind.TEXT, 60),
    Field("group_name", "Group Name", Kind.TEXT, 60),
    Field("team_name", "Team Name", Kind.TEXT, 60),
    Field("calling_number", "Calling Number", Kind.TEXT, 64, only_for=_CALLS, default="unknown"),
    Field("called_number", "Called Number", Kind.TEXT, 64, only_for=_CALLS, default="unknown"),
    Field("date", "Date", Kind.DATE, note="the contact's own day, in its own zone"),
    Field("time", "Time", Kind.TEXT, note="the contact's own clock, in its own zone"),
    Field("time_zone", "Time Zone", Kind.TEXT, 60, note="IANA name, such as `America/Chicago`"),
    Field("score", "Score", Kind.INTEGER),
    Field("reason", "Reason", Kind.TEXT, 64),
    Field("recording_type", "Recording Type", Kind.ENUM, 64, values=RECORDING_TYPES),
    Field("call_duration", "Call Duration", Kind.DURATION, only_for=_CALLS),
    Field("agent_id", "Agent ID", Kind.TEXT, 64),
    Field("hr", "HR", Kind.YES_NO),
    Field("training", "Training", Kind.YES_NO),
    Field("state", "State", Kind.ENUM, 32, values=STATES),
    Field("contact_type", "Contact Type", Kind.ENUM, 60, values=CONTACT_TYPES),
    Field("external_party", "External Party", Kind.TEXT, only_for=_MESSAGES),
    Field("from_address", "From Address", Kind.TEXT, 512, only_for=_EMAILS),
    Field("to_address", "To Address", Kind.TEXT, only_for=_EMAILS),
    Field("subject", "Subject", Kind.TEXT, 1000, only_for=_EMAILS),
    Field("evaluator_name", "Evaluator Name", Kind.TEXT, 256),
    Field("date_evaluated", "Date Evaluated", Kind.DATE),
    Field("approved_by", "Approved By", Kind.TEXT, 256),
    Field("evaluation_form", "Evaluation Form", Kind.TEXT, 64),
    Field("calibrated", "Calibrated", Kind.YES_NO),
    Field("max_silence", "MAX Silence", Kind.DURATION),
    Field("min_silence", "MIN Silence", Kind.DURATION),
    Field("avg_silence", "AVG Silence", Kind.DURATION),
    Field("total_silence", "Total Silence Duration", Kind.DURATION),
    Field("silence_events", "Silence Events", Kind.INTEGER),
    Field("silence_ratio", "% Silence", Kind.RATIO),
    Field("max_talk_over", "MAX Talk Over", Kind.DURATION),
    Field("min_talk_over", "MIN Talk Over", Kind.DURATION),
    Field("avg_talk_over", "AVG Talk Over", Kind.DURATION),
    Field("total_talk_over", "Total Talk Over Duration", Kind.DURATION),
    Field("talk_over_events", "Talk Over Events", Kind.INTEGER),
    Field("talk_over_ratio", "% Talk Over", Kind.RATIO),
    Field("hold_events", "Hold Events", Kind.INTEGER),
    Field("min_hold", "MIN Hold Duration", Kind.DURATION),
    Field("max_hold", "MAX Hold Duration", Kind.DURATION),
    Field("total_hold", "Total Hold Duration", Kind.DURATION),
    Field("avg_hold", "AVG Hold Duration", Kind.DURATION),
    Field("hold_ratio", "% Hold", Kind.RATIO),
    Field("end_of_interaction_workflow", "End of Interaction Workflow", Kind.TEXT, 64),
    Field("daily_workflow", "Daily Workflow", Kind.TEXT, 64),
    Field("predictive_evaluation_score", "Predictive Evaluation Score", Kind.RATIO),
    Field("net_promoter_score", "Net Promoter Score", Kind.DECIMAL),
    Field("predictive_net_promoter_score", "Predictive Net Promoter Score", Kind.RATIO),
    Field("sentiment_score", "Sentiment Score", Kind.ENUM, values=SENTIMENTS),
    Field("survey_score", "Survey Score", Kind.RATIO, note="what is no ratio is shown as it is, `4.50`"),
    Field("survey_name", "Survey Name", Kind.TEXT, 255),
    Field("agent_acd_id", "Agent ACD ID", Kind.TEXT, 256),
    Field("associated_call_id", "Associated Call ID", Kind.TEXT, 256),
    Field(
        "text_preview",
        "Text Preview",
        Kind.TEXT,
        note="about 160 characters around the first hit, where the search has a `text` filter",
    ),
)

# Made while exporting, not columns of the store.
DERIVED_KEYS = frozenset({"date", "time", "text_preview"})

# Store columns beside the CSV's: identity, lifecycle, body and objects.
STORE_FIELDS: tuple[Field, ...] = (
    Field("started_at", "", Kind.TIMESTAMP),
    Field("updated_at", "", Kind.TIMESTAMP),
    Field("is_root", "", Kind.YES_NO),
    Field("recycled", "", Kind.YES_NO),
    Field("text", "", Kind.WORDS),
    Field("audio_uri", "", Kind.TEXT),
    Field("screen_uri", "", Kind.TEXT),
    Field("transcript_uri", "", Kind.TEXT),
    Field("audio_bytes", "", Kind.INTEGER),
    Field("screen_bytes", "", Kind.INTEGER),
)

REQUIRED_COLUMNS = ("contact_id", "started_at", "time_zone", "contact_type")
