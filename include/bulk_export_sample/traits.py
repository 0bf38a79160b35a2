"""The facts on which a contact's columns and files agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bulk_export.fields import CONTACT_TYPES, SENTIMENTS
from bulk_export_sample.people import ZONES
from bulk_export_sample.randomness import (
    MOOD_STEP,
    RECYCLED_STEP,
    ROOT_STEP,
    TYPE_STEP,
    Flags,
    Floats,
    Ints,
    Stream,
    evenly,
    generator,
)
from bulk_export_sample.request import SampleRequest
from bulk_export_sample.talk_words import TOPICS

_TYPE_SHARES = {
    "CALL": 0.58,
    "NON_CALL": 0.04,
    "SCREEN_ONLY": 0.05,
    "EMAIL": 0.11,
    "TEXT": 0.03,
    "CHAT": 0.14,
    "SMS": 0.05,
}
CALL, NON_CALL, SCREEN_ONLY, EMAIL, TEXT, CHAT, SMS = (CONTACT_TYPES.index(each) for each in _TYPE_SHARES)
POSITIVE, NEGATIVE, NEUTRAL = (SENTIMENTS.index(each) for each in ("positive", "negative", "neutral"))

_DETRACTOR_SHARE = 1 / 3
_DETRACTORS_BELOW = 0.3
_WAV_HEADER_BYTES = 44
_BYTES_PER_MS = 16  # 8 kHz, 16 bits, one channel
# One frame of the screen video at 5 a second: sound and picture end together.
_LENGTH_STEP_MS = 200
_SPEECH_MS_PER_TURN = 1_300
_MOST_TURNS = 9
_PAUSED_SHARE = 1 / 3


@dataclass(frozen=True, slots=True)
class Traits:
    """One array entry per contact of a batch.

    Attributes:
        first: place of the batch's first contact in the store.
        started_s: start, seconds since 1970.
        zone: index into `people.ZONES`.
        contact_type: index into `fields.CONTACT_TYPES`.
        root, recycled: lifecycle flags, never both.
        has_text: there is a body, and a transcript in stores with media.
        has_audio, has_screen: there is a file.
        talk_ms: length of the sound or screen, 0 for written contacts. It is the length of the stored file in stores
            with media, minutes in stores without.
        unrecorded_s: what the call lasted beyond its recording: ringing, and in stores with media for every third call
            minutes, as if its recording had been paused or restarted. So durations are worth filtering by though
            sounds are short.
        topic: index into `talk_words.TOPICS`.
        turns: how many turns of the dialogue there are.
        sentiment: index into `fields.SENTIMENTS`.
        predicted: predictive net promoter score; about a third below 0.3.
    """

    first: int
    started_s: Ints
    zone: Ints
    contact_type: Ints
    root: Flags
    recycled: Flags
    has_text: Flags
    has_audio: Flags
    has_screen: Flags
    talk_ms: Ints
    unrecorded_s: Ints
    topic: Ints
    turns: Ints
    sentiment: Ints
    predicted: Floats

    def of_type(self, *types: int) -> Flags:
        """Which contacts are of one of the types."""
        return np.isin(self.contact_type, types)


def draw_traits(request: SampleRequest, first: int, started_s: Ints, zone: Ints) -> Traits:
    """The traits of one batch of contacts.

    `first` is the place of its first in the store.
    """
    count = started_s.size
    rng = generator(request.seed, Stream.TRAITS, first)
    bulk = request.audio_bytes is not None
    reach = np.cumsum([_TYPE_SHARES[each] for each in CONTACT_TYPES])
    kind = np.searchsorted(reach, evenly(first, count, TYPE_STEP, request.seed), side="right").astype(np.int64)
    kind = np.zeros_like(kind) + CALL if bulk else kind.clip(max=len(CONTACT_TYPES) - 1)
    calls, others = kind == CALL, kind == NON_CALL
    root = (evenly(first, count, ROOT_STEP, request.seed) < 0.03) & calls & (not bulk)
    recycled = (evenly(first, count, RECYCLED_STEP, request.seed) < 0.025) & ~root & (not bulk)
    has_audio = (calls & (bulk | (rng.random(count) < 0.97))) | (others & (rng.random(count) < 0.9))
    with_screen = np.where(calls, 0.25, 0.5)
    has_screen = (kind == SCREEN_ONLY) | (has_audio & (rng.random(count) < with_screen) & (not bulk))
    talk_ms = np.where(calls | others | (kind == SCREEN_ONLY), _lengths(request, rng, count), 0)
    unrecorded_s = rng.integers(1, 4 if request.media else 20, count)
    if request.media:
        unrecorded_s += np.where(rng.random(count) < _PAUSED_SHARE, _minutes_ms(rng, count) // 1_000, 0)
    spoken = calls | others
    turns = np.where(spoken, (talk_ms // _SPEECH_MS_PER_TURN).clip(2, _MOST_TURNS), _MOST_TURNS)
    turns[np.isin(kind, (SMS, TEXT))] = 5
    sentiment, predicted = _mood(request, rng, first, count)
    topics = np.array([[_topic(key) for key in each.topics] for each in ZONES], dtype=np.int64)
    return Traits(
        first=first,
        started_s=started_s,
        zone=zone,
        contact_type=kind,
        root=root,
        recycled=recycled,
        has_text=(kind != SCREEN_ONLY) & (bulk | (rng.random(count) < 0.95)),
        has_audio=has_audio & request.media,
        has_screen=has_screen & request.media,
        talk_ms=talk_ms,
        unrecorded_s=unrecorded_s,
        topic=topics[zone, rng.integers(0, topics.shape[1], count)],
        turns=turns,
        sentiment=sentiment,
        predicted=predicted,
    )


def _lengths(request: SampleRequest, rng: np.random.Generator, count: int) -> Ints:
    """How long sound and screen last, in ms."""
    if request.audio_bytes is not None:
        return np.full(count, (request.audio_bytes - _WAV_HEADER_BYTES) // _BYTES_PER_MS, dtype=np.int64)
    if request.media:
        return rng.integers(2_000 // _LENGTH_STEP_MS, 6_000 // _LENGTH_STEP_MS + 1, count) * _LENGTH_STEP_MS
    return _minutes_ms(rng, count)


def _minutes_ms(rng: np.random.Generator, count: int) -> Ints:
    """Lengths as calls have them: four minutes in the middle, some of an hour."""
    return (rng.lognormal(np.log(240), 0.8, count).clip(15, 7_200) * 1_000).astype(np.int64)


def _mood(request: SampleRequest, rng: np.random.Generator, first: int, count: int) -> tuple[Ints, Floats]:
    """Sentiment and predictive net promoter score, which go together as in life: not always."""
    detractor = evenly(first, count, MOOD_STEP, request.seed) < _DETRACTOR_SHARE
    low = rng.uniform(0.01, _DETRACTORS_BELOW, count)
    high = _DETRACTORS_BELOW + (1 - _DETRACTORS_BELOW) * rng.beta(2.0, 1.5, count)
    # Rounded down, so that 0.29999 does not become 0.3.
    predicted = np.floor(np.where(detractor, low, high) * 10_000) / 10_000
    dice = rng.random(count)
    negative = dice < np.where(detractor, 0.7, 0.12)
    neutral = ~negative & (dice < np.where(detractor, 0.92, 0.5))
    sentiment = np.where(negative, NEGATIVE, np.where(neutral, NEUTRAL, POSITIVE)).astype(np.int64)
    return sentiment, predicted


def _topic(key: str) -> int:
    return next(index for index, topic in enumerate(TOPICS) if topic.key == key)
