"""The catalogue's columns of one batch of contacts, built by the column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.fields import CONTACT_TYPES, SENTIMENTS, STATES
from bulk_export_sample import people
from bulk_export_sample.randomness import Flags, Floats, Ints, Stream, generator
from bulk_export_sample.request import SampleRequest
from bulk_export_sample.schema import sample_schema
from bulk_export_sample.statistics import Events, draw_events
from bulk_export_sample.traits import CALL, CHAT, EMAIL, NON_CALL, SCREEN_ONLY, SMS, Traits

FIRST_CONTACT_ID = 100_001
_DAY_S = 86_400


def contact_ids(traits: Traits) -> Ints:
    """The batch's contact ids, ascending with the start."""
    return np.arange(traits.started_s.size, dtype=np.int64) + (FIRST_CONTACT_ID + traits.first)


def draw_columns(request: SampleRequest, traits: Traits, body: pa.Array) -> dict[str, pa.Array]:
    """Every column but those of the objects, unordered."""
    rng = generator(request.seed, Stream.COLUMNS, traits.first)
    count = traits.started_s.size
    lag_s = (60 + rng.lognormal(np.log(1_800), 1.2, count)).astype(np.int64)
    updated_s = np.minimum(traits.started_s + traits.talk_ms // 1_000 + lag_s, request.until_s)
    # A contact of the last minute is still being written.
    updated_s = np.maximum(updated_s, traits.started_s + 1)
    return {
        "contact_id": pa.array(contact_ids(traits)),
        "started_at": _moments(traits.started_s),
        "updated_at": _moments(updated_s),
        "time_zone": _labels([each.name for each in people.ZONES], traits.zone),
        "contact_type": _labels(CONTACT_TYPES, traits.contact_type),
        "is_root": pa.array(traits.root),
        "recycled": pa.array(traits.recycled),
        "text": body,
        "metadata": _metadata(rng, count),
        **_agents(rng, count),
        **_addresses(rng, traits),
        **_evaluation(rng, request, traits),
        **_recording(rng, traits),
        **_opinions(rng, traits),
    }


def with_objects(columns: Mapping[str, pa.Array], objects: Mapping[str, pa.Array]) -> pa.Table:
    """The batch as a table of the store's schema.

    Nothing is made up for a column that neither knows: it is null.

    Raises:
        ValueError: a column is none of the store's.
    """
    schema, together = sample_schema(), {**columns, **objects}
    if foreign := sorted(together.keys() - set(schema.names)):
        raise ValueError(f"the store has no columns {', '.join(foreign)}")
    count = len(columns["contact_id"])
    return pa.table([together.get(field.name, pa.nulls(count, field.type)) for field in schema], schema=schema)


def _agents(rng: np.random.Generator, count: int) -> dict[str, pa.Array]:
    who = rng.choice(len(people.AGENTS), size=count, p=people.AGENT_SHARES)
    agents = people.AGENTS
    return {
        "agent_id": _labels([each.agent_id for each in agents], who),
        "last_name": _labels([each.last_name for each in agents], who),
        "first_name": _labels([each.first_name for each in agents], who),
        "group_name": _labels([each.group for each in agents], who),
        "team_name": _labels([each.team for each in agents], who),
        "agent_acd_id": _labels([each.acd_id for each in agents], who, rng.random(count) < 0.9),
        "hr": pa.array(rng.random(count) < 0.02),
        "training": pa.array(rng.random(count) < 0.06),
    }


def _addresses(rng: np.random.Generator, traits: Traits) -> dict[str, pa.Array]:
    count = traits.started_s.size
    call, email = traits.of_type(CALL), traits.of_type(EMAIL)
    chat, sms = traits.of_type(CHAT), traits.of_type(SMS)
    inbound = rng.random(count) < 0.75
    numbers = people.telephone_numbers()
    customer_number = rng.integers(0, len(numbers), count)
    ours = _pick(rng, people.SERVICE_NUMBERS, count)
    theirs = _labels(numbers, customer_number)
    customer = pc.binary_join_element_wise(
        pa.scalar("customer"), pa.array(rng.integers(1, 9_999, count)).cast(pa.string()), pa.scalar("@example.com"), ""
    )
    mailbox = _pick(rng, people.MAILBOXES, count)
    mailboxes = _pick(rng, people.MAILBOX_LISTS, count)
    withheld, unlisted = rng.random(count) < 0.08, rng.random(count) < 0.02
    return {
        "calling_number": _where(call & ~withheld, _either(inbound, theirs, ours)),
        "called_number": _where(call & ~unlisted, _either(inbound, ours, theirs)),
        "external_party": _where(chat | sms, _either(chat, customer, theirs)),
        "from_address": _where(email, _either(inbound, customer, mailbox)),
        "to_address": _where(email, _either(inbound, mailboxes, customer)),
        "subject": _where(email, _pick(rng, people.SUBJECTS, count, people.SUBJECT_SHARES)),
    }


def _evaluation(rng: np.random.Generator, request: SampleRequest, traits: Traits) -> dict[str, pa.Array]:
    count = traits.started_s.size
    state = rng.choice(len(STATES), size=count, p=(0.55, 0.25, 0.1, 0.1))
    scored, waiting = state == STATES.index("Scored"), state == STATES.index("Needs Approval")
    done, begun = scored | waiting, state != STATES.index("Unscored")
    day = np.minimum(traits.started_s // _DAY_S + rng.integers(0, 10, count), request.until_s // _DAY_S)
    score = np.where(rng.random(count) < 0.03, 0, rng.normal(78, 14, count).clip(20, 100).astype(np.int64))
    return {
        "state": _labels(STATES, state),
        "score": pa.array(score, mask=~done),
        "evaluator_name": _pick(rng, people.EVALUATORS, count, present=begun),
        "date_evaluated": pa.array(day.astype(np.int32), mask=~done).cast(pa.date32()),
        "approved_by": _pick(rng, people.APPROVERS, count, present=scored & (rng.random(count) < 0.5)),
        "evaluation_form": _pick(rng, people.EVALUATION_FORMS, count, present=begun),
        "calibrated": pa.array(scored & (rng.random(count) < 0.15)),
    }


def _recording(rng: np.random.Generator, traits: Traits) -> dict[str, pa.Array]:
    count = traits.started_s.size
    call = traits.of_type(CALL)
    desktop = traits.of_type(NON_CALL, SCREEN_ONLY)
    duration_s = -(-traits.talk_ms // 1_000) + traits.unrecorded_s
    recorder = _pick(rng, people.CALL_RECORDERS, count, people.CALL_RECORDER_SHARES, present=call)
    legs = pc.binary_join_element_wise(pa.scalar("leg-"), pa.array(contact_ids(traits) - 1).cast(pa.string()), "")
    figures: dict[str, pa.Array] = {}
    for name, most_share, every_s in (("silence", 0.5, 40.0), ("talk_over", 0.15, 90.0), ("hold", 0.35, 200.0)):
        events = draw_events(rng, duration_s, most_share=most_share, every_s=every_s)
        figures |= _figures(name, events, duration_s, call)
    return {
        "reason": _pick(rng, people.REASONS, count, people.REASON_SHARES, present=rng.random(count) < 0.8),
        "recording_type": _either(desktop, pa.scalar(people.DESKTOP_RECORDER), recorder),
        "call_duration": pa.array(duration_s, mask=~call),
        "associated_call_id": _where(call & (rng.random(count) < 0.1), legs),
        "end_of_interaction_workflow": _pick(rng, people.END_WORKFLOWS, count, present=rng.random(count) < 0.4),
        "daily_workflow": _pick(rng, people.DAILY_WORKFLOWS, count, (0.8, 0.2)),
        **figures,
    }


def _figures(name: str, events: Events, duration_s: Ints, call: Flags) -> dict[str, pa.Array]:
    none = ~call | ~events.some
    return {
        f"max_{name}": pa.array(events.high, mask=none),
        f"min_{name}": pa.array(events.low, mask=none),
        f"avg_{name}": pa.array(events.average, mask=none),
        f"total_{name}": pa.array(events.total, mask=~call),
        f"{name}_events": pa.array(events.count, mask=~call),
        f"{name}_ratio": pa.array(events.total / duration_s, mask=~call),
    }


def _opinions(rng: np.random.Generator, traits: Traits) -> dict[str, pa.Array]:
    count = traits.started_s.size
    talked = ~traits.of_type(SCREEN_ONLY)
    surveyed = talked & (rng.random(count) < 0.3)
    promoter = (traits.predicted * 11 + rng.normal(0, 1.5, count)).clip(0, 10).round()
    return {
        "sentiment_score": _labels(SENTIMENTS, traits.sentiment, talked & (rng.random(count) < 0.97)),
        "predictive_net_promoter_score": pa.array(traits.predicted, mask=~(talked & (rng.random(count) < 0.95))),
        "predictive_evaluation_score": pa.array(_ratios(rng, count), mask=~(talked & (rng.random(count) < 0.7))),
        "net_promoter_score": pa.array(promoter, mask=~(talked & (rng.random(count) < 0.4))),
        "survey_score": pa.array(_ratios(rng, count), mask=~surveyed),
        "survey_name": _pick(rng, people.SURVEYS, count, present=surveyed),
    }


def _ratios(rng: np.random.Generator, count: int) -> Floats:
    """Ratios with some that are exactly none and whole."""
    edge = rng.random(count)
    ratios = rng.beta(4.0, 2.0, count).round(4)
    return np.where(edge < 0.02, 0.0, np.where(edge > 0.98, 1.0, ratios))


def _metadata(rng: np.random.Generator, count: int) -> pa.MapArray:
    """`account-key`, `internal-note-key` and mostly `service-key`; a few contacts have none at all."""
    accounts = pc.utf8_lpad(pa.array(rng.integers(0, 10**9, count)).cast(pa.string()), 9, "0")
    services = _pick(rng, people.SERVICES, count)
    notes = _labels(["not for export", "ask the supervisor"], rng.integers(0, 2, count))
    # Interleave the three by picking from their concatenation, so that nothing runs by the row.
    entry = np.arange(count)[:, None] + np.arange(3) * count
    dice = rng.random(count)
    keep = np.ones((count, 3), dtype=np.bool_)
    keep[dice < 0.2, 2] = False
    keep[dice < 0.02, :] = False
    items = pa.concat_arrays([accounts, notes, services]).take(pa.array(entry[keep]))
    keys = _labels(["account-key", "internal-note-key", "service-key"], np.tile(np.arange(3), (count, 1))[keep])
    offsets = np.concatenate(([0], np.cumsum(keep.sum(axis=1)))).astype(np.int32)
    return pa.MapArray.from_arrays(pa.array(offsets), keys, items)


def _moments(seconds: Ints) -> pa.Array:
    return pa.array(seconds * 1_000_000).cast(pa.timestamp("us", tz="UTC"))


def _labels(options: Sequence[str], indexes: Ints, present: Flags | None = None) -> pa.Array:
    return pa.array(options, pa.string()).take(pa.array(indexes, mask=None if present is None else ~present))


def _pick(
    rng: np.random.Generator,
    options: Sequence[str],
    count: int,
    shares: Sequence[float] | None = None,
    present: Flags | None = None,
) -> pa.Array:
    if shares is None:
        return _labels(options, rng.integers(0, len(options), count), present)
    reach = np.cumsum(np.asarray(shares) / np.sum(shares))
    indexes = np.searchsorted(reach, rng.random(count), side="right").clip(max=len(options) - 1)
    return _labels(options, indexes, present)


def _either(flags: Flags, yes: pa.Array | pa.Scalar, no: pa.Array | pa.Scalar) -> pa.Array:
    return pc.if_else(pa.array(flags), yes, no)


def _where(flags: Flags, values: pa.Array) -> pa.Array:
    return _either(flags, values, pa.scalar(None, pa.string()))
