"""The tables of error codes and reasons are what the code raises and what the document says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import code_reference
import import_graph
from bulk_export.error_codes import ERROR_CODES, ErrorKind
from bulk_export.reasons import MEANINGS, ItemStatus, Reason
from bulk_export.state.records import RunStatus

PROJECT = Path(__file__).resolve().parents[2]
CLASSES = {kind.raised_as for kind in ErrorKind} - {""}
TABLE = PROJECT / "include/bulk_export/error_codes.py"

# Words of capital letters that are no error codes: a kind of contact, a plan's own mark.
OTHER_WORDS = {*Reason, *RunStatus, "NON_CALL", "SCREEN_ONLY"}
# A variable of docker-compose.yaml.
VARIABLES = {"SAMPLE_CONTACTS"}


@pytest.fixture(scope="module")
def trees() -> dict[Path, ast.Module]:
    return {module.path: module.tree for module in import_graph.read(PROJECT).modules.values() if module.path != TABLE}


def raised(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Class, code and line of every error that is made with a code written out."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        choices = [node.args[0].body, node.args[0].orelse] if isinstance(node.args[0], ast.IfExp) else [node.args[0]]
        if name in CLASSES or name.endswith("Error"):
            yield from (
                (name, choice.value, node.lineno)
                for choice in choices
                if isinstance(choice, ast.Constant) and isinstance(choice.value, str)
                if re.fullmatch(r"[A-Z][A-Z_]+", choice.value)
            )


def words(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every text of capital letters with an underline, such as a code that a table holds, and its line."""
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if isinstance(node, ast.Constant) and re.fullmatch(r"[A-Z]+(_[A-Z]+)+", text):
            yield text, node.lineno


def test_every_code_raised_is_in_the_table_under_the_class_it_is_raised_as(trees: dict[Path, ast.Module]) -> None:
    found = [(path, *error) for path, tree in trees.items() for error in raised(tree)]
    assert len(found) > 50
    wrong = [
        f"{path.relative_to(PROJECT)}:{line} raises {name} {code}"
        for path, name, code, line in found
        if code not in ERROR_CODES or (name in CLASSES and name != ERROR_CODES[code].kind.raised_as)
    ]
    assert wrong == []


def test_a_code_that_comes_from_a_table_is_in_the_table_of_codes(trees: dict[Path, ast.Module]) -> None:
    strange = [
        f"{path.relative_to(PROJECT)}:{line} {word}"
        for path, tree in trees.items()
        for word, line in words(tree)
        if word not in ERROR_CODES and word not in OTHER_WORDS and not is_variable(tree, word)
    ]
    assert strange == []


def is_variable(tree: ast.Module, word: str) -> bool:
    """Whether a word names an environment variable or is the value of a constant of the module."""
    constants = (node.value for node in tree.body if isinstance(node, ast.Assign))
    return word.startswith("BULK_EXPORT_") or any(
        isinstance(value, ast.Constant) and value.value == word for value in constants
    )


def test_every_code_of_the_table_is_used(trees: dict[Path, ast.Module]) -> None:
    used = {node.value for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert [code for code in ERROR_CODES if code not in used] == []


def test_every_reason_has_a_meaning_and_one_that_makes_faulty_or_defers_a_remedy() -> None:
    assert list(MEANINGS) == list(Reason)
    wanting = {ItemStatus.FAULTY, ItemStatus.DEFERRED}
    assert [reason for reason, meaning in MEANINGS.items() if meaning.status in wanting and not meaning.remedy] == []


def test_the_document_is_what_make_docs_writes() -> None:
    page = code_reference.PAGE.read_text(encoding="utf-8")
    assert page == code_reference.codes_page()
    assert [code for code in [*ERROR_CODES, *Reason] if f"| `{code}` |" not in page] == []


@pytest.mark.parametrize("page", [*(PROJECT / "docs").glob("*.md"), *PROJECT.glob("README*.md")], ids=lambda p: p.name)
def test_documents_name_only_codes_that_exist(page: Path, trees: dict[Path, ast.Module]) -> None:
    constants = {name for tree in trees.values() for node in tree.body for name in assigned(node)}
    families = {code.partition("_")[0] for code in ERROR_CODES}
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", page.read_text(encoding="utf-8")))
    known = {*ERROR_CODES, *Reason, *RunStatus, *VARIABLES, *constants}
    assert {word for word in named if word.partition("_")[0] in families} - known == set()


def assigned(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    yield from (target.id for target in targets if isinstance(target, ast.Name))
