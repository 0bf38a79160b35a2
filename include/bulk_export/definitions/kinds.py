"""Registries of kinds, and settings models that ask them.

A registry is asked while a file is validated or a schema is written, never before: a kind that is registered later is
in everything that is derived from it.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from bulk_export.definitions.values import Model, Text
from bulk_export.suggestions import did_you_mean


class KindSettings(Model):
    """Settings of a place that contacts come from or exports go to.

    A subclass made with `any_kind=True` stands for every registered kind: a field of its type takes what any of them
    takes. The subclasses of that are the settings of one kind each, whose `type` is its name.
    """

    any_kind: ClassVar[bool] = False

    pool: Text | None = Field(
        None,
        description="Airflow pool whose slots bound how many tasks of all exports work with it at once; the pool has "
        "to exist.",
        examples=["archive"],
    )
    type: str

    def __init_subclass__(cls, *, any_kind: bool = False, **config: Any) -> None:
        super().__init_subclass__(**config)
        cls.any_kind = any_kind

    @classmethod
    def alternatives(cls) -> Models:
        """The models it stands for: of every registered kind, or itself."""
        return (cls,)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls._validated) if cls.any_kind else handler(source)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(_union(cls.alternatives()).core_schema if cls.any_kind else schema)

    @classmethod
    def _validated(cls, value: object) -> object:
        return _union(cls.alternatives()).validate_python(value)


# Not inside of the class, where `type` is the field.
Models: TypeAlias = tuple[type[KindSettings], ...]


@cache
def _union(models: Models) -> TypeAdapter[Any]:
    any_of: Any = reduce(or_, models)
    return TypeAdapter(Annotated[any_of, Field(discriminator="type")])


class Kind(Protocol):
    """An entry of a registry."""

    @property
    def name(self) -> str:
        """The `type` in settings.yaml."""
        ...

    @property
    def settings(self) -> type[KindSettings]:
        """Its settings."""
        ...


K = TypeVar("K", bound=Kind)


class Kinds(Generic[K]):
    """Kinds of one thing, by name, in the order of registration.

    Args:
        what: what they are kinds of, for messages.
        kinds: those that the product brings.
    """

    def __init__(self, what: str, kinds: Iterable[K]) -> None:
        self._what = what
        self._kinds: dict[str, K] = {}
        for kind in kinds:
            self.register(kind)

    def register(self, kind: K) -> None:
        """Add a kind.

        Raises:
            ValueError: its name is taken, or is not the `type` of its settings.
        """
        if kind.name in self._kinds:
            raise ValueError(f"the {self._what} kind '{kind.name}' is registered already")
        if typing.get_args(kind.settings.model_fields["type"].annotation) != (kind.name,):
            raise ValueError(f"{kind.settings.__name__}.type must be Literal['{kind.name}']")
        self._kinds[kind.name] = kind

    @contextmanager
    def registered(self, kind: K) -> Iterator[None]:
        """Have a kind for the length of a block."""
        self.register(kind)
        try:
            yield
        finally:
            del self._kinds[kind.name]

    def __iter__(self) -> Iterator[K]:
        return iter(tuple(self._kinds.values()))

    def __getitem__(self, name: str) -> K:
        """The kind of that name; `LookupError` with the nearest valid name."""
        if name not in self._kinds:
            hint = did_you_mean(name, self._kinds) or f" There are: {', '.join(self._kinds)}."
            raise LookupError(f"there is no {self._what} kind '{name}'.{hint}")
        return self._kinds[name]

    def models(self) -> Models:
        """The settings of every kind."""
        return tuple(kind.settings for kind in self)
