"""Numbers of bytes as people say them."""

from __future__ import annotations

from collections.abc import Callable

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def _english(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def size_text(size: float, number: Callable[[float, int], str] = _english) -> str:
    """`512 bytes`, `1.5 MB`: decimal units, one digit after the point.

    Args:
        size: bytes.
        number: writes a number with so many digits after the point, such as in another language.
    """
    power = 0
    while size >= 1000 and power < len(_UNITS) - 1:
        size, power = size / 1000, power + 1
    return f"{number(size, 1 if power else 0)} {_UNITS[power]}"
