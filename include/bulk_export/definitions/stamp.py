"""Write `effective_from` into saved exports edited by hand: the moment from which their schedule counts.

Without it no past tick ever runs; with it a first run that falls before the next refresh starts late instead of never.
Comments and layout of the file stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bulk_export.definitions.loader import Definitions


def stamp(definitions: Definitions, now: datetime) -> Iterator[Path]:
    """Date every scheduled export that lacks `effective_from`; yields the files written."""
    for export in definitions.exports.values():
        if export.schedule is not None and export.effective_from is None:
            path = definitions.folder / "exports" / f"{export.id}.yaml"
            write_key(path, "effective_from", now.replace(microsecond=0).isoformat().replace("+00:00", "Z"))
            yield path


def write_key(path: Path, key: str, value: str) -> None:
    """Set a top-level key of a YAML file, keeping comments; the file is replaced whole or not at all."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    with path.open(encoding="utf-8") as stream:
        document = yaml.load(stream)
    document[key] = value
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", encoding="utf-8") as stream:
        yaml.dump(document, stream)
    Path(temporary).replace(path)
