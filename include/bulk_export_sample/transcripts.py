"""A contact's transcript in the store's own format, "transcript-1.0"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson

from bulk_export_sample.talk import AGENT, CUSTOMER, EMAIL_MESSAGES, PLACES, Turn, speaker_at

_LOW_CONFIDENCE, _HIGH_CONFIDENCE = 0.71, 0.995


def written(texts: Sequence[str | None], *, email: bool, rng: np.random.Generator) -> tuple[Turn, ...]:
    """The turns of a contact without sound.

    E-mails come hours apart, messages seconds apart.
    """
    messages = EMAIL_MESSAGES if email else tuple((place,) for place in range(PLACES))
    said = [
        (speaker_at(places[0]), " ".join(text for place in places if (text := texts[place]) is not None))
        for places in messages
        if texts[places[0]] is not None
    ]
    turns: list[Turn] = []
    at_ms = 0
    for speaker, text in said:
        end_ms = at_ms + 60 * len(text)
        turns.append(Turn(speaker, text, at_ms, end_ms))
        at_ms = end_ms + int(rng.integers(2_000, 45_000)) * (200 if email else 1)
    return tuple(turns)


def transcript(
    contact_id: int,
    language: str,
    channel: str,
    turns: Sequence[Turn],
    *,
    recorded: bool,
    sentiment: str,
    predicted: float,
    category: str,
    rng: np.random.Generator,
) -> bytes:
    """The transcript as JSON.

    Only recorded speech has a confidence: nobody had to guess what was written.
    """
    confidences = rng.uniform(_LOW_CONFIDENCE, _HIGH_CONFIDENCE, len(turns)).round(3).tolist()
    last_customer = max((place for place, turn in enumerate(turns) if turn.speaker == CUSTOMER), default=-1)
    segments = []
    for place, (turn, confidence) in enumerate(zip(turns, confidences, strict=True)):
        segment: dict[str, str | int | float] = {
            "speaker": turn.speaker,
            "start_ms": turn.start_ms,
            "end_ms": turn.end_ms,
            "text": turn.text,
        }
        if recorded:
            segment["confidence"] = confidence
        segment["sentiment"] = sentiment if place == last_customer else "neutral"
        segments.append(segment)
    spoken_ms = sum(turn.end_ms - turn.start_ms for turn in turns)
    document = {
        "schema": "transcript-1.0",
        "contact_id": contact_id,
        "language": language,
        "channel": channel,
        "participants": [{"id": AGENT, "role": "agent"}, {"id": CUSTOMER, "role": "customer"}],
        "segments": segments,
        "analytics": {
            "sentiment": sentiment,
            "predictive_net_promoter_score": predicted,
            "category": category,
            "spoken_ms": spoken_ms,
            "words": sum(len(turn.text.split()) for turn in turns),
        },
    }
    return orjson.dumps(document)
