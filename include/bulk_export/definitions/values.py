"""The types of values in definitions, refused in words.

Time zones, times of day, ids, cron expressions.

Shapes made of them are `models.py` and `settings.py`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from croniter import croniter
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from bulk_export.time_zones import nearest_zone, zone_names

_CRON_FIELDS = 5
_MAX_CRON_CHARS = 200
_SHOWN_CHARS = 60
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class Model(BaseModel):
    """Base of all definitions.

    Unknown keys are refused; values never change after loading.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def shown(value: object) -> str:
    """A value for a message, cut short."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 1] + "…"


def _known_zone(name: str) -> str:
    if name not in zone_names():
        raise ValueError(f"{shown(name)} is not an IANA time zone such as America/Bogota.{nearest_zone(name)}")
    return name


def _time_of_day(text: str) -> str:
    if not _TIME_OF_DAY.fullmatch(text):
        raise ValueError(f'{shown(text)} is not a time of day such as "02:30"')
    return text


def _identifier(text: str) -> str:
    if not _IDENTIFIER.fullmatch(text):
        raise ValueError(f"{shown(text)} is not an id: letters, digits, - and _, at most 100, a letter or digit first")
    return text


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("a time needs an offset, such as 2026-11-23T02:30:00Z")
    return time


def none_word(value: object) -> object:
    """The form's word `none` as YAML's null."""
    return None if value == "none" else value


def profile_word(value: object) -> object:
    """`csv: excel` is short for `csv: {profile: excel}`."""
    return {"profile": value} if isinstance(value, str) else value


def _five_field_cron(expression: str) -> str:
    if len(expression) > _MAX_CRON_CHARS:  # each of its parts is spread out in full
        raise ValueError(f"a cron expression has at most {_MAX_CRON_CHARS} characters, not {len(expression):,}")
    if len(expression.split()) != _CRON_FIELDS:
        # A sixth field would be seconds: "0 0 * * * *" fires every second of an hour.
        raise ValueError(f"{shown(expression)} must have exactly five fields: minute hour day month weekday")
    if not croniter.is_valid(expression):
        raise ValueError(f"{shown(expression)} is not a cron expression")
    try:
        croniter(expression, datetime(2024, 1, 1, tzinfo=UTC)).get_next()
    except Exception as error:
        raise ValueError(f"{shown(expression)} never fires") from error
    return expression


Zone = Annotated[str, AfterValidator(_known_zone)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Cron = Annotated[str, AfterValidator(_five_field_cron)]
Identifier = Annotated[str, AfterValidator(_identifier)]
AwareTime = Annotated[datetime, AfterValidator(_aware)]
