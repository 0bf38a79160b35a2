"""Every error of the package ends in an exit code that somebody has decided on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import bulk_export
import bulk_export_sample
from bulk_export.cli.exit_codes import BAD_DEFINITIONS, FAILED, exit_code

# Raised as a DefinitionError because a retry cannot help; no definition and no argument is at fault.
NOT_THE_CALLERS = {
    "CONNECTION_UNSUPPORTED",
    "DIRECTORY_UNWRITABLE",
    "STATE_DRIVER_MISSING",
    "STATE_INVALID",
    "STATE_NOT_MIGRATED",
    "STATE_TOO_NEW",
    "STORE_DRIVER_MISSING",
    "STORE_INVALID",
    "STORE_UNSUPPORTED",
}


def codes(kind: str) -> set[str]:
    """The codes that errors of a class are raised with, as the sources say them."""
    return {
        code
        for package in (bulk_export, bulk_export_sample)
        for path in Path(package.__file__).parent.rglob("*.py")
        for code in _codes_in(ast.parse(path.read_text(encoding="utf-8")), kind)
    }


def _codes_in(tree: ast.AST, kind: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == kind:
            yield from (code.value for code in node.args[:1] if isinstance(code, ast.Constant))  # type: ignore[misc]


@pytest.mark.slow
def test_what_somebody_wrote_or_typed_ends_in_two_and_everything_else_in_one() -> None:
    written = codes("DefinitionError")
    assert written >= NOT_THE_CALLERS
    assert {code for code in written if exit_code(code) == FAILED} == NOT_THE_CALLERS
    for kind in ("RefusedError", "TransientError", "BulkExportError"):
        assert codes(kind), kind
        assert {code for code in codes(kind) if exit_code(code) != FAILED} == set(), kind


@pytest.mark.parametrize("code", ["SEARCH_UNKNOWN", "STORAGE_UNKNOWN", "FILTER_INCOMPLETE"])
def test_what_keeps_an_export_from_running_is_a_bad_definition(code: str) -> None:
    assert exit_code(code) == BAD_DEFINITIONS


def test_a_run_that_stopped_without_a_code_has_failed() -> None:
    assert exit_code("") == FAILED
