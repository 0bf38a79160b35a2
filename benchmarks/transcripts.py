"""Transcripts of 60 segments: written as JSON against the json module, as XML against bare lxml, and end to end.

    python benchmarks/transcripts.py [--rounds 5] [--quick]

Writing takes checked documents in memory and gives bytes. End to end is the stage `export_transcripts` on files: read,
check, convert, write, hash, keep a journal; beside it stands what a script would do, `json.load` and `json.dump`, which
checks and hashes nothing.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from compare import Comparison, Contender, Fact, Facts, Options, Target, act, alternate, script, timed

# As many files as a job has contacts.
DOCUMENTS, FILES, SEGMENTS = 1_000, 10_000, 60
_PASSES = 5
_WORDS = "thank you for calling the invoice é shows two charges & I will <cancel> it on Monday “quoted” señor"


def document(number: int) -> dict[str, Any]:
    """A transcript in the store's form, about 10 KB."""
    draw, words = random.Random(number), _WORDS.split()
    segments, at = [], 0
    for place in range(SEGMENTS):
        text = " ".join(draw.choices(words, k=draw.randint(4, 16)))
        segments.append(
            {
                "speaker": "ab"[place % 2],
                "start_ms": at,
                "end_ms": at + 60 * len(text),
                "text": text,
                "confidence": round(draw.uniform(0.7, 1), 3),
                "sentiment": draw.choice(("positive", "neutral", "negative")),
            }
        )
        at += 60 * len(text) + 300
    return {
        "schema": "transcript-1.0",
        "contact_id": number,
        "language": "en",
        "channel": "CALL",
        "participants": [{"id": "a", "role": "agent"}, {"id": "b", "role": "customer"}],
        "segments": segments,
        "analytics": {"sentiment": "neutral", "category": "billing", "words": 600},
    }


def measure(options: Options) -> list[Comparison]:
    documents, files = options.size(DOCUMENTS, 20), options.size(FILES, 50)
    store = options.new_folder("transcript-store")
    for number in range(files):
        (store / f"{number}.json").write_text(json.dumps(document(number), ensure_ascii=False))

    def contenders(count: int, *acts: tuple[str, str]) -> list[Contender]:
        return [
            Contender(name, lambda into, does=does: act(__file__, does, store, count, into), count)
            for name, does in acts
        ]

    as_json = alternate(options, "as-json", contenders(
        documents, ("bulk-export", "as_json"), ("json.dumps", "json_dumps"), ("bulk-export, read and checked too",
        "read_json"), ("json.loads and json.dumps", "json_both"),
    ))  # fmt: skip
    as_xml = alternate(options, "as-xml", contenders(
        documents, ("bulk-export", "as_xml"), ("lxml xmlfile alone", "xmlfile"),
    ))  # fmt: skip
    whole = alternate(options, "transcripts", contenders(
        files, ("export_transcripts, JSON", "stage_json"), ("json.load, json.dump", "script_json"),
        ("export_transcripts, XML", "stage_xml"),
    ))  # fmt: skip
    return [
        Comparison(
            f"Transcripts of {SEGMENTS} segments as JSON",
            "a second",
            as_json,
            [Target("JSON against the json module", as_json[0].rate / as_json[1].rate, 5)],
            ["Reading and checking is most of the work: Python looks at every segment, the json module at none."],
        ),
        Comparison(
            f"Transcripts of {SEGMENTS} segments as XML",
            "a second",
            as_xml,
            [Target("XML against lxml `xmlfile` alone", as_xml[0].rate / as_xml[1].rate, 0.9)],
        ),
        Comparison(
            f"The stage `export_transcripts`, {files:,} files from disk to disk",
            "files/s",
            whole,
            [Target("end to end, JSON", whole[0].rate, 3000, unit="files/s")],
        ),
    ]


def _documents(store: str, count: str) -> Iterator[tuple[int, bytes]]:
    for number in range(int(count)):
        yield number, (Path(store) / f"{number}.json").read_bytes()


def _each(store: str, count: str, read: Callable[[bytes, int], Any], write: Callable[[Any], object]) -> Facts:
    """Time `write` of everything that `read` gives: the best of some passes, because each lasts a blink only."""
    made = [read(content, number) for number, content in _documents(store, count)]
    passes = []
    for _ in range(_PASSES):
        facts: dict[str, Fact] = {}
        with timed(facts):
            for one in made:
                write(one)
        passes.append(float(facts["seconds"]))
    return {"seconds": min(passes)}


def as_json(store: str, count: str, into: str) -> Facts:
    from bulk_export.transcripts.as_json import as_json
    from bulk_export.transcripts.document import parse

    return _each(store, count, parse, as_json)


def json_dumps(store: str, count: str, into: str) -> Facts:
    return _each(
        store, count, lambda content, _: json.loads(content), lambda one: json.dumps(one, ensure_ascii=False).encode()
    )


def read_json(store: str, count: str, into: str) -> Facts:
    from bulk_export.transcripts.as_json import as_json
    from bulk_export.transcripts.document import parse

    return _each(store, count, lambda content, number: (content, number), lambda one: as_json(parse(*one)))


def json_both(store: str, count: str, into: str) -> Facts:
    return _each(
        store, count, lambda content, _: content,
        lambda one: json.dumps(json.loads(one), ensure_ascii=False).encode(),
    )  # fmt: skip


def as_xml(store: str, count: str, into: str) -> Facts:
    from bulk_export.transcripts.as_xml import as_xml
    from bulk_export.transcripts.document import parse

    return _each(store, count, parse, as_xml)


def xmlfile(store: str, count: str, into: str) -> Facts:
    """The same elements with nothing looked at."""
    return _each(store, count, lambda content, _: json.loads(content), _bare_xml)


def _bare_xml(one: dict[str, Any]) -> bytes:
    from lxml import etree

    out = BytesIO()
    head = {name: str(one[name]) for name in ("schema", "contact_id", "language", "channel")}
    with etree.xmlfile(out, encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("transcript", head):
            with xml.element("participants"):
                for each in one["participants"]:
                    with xml.element("participant", each):
                        pass
            with xml.element("segments"):
                for segment in one["segments"]:
                    known = {name: str(value) for name, value in segment.items() if name != "text"}
                    with xml.element("segment", known):
                        xml.write(segment["text"])
            with xml.element("analytics"), xml.element("object"):
                for key, value in one["analytics"].items():
                    kind = "string" if isinstance(value, str) else "number"
                    with xml.element("entry", {"key": key}), xml.element(kind):
                        xml.write(str(value))
    return out.getvalue()


def stage(store: str, count: str, into: str, form: str) -> Facts:
    import pyarrow as pa

    from bulk_export.contacts.addresses import Addresses
    from bulk_export.staging.journal import Journal
    from bulk_export.storage.local import LocalStorage
    from bulk_export.transcripts.job import export_job_transcripts

    contacts = pa.table(
        {
            "contact_id": pa.array(range(int(count)), pa.int64()),
            "recycled": [False] * int(count),
            "transcript_uri": [f"{number}.json" for number in range(int(count))],
        }
    )
    destination, facts = LocalStorage(Path(into)), dict[str, Fact]()
    with timed(facts):
        counts = export_job_transcripts(
            contacts, job=1, format=form, addresses=Addresses(LocalStorage(Path(store))),  # type: ignore[arg-type]
            destination=destination, run_prefix="run", journal=Journal(destination, "journal"),
            progress=lambda *, contacts_done, bytes_written: None,
        )  # fmt: skip
    if counts.delivered != int(count):
        raise RuntimeError(f"not all were delivered: {counts}")
    return facts


def script_json(store: str, count: str, into: str) -> Facts:
    facts: dict[str, Fact] = {}
    with timed(facts):
        for number in range(int(count)):
            with (Path(store) / f"{number}.json").open(encoding="utf-8") as stream:
                one = json.load(stream)
            with (Path(into) / f"{number}.json").open("w", encoding="utf-8") as out:
                json.dump(one, out, ensure_ascii=False)
    return facts


ACTS = {
    "as_json": as_json,
    "json_dumps": json_dumps,
    "read_json": read_json,
    "json_both": json_both,
    "as_xml": as_xml,
    "xmlfile": xmlfile,
    "stage_json": lambda *rest: stage(*rest, "json"),
    "stage_xml": lambda *rest: stage(*rest, "xml"),
    "script_json": script_json,
}

if __name__ == "__main__":
    script(measure, ACTS)
