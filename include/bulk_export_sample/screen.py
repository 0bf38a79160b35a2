"""Draw a made-up agent desktop.

A form being filled in, a pointer, the contact's id and a running clock.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bulk_export_sample.encode import Image

FRAMES_PER_S = 5
SIZES = ((320, 180), (320, 180), (320, 180), (426, 240), (426, 240), (640, 360))
_DESIGN_HEIGHT = 180
_WHITE, _INK, _GREY = (250, 250, 248), (30, 34, 42), (205, 208, 214)
# Signs of 3 by 5 dots, row by row.
_GLYPHS = {
    "0": "111 101 101 101 111",
    "1": "010 110 010 010 111",
    "2": "111 001 111 100 111",
    "3": "111 001 111 001 111",
    "4": "101 101 111 001 001",
    "5": "111 100 111 001 111",
    "6": "111 100 111 101 111",
    "7": "111 001 010 010 010",
    "8": "111 101 111 101 111",
    "9": "111 101 111 001 111",
    ":": "000 010 000 010 000",
    ".": "000 000 000 000 010",
}
_GLYPH_WIDTH = 3


def desktop(contact_id: int, talk_ms: int, size: tuple[int, int], rng: np.random.Generator) -> Iterator[Image]:
    """The frames of a screen recording, 5 a second.

    It lasts `talk_ms`; `size` is (width, height).
    """
    width, height = size
    scale = height // _DESIGN_HEIGHT
    theme = tuple(int(each) for each in rng.integers(40, 200, 3))
    window = (int(width * rng.uniform(0.06, 0.2)), int(height * rng.uniform(0.1, 0.2)))
    rows = [int(each) for each in rng.integers(40, 150, 7)]
    speed = rng.uniform(1.5, 4.0)
    frames = max(2, talk_ms * FRAMES_PER_S // 1_000)
    background = np.empty((height, width, 3), np.uint8)
    shade = np.linspace(0.6, 1.0, height)[:, None]
    background[:] = (shade * np.array(theme))[:, None, :].astype(np.uint8)
    write_digits(background, str(contact_id), 6 * scale, 4 * scale, 2 * scale, _WHITE)
    for number in range(frames):
        image = background.copy()
        left, top = window[0] + int(number * speed * scale), window[1]
        _window(image, left, top, scale, theme, rows, number)
        clock = f"00:{number // FRAMES_PER_S:02}.{number % FRAMES_PER_S * (10 // FRAMES_PER_S)}"
        write_digits(image, clock, width - 62 * scale, 4 * scale, 2 * scale, _WHITE)
        done = (number + 1) * (width - 12 * scale) // frames
        _box(image, 6 * scale, height - 8 * scale, done, 4 * scale, (90, 220, 130))
        swing = number / frames * 2 * np.pi
        x, y = int(width * (0.5 + 0.35 * np.cos(swing))), int(height * (0.55 + 0.3 * np.sin(2 * swing)))
        _pointer(image, x, y, scale)
        yield image


def write_digits(image: Image, text: str, left: int, top: int, dot: int, colour: tuple[int, int, int]) -> None:
    """Write digits, colons and points with dots of `dot` pixels."""
    for place, sign in enumerate(text):
        for row, dots in enumerate(_GLYPHS[sign].split()):
            for column in (column for column, bit in enumerate(dots) if bit == "1"):
                x = left + (place * (_GLYPH_WIDTH + 1) + column) * dot
                _box(image, x, top + row * dot, dot, dot, colour)


def _window(
    image: Image, left: int, top: int, scale: int, theme: tuple[int, ...], rows: list[int], number: int
) -> None:
    """A form whose lines fill up one after the other."""
    _box(image, left, top, 200 * scale, 130 * scale, _WHITE)
    _box(image, left, top, 200 * scale, 12 * scale, (theme[2], theme[0], theme[1]))
    for row, length in enumerate(rows):
        line = top + (20 + row * 15) * scale
        active = number // 3 % len(rows) == row
        _box(image, left + 8 * scale, line, 34 * scale, 7 * scale, _GREY)
        _box(image, left + 48 * scale, line, length * scale, 7 * scale, (255, 214, 90) if active else _GREY)
        typed = min(length, max(0, (number - row * 3) * 12))
        _box(image, left + 50 * scale, line + 2 * scale, typed * scale, 3 * scale, _INK)


def _pointer(image: Image, x: int, y: int, scale: int) -> None:
    for step in range(10):
        _box(image, x, y + step * scale, (step // 2 + 1) * scale + scale, scale, _INK)
        _box(image, x + scale // 2, y + step * scale, max(1, step // 2 * scale), scale, _WHITE)


def _box(image: Image, left: int, top: int, width: int, height: int, colour: tuple[int, int, int]) -> None:
    """Fill a rectangle; what is outside the picture is cut off."""
    image[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)] = colour
