"""The faults real stores have, for a few contacts.

A store that is asked to be dirty gives one to each of a few percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bulk_export_sample.randomness import DIRT_STEP, Flags, evenly
from bulk_export_sample.traits import Traits

_DIRTY_SHARE = 0.08
_TRUNCATED_SHARE = 0.4  # of a file's bytes are left
CONTROL_CHARACTERS = "\x00\x0b\x1b"
_DIRTY_COLUMNS = ("subject", "external_party", "reason", "text")


class Fault(StrEnum):
    """What is wrong with a contact."""

    AUDIO_MISSING = "audio missing"
    AUDIO_EMPTY = "audio empty"
    AUDIO_TRUNCATED = "audio truncated"
    AUDIO_NOT_MEDIA = "audio is a web page"
    SCREEN_MISSING = "screen missing"
    SCREEN_TRUNCATED = "screen truncated"
    TRANSCRIPT_MISSING = "transcript missing"
    TRANSCRIPT_TRUNCATED = "transcript truncated"
    TRANSCRIPT_FOREIGN = "transcript of another format"
    CONTROL_CHARACTERS = "control characters"


_ON_AUDIO = (Fault.AUDIO_MISSING, Fault.AUDIO_EMPTY, Fault.AUDIO_TRUNCATED, Fault.AUDIO_NOT_MEDIA)
_ON_SCREEN = (Fault.SCREEN_MISSING, Fault.SCREEN_TRUNCATED)
_ON_TRANSCRIPT = (Fault.TRANSCRIPT_MISSING, Fault.TRANSCRIPT_TRUNCATED, Fault.TRANSCRIPT_FOREIGN)
_MISSING = frozenset({Fault.AUDIO_MISSING, Fault.SCREEN_MISSING, Fault.TRANSCRIPT_MISSING})
_TRUNCATED = frozenset({Fault.AUDIO_TRUNCATED, Fault.SCREEN_TRUNCATED, Fault.TRANSCRIPT_TRUNCATED})


def draw_faults(seed: int, traits: Traits, *, transcripts: bool) -> dict[int, Fault]:
    """The fault of each dirty contact, by place in the batch.

    Each kind of fault comes in turn.
    """
    chosen = np.flatnonzero(evenly(traits.first, traits.started_s.size, DIRT_STEP, seed) < _DIRTY_SHARE)
    faults: dict[int, Fault] = {}
    used = dict.fromkeys(Fault, 0)
    for place in chosen.tolist():
        possible = [
            *(_ON_AUDIO if traits.has_audio[place] else ()),
            *(_ON_SCREEN if traits.has_screen[place] else ()),
            *(_ON_TRANSCRIPT if transcripts and traits.has_text[place] else ()),
            Fault.CONTROL_CHARACTERS,
        ]
        fault = min(possible, key=lambda each: used[each])
        used[fault] += 1
        faults[place] = fault
    return faults


def spoil(fault: Fault | None, *, audio: Path | None, screen: Path | None, transcript: Path | None) -> None:
    """Do to a contact's whole files what its fault says."""
    if fault is None or fault is Fault.CONTROL_CHARACTERS:
        return
    path = audio if fault in _ON_AUDIO else screen if fault in _ON_SCREEN else transcript
    if path is None:
        return
    if fault in _MISSING:
        path.unlink()
    elif fault in _TRUNCATED:
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * _TRUNCATED_SHARE)])
    elif fault is Fault.AUDIO_EMPTY:
        path.write_bytes(b"")
    elif fault is Fault.AUDIO_NOT_MEDIA:
        path.write_bytes(b"<!doctype html><title>503</title><p>The recording service is not available.</p>\n")
    elif fault is Fault.TRANSCRIPT_FOREIGN:
        path.write_bytes(b'{"version": 3, "utterances": []}\n')


def soil_columns(columns: Mapping[str, pa.Array], faults: Mapping[int, Fault]) -> dict[str, pa.Array]:
    """The columns, with control characters where that is the fault."""
    count = len(columns["contact_id"])
    dirty: Flags = np.zeros(count, dtype=np.bool_)
    dirty[[place for place, fault in faults.items() if fault is Fault.CONTROL_CHARACTERS]] = True
    soiled = {
        name: pc.if_else(
            pa.array(dirty),
            pc.binary_join_element_wise(columns[name], pa.scalar(CONTROL_CHARACTERS), pa.scalar("."), ""),
            columns[name],
        )
        for name in _DIRTY_COLUMNS
    }
    return {**columns, **soiled}
