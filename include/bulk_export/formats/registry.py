"""A registry of formats by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Format(Protocol):
    """An entry of a registry."""

    @property
    def key(self) -> str:
        """Its name in definitions."""
        ...


F = TypeVar("F", bound=Format)


class FormatRegistry(Generic[F]):
    """The formats of one thing, in the order they were registered.

    Args:
        what: what they are formats of, for messages.
        formats: those that the product brings.
    """

    def __init__(self, what: str, formats: Iterable[F]) -> None:
        self._what = what
        self._formats: dict[str, F] = {}
        for format in formats:
            self.register(format)

    def register(self, format: F) -> None:
        """Add a format; `ValueError` when its key is taken."""
        if format.key in self._formats:
            raise ValueError(f"the {self._what} format '{format.key}' is registered already")
        self._formats[format.key] = format

    @contextmanager
    def registered(self, format: F) -> Iterator[None]:
        """Have a format for the length of a block."""
        self.register(format)
        try:
            yield
        finally:
            del self._formats[format.key]

    def __iter__(self) -> Iterator[F]:
        return iter(tuple(self._formats.values()))

    def __getitem__(self, key: str) -> F:
        """The format of that key; `LookupError` names it and those there are."""
        if key not in self._formats:
            raise LookupError(f"there is no {self._what} format '{key}'. There are: {', '.join(self._formats)}.")
        return self._formats[key]
