"""Write the starting files of an installation, over nothing that exists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from bulk_export.definitions.json_schema import MODELS, definition_schema
from bulk_export.errors import DefinitionError
from bulk_export.starter.dag_files import DAG_FILES

DEFINITIONS = "definitions"


@dataclass(frozen=True, slots=True)
class Written:
    """What became of each file, by its path in the folder.

    Attributes:
        written: new ones.
        same: those that were there with this very content.
        kept: those in whose place was something else, which was left as it is.
    """

    written: tuple[str, ...]
    same: tuple[str, ...]
    kept: tuple[str, ...]


def starting_files() -> dict[str, str]:
    """The text of every file, by its path in the folder."""
    definitions = dict(_texts(files("bulk_export.starter").joinpath(DEFINITIONS), DEFINITIONS))
    schemas = {
        f"{DEFINITIONS}/schemas/{kind}.json": json.dumps(definition_schema(kind), indent=2, ensure_ascii=False) + "\n"
        for kind in MODELS
    }
    return {**DAG_FILES, **definitions, **schemas}


def write_starting_files(folder: Path) -> Written:
    """Write every starting file that is not there.

    Args:
        folder: made where it is missing.

    Raises:
        DefinitionError: DIRECTORY_UNWRITABLE; what was written until then stays, and doing it again goes on.
    """
    written, same, kept = [], [], []
    for name, text in starting_files().items():
        try:
            if _write_new(folder / name, text):
                written.append(name)
            elif (folder / name).is_file() and (folder / name).read_bytes() == text.encode():
                same.append(name)
            else:
                kept.append(name)
        except OSError as error:
            raise DefinitionError(
                "DIRECTORY_UNWRITABLE",
                f"{folder / name} cannot be written: {error.strerror}",
                hint="Name a folder that you may write to.",
            ) from error
    return Written(tuple(written), tuple(same), tuple(kept))


def _write_new(path: Path, text: str) -> bool:
    """Write a file that is not there, whole or not at all; False where something of its name is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Neither follows nor replaces a link.
        stream = path.open("x", encoding="utf-8", newline="\n")
    except FileExistsError:
        return False
    try:
        with stream:
            stream.write(text)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return True


def _texts(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    """The definitions in the package, by their path in the folder."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _texts(entry, name)
        elif name.endswith(".yaml"):
            yield name, entry.read_text(encoding="utf-8")
