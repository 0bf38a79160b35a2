"""Delivered transcripts meet their schemas for validators not written here, and a wrong one does not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest
import xmlschema
from hostile import HOSTILE
from workbench import Workbench, transcript_of

from bulk_export.transcripts.schemas import JSON_SCHEMA, XSD, schema_text


@pytest.fixture(scope="module")
def transcripts(deliver: Callable[..., Path]) -> dict[str, list[Path]]:
    """The same hostile transcripts in both forms."""

    def contacts(bench: Workbench) -> list[dict[str, object]]:
        rows = [bench.call(number, seconds=0.01) for number in range(1, len(HOSTILE) + 1)]
        for row, (text, _) in zip(rows, HOSTILE, strict=True):
            content = transcript_of(row["contact_id"], text)
            content |= {"language": text, "participants": [{"id": text, "role": text}]}
            content["segments"][0] |= {"speaker": text, "confidence": 0.5, "sentiment": -1.5e-7}
            content["analytics"] = {text: [text, {"": None, "deep": [[1, 2.5, True]]}], "big": 2**63 - 1}
            (bench.root / f"store/{row['transcript_uri']}").write_text(json.dumps(content))
        return rows

    found = {}
    for form in ("json", "xml"):
        found[form] = sorted((deliver(contacts, transcripts=form, media={}) / "data/transcripts").rglob(f"*.{form}"))
        assert len(found[form]) == len(HOSTILE)
    return found


def wrong_json() -> dict[str, object]:
    content = transcript_of(1)
    content["segments"][0]["start_ms"] = -1
    return content


def test_jsonschema_accepts_every_json_transcript(transcripts: dict[str, list[Path]]) -> None:
    schema = json.loads(schema_text(JSON_SCHEMA))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in transcripts["json"]:
        validator.validate(json.loads(path.read_bytes()))
    assert not validator.is_valid(wrong_json())


def test_a_validator_in_rust_accepts_every_json_transcript(transcripts: dict[str, list[Path]]) -> None:
    validator = jsonschema_rs.validator_for(json.loads(schema_text(JSON_SCHEMA)))
    for path in transcripts["json"]:
        validator.validate(json.loads(path.read_bytes()))
    assert not validator.is_valid(wrong_json())


def test_xmlschema_accepts_every_xml_transcript(transcripts: dict[str, list[Path]], tmp_path: Path) -> None:
    schema = xmlschema.XMLSchema(schema_text(XSD))
    for path in transcripts["xml"]:
        schema.validate(path)
    assert not schema.is_valid(wrong_xml(transcripts, tmp_path))


def test_xmllint_accepts_every_xml_transcript(
    transcripts: dict[str, list[Path]], tmp_path: Path, program: Callable[[str, str], str]
) -> None:
    schema = tmp_path / "transcript-1.0.xsd"
    schema.write_text(schema_text(XSD))
    command = [program("xmllint", "libxml2-utils"), "--noout", "--nonet", "--schema", str(schema)]
    done = subprocess.run([*command, *transcripts["xml"]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wrong = subprocess.run([*command, wrong_xml(transcripts, tmp_path)], capture_output=True, text=True, check=False)
    assert wrong.returncode == 3


def wrong_xml(transcripts: dict[str, list[Path]], tmp_path: Path) -> Path:
    path = tmp_path / "wrong.xml"
    path.write_bytes(transcripts["xml"][0].read_bytes().replace(b'start_ms="0"', b'start_ms="-1"'))
    return path


def test_two_json_schema_validators_take_the_definitions_in_the_project() -> None:
    from bulk_export.definitions.json_schema import definition_schema, definitions_schema
    from bulk_export.definitions.yaml_file import read_yaml

    folder = Path(__file__).parents[2] / "include/definitions"
    for kind, files in {
        "settings": [folder / "settings.yaml"],
        "search": sorted(folder.glob("searches/*.yaml")),
        "export": sorted(folder.glob("exports/*.yaml")),
    }.items():
        published = definitions_schema()
        schema = {"$schema": published["$schema"], **published["$defs"][kind]}
        for path in files:
            value = read_yaml(path.parent, path.name).value
            jsonschema.Draft202012Validator(schema).validate(value)
            jsonschema_rs.validator_for(schema).validate(value)
            assert not jsonschema_rs.validator_for(schema).is_valid(value | {"colour": "blue"})
        assert definition_schema(kind) == schema
