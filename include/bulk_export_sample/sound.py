"""Make speech-like sound for two speakers.

Voiced syllables through vowel formants, with consonant noise between them.

Nobody says anything, but it sounds like two people on a telephone, and every contact sounds different.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bulk_export_sample.randomness import Floats
from bulk_export_sample.talk import AGENT, CUSTOMER, Turn

RATE_HZ = 8_000
LOUDNESS = 0.1  # RMS of full scale: -20 dBFS
_SYLLABLE_S = 0.17
_RESONANCE_SAMPLES = 160
_HISS = 0.02  # against the speech: -34 dB
# First three formants of a, e, i, o, u in Hz, and their loudness.
_VOWELS_HZ = ((730, 1_090, 2_440), (530, 1_840, 2_480), (270, 2_290, 3_010), (570, 840, 2_410), (300, 870, 2_240))
_LOUDNESSES = (1.0, 0.5, 0.2)
_BANDWIDTHS_HZ = (80.0, 110.0, 160.0)


@dataclass(frozen=True, slots=True)
class _Voice:
    """How one speaker sounds.

    Attributes:
        pitch_hz: middle of the melody.
        resonances: impulse response of each vowel, shape (5, 160).
    """

    pitch_hz: float
    resonances: Floats


def speech(turns: Sequence[Turn], talk_ms: int, rng: np.random.Generator, *, stereo: bool) -> Floats:
    """The sound of a dialogue at 8 kHz, about -20 dBFS.

    Returns:
        Shape (1, samples), or (2, samples) with the agent in the first channel and the customer in the second; from
        -1 to 1.
    """
    voices = {AGENT: _draw_voice(rng, 95, 150), CUSTOMER: _draw_voice(rng, 150, 240)}
    samples = talk_ms * RATE_HZ // 1_000
    channels = np.zeros((2 if stereo else 1, samples))
    for turn in turns:
        start, end = turn.start_ms * RATE_HZ // 1_000, turn.end_ms * RATE_HZ // 1_000
        channel = channels[1 if stereo and turn.speaker == CUSTOMER else 0]
        channel[start:end] += _utterance(voices[turn.speaker], end - start, rng)
    loud = float(np.sqrt(np.mean(channels**2))) or 1.0
    channels += rng.standard_normal(channels.shape) * loud * _HISS
    return np.clip(channels * (LOUDNESS / loud), -0.98, 0.98)


def as_int16(sound: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """The same sound as 16-bit samples, same shape."""
    return np.round(sound * 32_767).astype(np.int16)


def _draw_voice(rng: np.random.Generator, lowest_hz: float, highest_hz: float) -> _Voice:
    pitch_hz = rng.uniform(lowest_hz, highest_hz)
    stretch = rng.uniform(0.92, 1.02) * (1.08 if pitch_hz > 160 else 1.0)  # a shorter throat resonates higher
    seconds = np.arange(_RESONANCE_SAMPLES) / RATE_HZ
    resonances = np.zeros((len(_VOWELS_HZ), _RESONANCE_SAMPLES))
    for vowel, formants in enumerate(_VOWELS_HZ):
        for hz, loudness, bandwidth in zip(formants, _LOUDNESSES, _BANDWIDTHS_HZ, strict=True):
            decay = np.exp(-np.pi * bandwidth * seconds)
            resonances[vowel] += loudness * decay * np.sin(2 * np.pi * hz * stretch * seconds)
    return _Voice(pitch_hz, resonances)


def _utterance(voice: _Voice, samples: int, rng: np.random.Generator) -> Floats:
    """One turn: a melody that falls, cut into syllables."""
    syllables = max(1, round(samples / (RATE_HZ * _SYLLABLE_S)))
    melody = voice.pitch_hz * (1.12 - 0.24 * np.linspace(0, 1, samples))
    melody *= 1 + 0.05 * np.sin(np.linspace(0, syllables * 2.1, samples) + rng.uniform(0, 6))
    beats = np.floor(np.cumsum(melody / RATE_HZ))
    pulses = np.zeros(samples)
    pulses[1:] = np.diff(beats) > 0
    out = np.zeros(samples)
    edges = np.linspace(0, samples, syllables + 1).astype(int)
    for start, end in pairwise(edges.tolist()):
        onset = start + int((end - start) * rng.uniform(0.1, 0.3))
        stop = end - int((end - start) * rng.uniform(0.02, 0.12))
        noise = np.diff(rng.standard_normal(onset - start + 1)) * rng.uniform(0.05, 0.25)
        out[start:onset] += noise
        vowel = voice.resonances[rng.integers(0, len(_VOWELS_HZ))]
        voiced = np.convolve(pulses[onset:stop], vowel)[: max(0, stop - onset)]
        out[onset:stop] += voiced * np.sin(np.linspace(0.15, np.pi, stop - onset)) ** 0.5 * rng.uniform(0.7, 1.0)
    return out
