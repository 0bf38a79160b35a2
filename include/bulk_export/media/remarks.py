"""Remarks on a file that was made, for its receiver."""

from __future__ import annotations

from bulk_export.media.plan import Probed

_STEREO = 2


def remarks(audio: Probed | None, screen: Probed | None) -> str:
    """What the receiver would not expect of the file, empty for nothing."""
    said = []
    for name, stored in (("audio", audio), ("screen", screen)):
        if stored is None:
            continue
        if stored.understated:
            said.append(f"{name}: longer than its header says, converted to its end")
        if stored.audio_tracks > 1 and (name == "audio" or audio is None):
            said.append(f"{name}: {_mixture(stored)}")
    return "; ".join(said)


def _mixture(stored: Probed) -> str:
    if stored.audio_tracks == _STEREO and stored.mono:
        return "2 audio tracks, one on each channel"
    return f"{stored.audio_tracks} audio tracks mixed"
