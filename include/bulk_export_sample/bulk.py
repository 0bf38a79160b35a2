"""Many large, different WAV files at the disk's speed.

For measuring, not for listening long.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bulk_export_sample.encode import wav_header
from bulk_export_sample.randomness import Stream, generator
from bulk_export_sample.sound import as_int16, speech
from bulk_export_sample.talk import spoken

_HEADER_BYTES = 44
_STAMP_SAMPLES = 64
_SPEECH_MS = 20_000
_STRIDE = 977  # a prime, so that neighbours start at different places of the sound
_WORDS = ("mmmm mmm mmmmmmmm", "mm mmmmmm mmm mmmmm mm", "mmmm", "mmmmm mmmm mmmmmmm")


class BulkAudio:
    """Cuts every file out of one long piece of sound.

    Each comes from another place and is stamped with its number.
    """

    def __init__(self, seed: int, file_bytes: int) -> None:
        rng = generator(seed, Stream.BULK)
        sound = as_int16(speech(spoken(_WORDS * 4, _SPEECH_MS), _SPEECH_MS, rng, stereo=False))[0]
        self._samples = (file_bytes - _HEADER_BYTES) // 2 - _STAMP_SAMPLES
        repeats = self._samples // sound.size + 2
        self._sound = memoryview(np.tile(sound, repeats).astype("<i2").tobytes())
        self._places = sound.size
        self._header = wav_header((self._samples + _STAMP_SAMPLES) * 2, channels=1)

    def write(self, path: Path, number: int) -> None:
        """Write the file of contact `number` (from 0)."""
        bits = np.unpackbits(np.array([number], dtype=">u8").view(np.uint8)).astype("<i2")
        start = number * _STRIDE % self._places * 2
        with path.open("wb") as file:
            # One step up or down of 65,536: the stamp cannot be heard.
            file.write(self._header + (bits * 2 - 1).tobytes())
            file.write(self._sound[start : start + self._samples * 2])
