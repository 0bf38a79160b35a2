"""Any bytes as a definition file: definitions or problems, never an exception."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bulk_export.definitions.loader import load_definitions
from bulk_export.errors import Problem

_SETTINGS = """\
environment: {name: acme}
licence: {type: standard}
contact_store: {type: parquet, uri: store}
storage_locations: {archive: {type: local, path: exports}}
staging: {type: local, path: staging}
state: {url: "sqlite:///state.db"}
exportable_metadata: [account-key]
"""
_EXPORT = "{name: One, search: one, storage_location: archive, transcripts: json}\n"
_SEARCH = "{name: One, filters: [{field: score, operator: at_least, value: 3}]}\n"
_KINDS = ("settings.yaml", "exports/one.yaml", "searches/one.yaml")

# Memory, where there is a file system in it: a target is run some hundred times a second.
_FOLDER = Path(tempfile.mkdtemp(prefix="definitions-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def run(data: bytes) -> None:
    """The first byte says which file the rest is."""
    kind = data[0] % len(_KINDS) if data else 0
    for place, (name, content) in enumerate(zip(_KINDS, (_SETTINGS, _EXPORT, _SEARCH), strict=True)):
        path = _FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data[1:] if place == kind else content.encode())
    definitions = load_definitions(_FOLDER)
    loaded = (definitions.settings, definitions.exports.get("one"), definitions.searches.get("one"))[kind]
    blocking = [problem for problem in definitions.problems if problem.blocks_loading]
    assert (loaded is None) == any(problem.file == _KINDS[kind] for problem in blocking), blocking
    for problem in definitions.problems:
        assert isinstance(problem, Problem)
        assert problem.message
        assert len(str(problem)) < 20_000
