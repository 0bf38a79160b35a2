"""How each codec is encoded: encoder, sample rates, channels, bit rate, speed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AudioEncoder:
    """An audio encoder.

    Attributes:
        codec: what it makes, as FFmpeg names codecs.
        name: FFmpeg's name of it.
        sample_format: what it is fed with.
        rates: sample rates it takes, ascending; empty for any.
        max_channels: more are mixed down to stereo; 0 for any.
        kbits: bit rate per channel for sample rates up to the key, Hz; empty for uncompressed.
        options: further settings.
        overlaps: True when a decoder needs one frame more than there is to give the last one.
        lame_quality: LAME's own library encodes, at this level (2 the best, 7 the fastest); None where FFmpeg does.
    """

    codec: str
    name: str
    sample_format: str
    rates: tuple[int, ...] = ()
    max_channels: int = 0
    kbits: Mapping[int, int] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    overlaps: bool = False
    lame_quality: int | None = None

    def rate_for(self, rate: int) -> int:
        """The sample rate to encode at.

        That of the source, or the next higher one the codec has, or its highest.
        """
        if not self.rates:
            return rate
        return next((offered for offered in self.rates if offered >= rate), self.rates[-1])

    def bit_rate_for(self, rate: int, channels: int) -> int:
        """Bits per second, 0 for uncompressed."""
        per_channel = next((kbits for up_to, kbits in self.kbits.items() if rate <= up_to), 0)
        return per_channel * 1000 * channels


@dataclass(frozen=True, slots=True)
class VideoEncoder:
    """A video encoder.

    Attributes:
        codec: what it makes, as FFmpeg names codecs.
        name: FFmpeg's name of it.
        quantiser: fixed quality in FFmpeg's scale, 0 where `options` set it.
        options: speed and quality.
    """

    codec: str
    name: str
    quantiser: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


_ANY = 10**9
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_AAC_RATES = (7350, *_MP3_RATES, 64000, 88200, 96000)
_WMA_RATES = (8000, 11025, 16000, 22050, 32000, 44100, 48000)
_KBITS = {8000: 32, 16000: 48, 24000: 64, _ANY: 96}

# Levels 7 (LAME) and 5 (Opus): same bit rate and size, twice and 1.3 times the files per second of the defaults. AAC's
# fast coder takes a fifth of the time for 8 kHz speech, and its signal-to-noise ratio is 4 to 6 dB better there.
PCM = AudioEncoder("pcm_s16le", "pcm_s16le", "s16")
MP3 = AudioEncoder("mp3", "libmp3lame", "s16p", _MP3_RATES, 2, _KBITS, lame_quality=7)
OPUS = AudioEncoder(
    "opus",
    "libopus",
    "s16",
    (8000, 12000, 16000, 24000, 48000),
    8,
    {12000: 24, 24000: 32, _ANY: 48},
    {"compression_level": "5"},
)
AAC = AudioEncoder("aac", "aac", "fltp", _AAC_RATES, 8, _KBITS, {"aac_coder": "fast"})
WMA = AudioEncoder("wmav2", "wmav2", "fltp", _WMA_RATES, 2, _KBITS, overlaps=True)

# A screen is text: quality is fixed, not the bit rate. Speed before size: a job waits for its videos. No B frames: with
# pictures seconds apart they make an MP4 claim the wrong length.
H264 = VideoEncoder("h264", "libx264", options={"preset": "veryfast", "crf": "23", "bf": "0"})
VP9 = VideoEncoder("vp9", "libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8", "crf": "31", "b": "0"})
WMV = VideoEncoder("wmv2", "wmv2", quantiser=4)
