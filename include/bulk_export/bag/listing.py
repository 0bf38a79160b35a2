"""Compare a manifest with what is stored, by merging two listings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain

# A key and its size in bytes.
Listed = tuple[str, int]


class Difference(StrEnum):
    """How a key differs between the two listings.

    | named | stored         | difference |
    |---|---|---|
    | yes   | of that size   | none       |
    | yes   | of another     | MISSING    |
    | yes   | no             | MISSING    |
    | no    | yes            | STRAY      |
    """

    MISSING = "missing"
    STRAY = "stray"


def differences(named: Iterable[Listed], stored: Iterable[Listed]) -> Iterator[tuple[Difference, str]]:
    """Every key that differs, in key order.

    One key of each listing is in memory.

    Args:
        named: keys with the sizes they must have, each once, in ascending order.
        stored: keys with the sizes they have, likewise.

    Raises:
        ValueError: a listing is not in ascending order, so that nothing can be concluded from it.
    """
    left, right = _ascending(named), _ascending(stored)
    wanted, found = next(left, None), next(right, None)
    while wanted is not None and found is not None:
        if wanted[0] < found[0]:
            yield Difference.MISSING, wanted[0]
            wanted = next(left, None)
        elif found[0] < wanted[0]:
            yield Difference.STRAY, found[0]
            found = next(right, None)
        else:
            if wanted[1] != found[1]:
                yield Difference.MISSING, wanted[0]
            wanted, found = next(left, None), next(right, None)
    yield from ((Difference.MISSING, key) for key, _ in _with_first(wanted, left))
    yield from ((Difference.STRAY, key) for key, _ in _with_first(found, right))


def _with_first(first: Listed | None, rest: Iterator[Listed]) -> Iterator[Listed]:
    return rest if first is None else chain([first], rest)


def _ascending(listed: Iterable[Listed]) -> Iterator[Listed]:
    previous = None
    for key, size in listed:
        if previous is not None and key <= previous:
            raise ValueError(f"{key} is listed after {previous}")
        yield key, size
        previous = key
