"""Write each contact's audio, screen video and transcript.

Their columns in the catalogue come back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from bulk_export.fields import CONTACT_TYPES, SENTIMENTS
from bulk_export_sample.bulk import BulkAudio
from bulk_export_sample.columns import contact_ids
from bulk_export_sample.dirt import CONTROL_CHARACTERS, Fault, spoil
from bulk_export_sample.encode import AudioFormat, ScreenFormat, write_audio, write_screen
from bulk_export_sample.randomness import Stream, generator
from bulk_export_sample.request import SampleRequest
from bulk_export_sample.screen import FRAMES_PER_S, SIZES, desktop
from bulk_export_sample.sound import as_int16, speech
from bulk_export_sample.talk import Turn, spoken
from bulk_export_sample.talk_words import TOPICS
from bulk_export_sample.traits import Traits
from bulk_export_sample.transcripts import transcript, written

MEDIA, TRANSCRIPTS = "media", "transcripts"
_AUDIO_FORMATS = (AudioFormat.PCM, AudioFormat.MULAW, AudioFormat.OPUS, AudioFormat.MP3)
_AUDIO_SHARES = (0.35, 0.2, 0.25, 0.2)
_SCREEN_FORMATS = (ScreenFormat.VP8, ScreenFormat.VP9)
_SCREEN_SHARES = (0.6, 0.4)
_STEREO_SHARE = 0.3
# The codecs leave Python's lock while they work; more threads than this find nothing left to do.
_THREADS = 2
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """Everything that decides the files of one contact.

    Attributes:
        number: place of the contact in the store, from 0.
        texts: what is said at each place of the dialogue; None where the place is left out.
        audio, screen: the format of the file; None where there is none.
        size: width and height of the screen video.
    """

    number: int
    contact_id: int
    contact_type: str
    topic: int
    texts: tuple[str | None, ...]
    talk_ms: int
    audio: AudioFormat | None
    screen: ScreenFormat | None
    stereo: bool
    size: tuple[int, int]
    has_text: bool
    sentiment: str
    predicted: float
    fault: Fault | None

    @property
    def audio_key(self) -> str | None:
        """Where the audio is under the store's root."""
        return f"{MEDIA}/{self.contact_id}.{self.audio.extension}" if self.audio else None

    @property
    def screen_key(self) -> str | None:
        """Where the screen video is under the store's root."""
        return f"{MEDIA}/{self.contact_id}-screen.webm" if self.screen else None

    @property
    def transcript_key(self) -> str | None:
        """Where the transcript is under the store's root."""
        return f"{TRANSCRIPTS}/{self.contact_id}.json" if self.has_text else None


def plan_objects(
    request: SampleRequest, traits: Traits, talk: Sequence[pa.Array], faults: Mapping[int, Fault]
) -> list[ObjectPlan]:
    """The files of every contact of a batch."""
    rng = generator(request.seed, Stream.OBJECTS, traits.first)
    count = traits.started_s.size
    bulk = request.audio_bytes is not None
    audio = rng.choice(len(_AUDIO_FORMATS), size=count, p=(1, 0, 0, 0) if bulk else _AUDIO_SHARES)
    screen = rng.choice(len(_SCREEN_FORMATS), size=count, p=_SCREEN_SHARES)
    stereo = rng.random(count) < _STEREO_SHARE
    size = rng.integers(0, len(SIZES), count)
    texts = list(zip(*(column.to_pylist() for column in talk), strict=True))
    ids = contact_ids(traits)
    return [
        ObjectPlan(
            number=traits.first + place,
            contact_id=int(ids[place]),
            contact_type=CONTACT_TYPES[traits.contact_type[place]],
            topic=int(traits.topic[place]),
            texts=texts[place],
            talk_ms=int(traits.talk_ms[place]),
            audio=_AUDIO_FORMATS[audio[place]] if traits.has_audio[place] else None,
            screen=_SCREEN_FORMATS[screen[place]] if traits.has_screen[place] else None,
            stereo=bool(stereo[place]),
            size=SIZES[size[place]],
            has_text=bool(traits.has_text[place]),
            sentiment=SENTIMENTS[traits.sentiment[place]],
            predicted=float(traits.predicted[place]),
            fault=faults.get(place),
        )
        for place in range(count)
    ]


def write_objects(
    root: Path, request: SampleRequest, plans: Sequence[ObjectPlan], wrote: Callable[[int], None]
) -> dict[str, pa.Array]:
    """Write the files of a batch; return their catalogue columns.

    `wrote` is called with how many contacts are done.

    The sizes are those of the whole files, also where a fault left less: that is what a platform's catalogue says.
    """
    bulk = None if request.audio_bytes is None else BulkAudio(request.seed, request.audio_bytes)

    def write(plan: ObjectPlan) -> tuple[int | None, int | None]:
        return _write_contact(root, request.seed, plan, bulk)

    sizes: list[tuple[int | None, int | None]] = []
    with ThreadPoolExecutor(_THREADS) as pool:
        for chunk in _chunks(plans):
            sizes += pool.map(write, chunk)
            wrote(len(chunk))
    return {
        "audio_uri": pa.array([plan.audio_key for plan in plans], pa.string()),
        "audio_bytes": pa.array([audio for audio, _ in sizes], pa.int64()),
        "screen_uri": pa.array([plan.screen_key for plan in plans], pa.string()),
        "screen_bytes": pa.array([screen for _, screen in sizes], pa.int64()),
        "transcript_uri": pa.array([plan.transcript_key for plan in plans], pa.string()),
    }


def no_objects(count: int) -> dict[str, pa.Array]:
    """The catalogue columns of contacts without files."""
    texts, numbers = pa.nulls(count, pa.string()), pa.nulls(count, pa.int64())
    uris = dict.fromkeys(("audio_uri", "screen_uri", "transcript_uri"), texts)
    return {**uris, "audio_bytes": numbers, "screen_bytes": numbers}


def _chunks(plans: Sequence[ObjectPlan]) -> Iterator[list[ObjectPlan]]:
    rest = iter(plans)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _write_contact(root: Path, seed: int, plan: ObjectPlan, bulk: BulkAudio | None) -> tuple[int | None, int | None]:
    """Write one contact's files; gives the sizes of audio and screen."""
    audio, screen, words = (
        None if key is None else root / key for key in (plan.audio_key, plan.screen_key, plan.transcript_key)
    )
    turns: tuple[Turn, ...] = ()
    recorded = plan.talk_ms > 0
    rng = generator(seed, Stream.TRANSCRIPT, plan.number)
    if recorded:
        turns = spoken(plan.texts, plan.talk_ms)
    elif words:
        turns = written(plan.texts, email=plan.contact_type == "EMAIL", rng=rng)
    if audio and plan.audio:
        if bulk:
            bulk.write(audio, plan.number)
        else:
            sound = speech(turns, plan.talk_ms, generator(seed, Stream.SOUND, plan.number), stereo=plan.stereo)
            write_audio(audio, as_int16(sound), plan.audio)
    if screen and plan.screen:
        images = desktop(plan.contact_id, plan.talk_ms, plan.size, generator(seed, Stream.SCREEN, plan.number))
        write_screen(screen, images, plan.screen, size=plan.size, fps=FRAMES_PER_S)
    if words:
        words.write_bytes(_transcript(plan, turns, rng, recorded=recorded))
    audio_bytes = audio.stat().st_size if audio else None
    screen_bytes = screen.stat().st_size if screen else None
    spoil(plan.fault, audio=audio, screen=screen, transcript=words)
    return audio_bytes, screen_bytes


def _transcript(plan: ObjectPlan, turns: tuple[Turn, ...], rng: np.random.Generator, *, recorded: bool) -> bytes:
    topic = TOPICS[plan.topic]
    if plan.fault is Fault.CONTROL_CHARACTERS and turns:
        last = turns[-1]
        dirty = Turn(last.speaker, last.text + CONTROL_CHARACTERS + ".", last.start_ms, last.end_ms)
        turns = (*turns[:-1], dirty)
    return transcript(
        plan.contact_id,
        topic.language,
        plan.contact_type,
        turns,
        recorded=recorded,
        sentiment=plan.sentiment,
        predicted=plan.predicted,
        category=topic.key,
        rng=rng,
    )
