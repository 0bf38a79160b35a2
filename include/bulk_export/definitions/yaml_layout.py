"""Keep a text's layout through a YAML writer.

The writer has a layout of its own. Lines only; `yaml_edit.py` knows YAML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher


def with_layout_of(text: str, written: str, changed: str) -> str:
    """The text with the lines replaced that a change has changed.

    Args:
        text: as somebody wrote it.
        written: the same as the writer writes it.
        changed: the same with the change, as the writer writes it.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    theirs, plain, ours = text.split(newline), written.split("\n"), changed.split("\n")
    found: list[str] = []
    start = (0, 0, 0)
    for place in _in_all(theirs, plain, ours):
        between = [lines[begin:end] for lines, begin, end in zip((theirs, plain, ours), start, place, strict=True)]
        found += _merged(*between)
        found += theirs[place[0] : place[0] + 1]
        start = (place[0] + 1, place[1] + 1, place[2] + 1)
    return newline.join(found)


def _merged(theirs: list[str], plain: list[str], ours: list[str]) -> list[str]:
    """Lines between two that all have: theirs where the change adds at most before or after them."""
    if ours[: len(plain)] == plain:
        return theirs + ours[len(plain) :]
    if ours[-len(plain) :] == plain:
        return ours[: -len(plain)] + theirs
    return ours


def _in_all(theirs: Sequence[str], plain: Sequence[str], ours: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Positions of each line that all three have, in order; then the ends of all."""
    # The writer changes spaces, and little else.
    squeezed = [["".join(line.split()) for line in lines] for lines in (plain, theirs)]
    in_theirs, in_ours = dict(_same_lines(*squeezed)), dict(_same_lines(plain, ours))
    for number in sorted(in_theirs.keys() & in_ours.keys()):
        yield in_theirs[number], number, in_ours[number]
    yield len(theirs), len(plain), len(ours)


def _same_lines(some: Sequence[str], others: Sequence[str]) -> Iterator[tuple[int, int]]:
    for block in SequenceMatcher(None, some, others).get_matching_blocks():
        yield from ((block.a + number, block.b + number) for number in range(block.size))
