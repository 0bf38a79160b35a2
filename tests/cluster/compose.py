"""Read docker-compose.yaml as its engine would, and run its services as processes of this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# ${NAME}, ${NAME:-default}, ${NAME:?message}, and $$ for a dollar sign.
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


@dataclass(frozen=True, slots=True)
class Service:
    """What the engine would start: a command and its environment."""

    command: tuple[str, ...]
    environment: Mapping[str, str]


def services(file: Path, variables: Mapping[str, str], places: Mapping[str, str]) -> dict[str, Service]:
    """Every service with a command of its own.

    Args:
        file: docker-compose.yaml.
        variables: what `.env` would say.
        places: what stands in this machine's place of the containers' folders and addresses.
    """
    content = yaml.safe_load(file.read_text())

    def here(value: object) -> str:
        text = "" if value is None else str(value)
        for there, place in places.items():
            text = text.replace(there, place)
        return _interpolated(text, variables)  # last: a password may contain anything

    return {
        name: Service(
            tuple(here(word) for word in service["command"]),
            {key: here(value) for key, value in service.get("environment", {}).items()},
        )
        for name, service in content["services"].items()
        if "command" in service
    }


def _interpolated(text: str, variables: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if name is None:
            return "$"
        if given := variables.get(name):
            return given
        if kind == "-":
            return str(rest)
        raise KeyError(f"{name}: {rest or 'is not set'}")

    return _VARIABLE.sub(value, text)


def read(file: Path) -> dict[str, Any]:
    """The file as it stands."""
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content
