"""What is said in every dialogue, and when.

The turns are columns of text.

Turns have nine places, agent and customer in turn. A short contact keeps the places that make sense alone.

| place | speaker  | says          |
|-------|----------|---------------|
| 0     | agent    | greeting      |
| 1     | customer | problem       |
| 2     | agent    | understood    |
| 3     | customer | detail        |
| 4     | agent    | ask reference |
| 5     | customer | reference     |
| 6     | agent    | remedy        |
| 7     | customer | reaction      |
| 8     | agent    | farewell      |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.fields import SENTIMENTS
from bulk_export_sample.randomness import Ints, Stream, generator
from bulk_export_sample.talk_words import PHRASES, TOPICS, Topic, Variants
from bulk_export_sample.traits import EMAIL, Traits

PLACES = 9
AGENT, CUSTOMER = "agent", "customer"
_REFERENCE, _REACTION = 5, 7
# Place 7 is the fourth most important one, so four turns are 0, 1, 2 and 7.
_RANKS = (0, 1, 2, 6, 7, 8, 4, 3, 5)
# An e-mail, its reply and the thanks (or not), by place: nobody greets or asks back in writing.
EMAIL_MESSAGES = ((1, 3, 5), (2, 6, 8), (7,))
_SPOKEN_SHARE = 0.88


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a dialogue; times in ms from its start."""

    speaker: str
    text: str
    start_ms: int
    end_ms: int


def speaker_at(place: int) -> str:
    """Who speaks at a place of the dialogue."""
    return CUSTOMER if place % 2 else AGENT


def draw_talk(seed: int, traits: Traits) -> list[pa.Array]:
    """What is said at each place.

    Nine text arrays, null where a contact leaves the place out.
    """
    rng = generator(seed, Stream.TALK, traits.first)
    count = traits.topic.size
    columns: list[pa.Array] = []
    for place in range(PLACES):
        choices = [_variants(topic, place) for topic in TOPICS]
        offsets = np.cumsum([0, *(len(each) for each in choices)])[:-1]
        sizes = np.array([len(each) for each in choices])
        draw = rng.integers(0, 1 << 30, count)
        if place == _REACTION:  # Two reactions per sentiment, in the order of the sentiments.
            half = sizes[traits.topic] // len(SENTIMENTS)
            within = traits.sentiment * half + draw % half
        else:
            within = draw % sizes[traits.topic]
        said = pa.array([text for each in choices for text in each]).take(pa.array(offsets[traits.topic] + within))
        if place == _REFERENCE:
            said = pc.binary_join_element_wise(said, _references(rng.integers(0, 1_000_000, count)), " ")
        absent = _RANKS[place] >= traits.turns
        columns.append(pc.if_else(pa.array(absent), pa.scalar(None, pa.string()), said))
    return columns


def bodies(talk: Sequence[pa.Array], traits: Traits) -> pa.Array:
    """The searchable body of each contact, or null.

    The messages of an e-mail are paragraphs.
    """
    # Arrow's "skip" loses rows whose parts are all null (26.0). Place 0 never is; e-mails have all places, and what
    # the other contacts get from the second join is thrown away.
    dialogue = pc.binary_join_element_wise(*talk, " ", null_handling="skip")
    messages = [_joined([talk[place] for place in places], " ") for places in EMAIL_MESSAGES]
    email = _joined(messages, "\n\n")
    body = pc.if_else(pa.array(traits.of_type(EMAIL)), email, dialogue)
    return pc.if_else(pa.array(traits.has_text), body, pa.scalar(None, pa.string()))


def spoken(texts: Sequence[str | None], talk_ms: int) -> tuple[Turn, ...]:
    """The turns of a recorded dialogue, within `talk_ms`.

    They are timed by the length of their text.
    """
    said = [(speaker_at(place), text) for place, text in enumerate(texts) if text is not None]
    gap_ms = talk_ms * (1 - _SPOKEN_SHARE) / (len(said) + 1)
    per_character_ms = talk_ms * _SPOKEN_SHARE / sum(len(text) for _, text in said)
    turns: list[Turn] = []
    at_ms = gap_ms
    for speaker, text in said:
        end_ms = at_ms + per_character_ms * len(text)
        turns.append(Turn(speaker, text, int(at_ms), int(end_ms)))
        at_ms = end_ms + gap_ms
    return tuple(turns)


def _variants(topic: Topic, place: int) -> Variants:
    phrases = PHRASES[topic.language]
    reactions = tuple(text for each in phrases.reactions for text in each)
    return (
        phrases.greeting,
        topic.problem,
        topic.understood,
        topic.detail,
        phrases.ask_reference,
        phrases.reference,
        topic.remedy,
        reactions,
        phrases.farewell,
    )[place]


def _references(numbers: Ints) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 6, "0")
    return pc.binary_join_element_wise(pa.scalar("R-"), digits, pa.scalar("."), "")


def _joined(parts: Sequence[pa.Array], separator: str) -> pa.Array:
    return pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement="")
