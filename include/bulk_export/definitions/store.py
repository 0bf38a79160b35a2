"""Read, save and delete definition files for the pages.

Never over an edit that the person who saves has not seen.

A file's ETag is the SHA-256 of its bytes. Whoever saves says which one they have seen; if the file is another by then,
nothing is written and the error holds both versions. A file is replaced whole or not at all, keeps its comments and
the keys a form does not know, and is checked before it takes the place of the old one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from bulk_export.definitions.definition_file import (
    MAX_BYTES,
    UnreadableDefinitionError,
    definition_files,
    read_definition,
    too_long,
)
from bulk_export.definitions.messages import problems_of
from bulk_export.definitions.models import SavedExport, SavedSearch
from bulk_export.definitions.safe_names import safe_name
from bulk_export.definitions.yaml_edit import edit_yaml
from bulk_export.definitions.yaml_file import parse_yaml, shown_name
from bulk_export.errors import BulkExportError, DefinitionError, Problem, RefusedError

Kind = Literal["searches", "exports"]

_MODELS: Mapping[str, type[SavedExport] | type[SavedSearch]] = {"exports": SavedExport, "searches": SavedSearch}
_MAX_ID = 60


@dataclass(frozen=True, slots=True)
class Source:
    """A definition file as it is now.

    Attributes:
        kind: `searches` or `exports`.
        id: the file's stem.
        text: its content.
        etag: SHA-256 of its bytes, in hex digits.
    """

    kind: Kind
    id: str
    text: str
    etag: str


class UnseenEditError(RefusedError):
    """Somebody else changed the file meanwhile; nothing was written.

    Attributes:
        versions: `theirs`, what is in the file now (empty when it is gone), its `etag`, and `mine`, what would
            have been written.
    """

    def __init__(self, name: str, theirs: Source | None, mine: str) -> None:
        super().__init__(
            "EDIT_UNSEEN",
            f"{name} was changed by somebody else since you opened it" if theirs else f"{name} was deleted meanwhile",
            hint="Look at both versions; save again to put yours in place of theirs, or load theirs.",
        )
        self.versions = {"theirs": theirs.text if theirs else "", "etag": theirs.etag if theirs else "", "mine": mine}


class DefinitionStore:
    """The files of one definitions folder.

    Args:
        folder: holds `searches/` and `exports/`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ids(self, kind: Kind) -> list[str]:
        """Stems of all files of a kind, loadable or not, sorted."""
        try:
            names = definition_files(self._folder, kind)
        except UnreadableDefinitionError:
            return []  # loading the definitions says why
        return [shown_name(name.removesuffix(".yaml")) for name in names if name.endswith(".yaml")]

    def read(self, kind: Kind, id: str) -> Source:
        """A file; `DefinitionError` DEFINITION_UNKNOWN when there is none."""
        found = self._found(kind, id)
        if found is None:
            raise DefinitionError("DEFINITION_UNKNOWN", f"there is no file {kind}/{id}.yaml")
        return found

    def writable(self, kind: Kind) -> bool:
        """Whether files can be written here.

        False where git or an administrator manages the folder.
        """
        folder = self._folder / kind
        return os.access(folder if folder.exists() else self._folder, os.W_OK | os.X_OK)

    def free_id(self, kind: Kind, name: str) -> str:
        """An id made from a name that no file has yet."""
        word = safe_name(name, kind.removesuffix("es") if kind == "searches" else "export").lower().replace(".", "-")
        stem = word[:_MAX_ID].strip("-_") or "export"
        taken, number, found = set(self.ids(kind)), 1, stem
        while found in taken:
            number += 1
            found = f"{stem}-{number}"
        return found

    def save(self, kind: Kind, id: str, changes: Mapping[str, object], *, seen: str | None) -> Source:
        """Write a new file, or change keys of an existing one.

        Args:
            kind: of definition.
            id: the file's stem.
            changes: what the keys shall be; None takes a key away, keys not given stay. A mapping inside is taken the
                same way.
            seen: ETag of the version the changes were made on; None for a file that must not exist yet.

        Raises:
            UnseenEditError: the file has another ETag, or is gone.
            DefinitionError: DEFINITION_INVALID with every problem; nothing is written.
            RefusedError: READ_ONLY, or ALREADY_EXISTS for a new file whose id is taken.
        """
        name = f"{kind}/{id}.yaml"
        with self._locked(kind):
            present = self._found(kind, id)
            if seen is None and present is not None:
                raise RefusedError("ALREADY_EXISTS", f"there is a file {name} already", hint="Choose another name.")
            text = edit_yaml(present.text if present else "", changes)
            if seen is not None and (present is None or present.etag != seen):
                raise UnseenEditError(name, present, text)
            self._write(kind, id, text)
        return self.read(kind, id)

    def delete(self, kind: Kind, id: str, *, seen: str) -> None:
        """Remove a file; raises as `save` does."""
        with self._locked(kind):
            present = self.read(kind, id)
            if present.etag != seen:
                raise UnseenEditError(f"{kind}/{id}.yaml", present, "")
            self._path(kind, id).unlink()

    def _path(self, kind: Kind, id: str) -> Path:
        path = self._folder / kind / f"{id}.yaml"
        # An id comes from an address: it must name a file of this very folder.
        if not id or path.parent != self._folder / kind or Path(id).name != id or id[0] == "." or "\0" in id:
            raise DefinitionError("DEFINITION_UNKNOWN", f"there is no file {kind}/{id}.yaml")
        return path

    def _found(self, kind: Kind, id: str) -> Source | None:
        try:
            content = read_definition(self._folder, f"{kind}/{self._path(kind, id).name}")
        except FileNotFoundError:
            return None
        except UnreadableDefinitionError as error:
            raise DefinitionError(
                "DEFINITION_UNREADABLE", f"{kind}/{id}.yaml {error}", hint="Put a file of its own there, or delete it."
            ) from error
        return Source(kind, id, content.decode("utf-8", errors="replace"), hashlib.sha256(content).hexdigest())

    @contextmanager
    def _locked(self, kind: Kind) -> Iterator[None]:
        """Nobody else who saves through a store does so meanwhile, in whatever process."""
        folder = self._folder / kind
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            raise _read_only(folder, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise _read_only(folder, error) from error
        finally:
            os.close(handle)

    def _write(self, kind: Kind, id: str, text: str) -> None:
        path, name = self._path(kind, id), f"{kind}/{id}.yaml"
        content = text.encode()
        if problems := _problems(content, name, kind, id):
            raise _invalid(name, problems)
        temporary = path.with_name(f".{id}.yaml.part")
        # What a killed process left, or somebody put there to be written through.
        temporary.unlink(missing_ok=True)
        try:
            with temporary.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            if path.exists():
                temporary.chmod(path.stat().st_mode)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _problems(content: bytes, name: str, kind: Kind, id: str) -> list[Problem]:
    """What keeps a file from loading."""
    if len(content) > MAX_BYTES:
        return [Problem(name, 0, "", too_long(len(content)))]
    file = parse_yaml(content, name)
    if file.problems:
        return list(file.problems)
    if not isinstance(file.value, dict):
        return [Problem(name, 1, "", "must be a mapping of keys to values")]
    values: dict[str, Any] = file.value | {"id": id}
    try:
        _MODELS[kind].model_validate(values)
    except ValidationError as error:
        return problems_of(error, _MODELS[kind], file, name)
    return []


def _invalid(name: str, problems: list[Problem]) -> BulkExportError:
    return DefinitionError(
        "DEFINITION_INVALID",
        f"{name} would not load, so it was not saved",
        hint="Put right what is named above.",
        problems=problems,
    )


def _read_only(folder: Path, error: OSError) -> RefusedError:
    return RefusedError(
        "READ_ONLY",
        f"nothing can be written in {folder}: {error.strerror}",
        hint="The definitions are managed elsewhere, such as in git: make the change there.",
    )
