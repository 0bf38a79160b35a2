"""What `init` writes loads without a problem, and nothing that is there is touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bulk_export.cli import DEFINITION_KINDS, main
from bulk_export.cli.exit_codes import BAD_DEFINITIONS, DONE, FAILED, WITH_ERRORS
from bulk_export.definitions.json_schema import MODELS
from bulk_export.definitions.loader import load_definitions
from bulk_export.errors import DefinitionError
from bulk_export.starter.dag_files import DAG_FILES
from bulk_export.starter.write import starting_files, write_starting_files

PROJECT = Path(__file__).resolve().parents[3]


def test_a_new_folder_gets_every_file_and_its_definitions_load_without_a_problem(tmp_path: Path) -> None:
    done = write_starting_files(tmp_path / "a/b")
    assert set(done.written) == set(starting_files())
    assert {str(path.relative_to(tmp_path / "a/b")) for path in (tmp_path / "a/b").rglob("*.*")} == set(done.written)
    definitions = load_definitions(tmp_path / "a/b/definitions")
    assert definitions.problems == ()
    assert (set(definitions.exports), set(definitions.searches)) == ({"first-export"}, {"last-30-days"})


def test_the_dag_files_are_those_of_the_checkout_with_the_definitions_beside_them() -> None:
    assert set(DAG_FILES) == {path.name for path in (PROJECT / "dags").glob("*.py")}
    for name, text in DAG_FILES.items():
        [own] = re.findall(r"^from bulk_export_airflow.*$", (PROJECT / "dags" / name).read_text(), re.M)
        assert own in text.splitlines()
        compile(text, name, "exec")


def test_each_definition_names_a_schema_that_is_written_beside_it(tmp_path: Path) -> None:
    write_starting_files(tmp_path)
    files = list((tmp_path / "definitions").rglob("*.yaml"))
    assert len(files) == 3
    for path in files:
        [schema] = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", path.read_text(), re.M)
        assert (path.parent / schema).is_file()
    assert tuple(MODELS) == DEFINITION_KINDS


def test_written_again_everything_is_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == DONE
    assert main(["init", str(tmp_path)]) == DONE
    assert "0 files written" in capsys.readouterr().out
    assert set(write_starting_files(tmp_path).same) == set(starting_files())


@pytest.mark.parametrize("name", ["definitions/settings.yaml", "saved_exports.py"])
def test_a_file_of_somebodys_own_is_left_as_it_is_and_named(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("# mine\n")
    assert main(["init", str(tmp_path)]) == WITH_ERRORS
    assert (tmp_path / name).read_text() == "# mine\n"
    assert capsys.readouterr().out.splitlines()[-1] == f"  {name}"
    assert (tmp_path / "broken_definitions.py").is_file()


def test_a_link_is_neither_followed_nor_replaced(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags/saved_exports.py").symlink_to(tmp_path / "elsewhere.py")
    assert write_starting_files(tmp_path / "dags").kept == ("saved_exports.py",)
    assert not (tmp_path / "elsewhere.py").exists()


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DefinitionError, match=r"file/saved_exports.py cannot be written: File exists"):
        write_starting_files(tmp_path / "file")
    assert main(["init", str(tmp_path / "file")]) == FAILED


def test_without_a_definitions_folder_the_command_line_says_how_to_name_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--definitions", str(tmp_path / "none"), "validate"]) == BAD_DEFINITIONS
    assert "BULK_EXPORT_DEFINITIONS" in capsys.readouterr().err


@pytest.mark.parametrize("kind", DEFINITION_KINDS)
def test_each_kind_of_definition_has_a_schema_of_its_own(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", kind]) == DONE
    assert capsys.readouterr().out.strip() == starting_files()[f"definitions/schemas/{kind}.json"].strip()
