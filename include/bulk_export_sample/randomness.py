"""Independent random streams, all from one seed.

One per purpose and batch or contact.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Stream(IntEnum):
    """What a stream of random numbers is for. Renumbering changes every store."""

    MOMENTS = 1
    TRAITS = 2
    TALK = 3
    COLUMNS = 4
    TRANSCRIPT = 5
    SOUND = 6
    SCREEN = 7
    BULK = 8
    OBJECTS = 9


# Square roots that are independent over the rationals: traits spread by different ones do not go together.
TYPE_STEP = 5**0.5 % 1
ROOT_STEP = 2**0.5 % 1
RECYCLED_STEP = 3**0.5 % 1
DIRT_STEP = 7**0.5 % 1
MOOD_STEP = 11**0.5 % 1


def generator(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """The random numbers of one batch or contact for one purpose."""
    return np.random.default_rng((seed, int(stream), number))


def evenly(first: int, count: int, step: float, seed: int) -> Floats:
    """Numbers from 0 to 1 that fill the range evenly.

    For contacts `first` to `first + count`.

    Unlike dice, any few hundred neighbours hold every share of at least a percent (a Kronecker sequence), so that
    a small store has all contact types too.
    """
    phase = (seed % 1_000_003) * 0.618033988749895
    return (np.arange(first, first + count, dtype=np.float64) * step + phase) % 1.0
