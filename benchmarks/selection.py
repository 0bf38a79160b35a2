"""Selecting from 10 million contacts: how many match, and the first job of 10,000 with every field.

    python benchmarks/selection.py [--rounds 5] [--quick] [--cache FOLDER]

Ours freezes the keys of every match (so it knows how many there are) and fetches the first job, as `check_quota` and
`batch_contacts` do. The others answer the same question: a count, and the first 10,000 in order. Each runs in a process
of its own; the time is from opening the store to having the rows, without Python's and the libraries' start.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from big_store import UNTIL, big_store
from compare import Comparison, Contender, Fact, Facts, Options, Target, act, alternate, script, timed

CONTACTS, JOB = 10_000_000, 10_000
TEAMS = ('Team "North"', "Team A")
WORD = "refund"
SEARCHES = {
    # months looked at, and whether the words of the contact are searched
    "a month, two teams, a score": (1, False),
    "half a year, two teams, a score": (6, False),
    "a month, a word in the text": (1, True),
    "half a year, two teams, a word in the text": (6, True),
}


_REASON = (
    "Ours writes the keys of all matches, sorted and checked for duplicates, where a query only counts them: quota, "
    "jobs and retries rest on them. The rest is DuckDB reading the same columns, as its own line shows."
)


def measure(options: Options) -> list[Comparison]:
    contacts = options.size(CONTACTS, 100_000)
    options.cache.mkdir(parents=True, exist_ok=True)
    store = big_store(options.cache, contacts)
    comparisons = []
    for number, (words, (_, text)) in enumerate(SEARCHES.items()):
        lines = alternate(options, f"selection/{number}", [
            Contender(name, lambda into, done=done, number=number: act(__file__, done, store, number, into), JOB)
            for name, done in (("bulk-export", "ours"), ("DuckDB, one query sorted", "duckdb"),
                               ("pyarrow.dataset", "dataset"))
        ])  # fmt: skip
        counts = {(round_.facts["matched"], round_.facts["first"]) for line in lines for round_ in line.rounds}
        if len(counts) != 1:
            raise RuntimeError(f"they do not agree: {counts}")
        limit = 3 if text else 1
        comparisons.append(
            Comparison(
                f"Selection from {contacts:,} contacts: {words} ({counts.pop()[0]:,} match)",
                "rows/s",
                lines,
                [
                    Target(
                        f"count and first job: {words}", lines[0].seconds, limit, at_most=True, unit="s", reason=_REASON
                    ),
                    Target(f"memory: {words}", lines[0].peak_mb, 500, at_most=True, unit="MB"),
                ],
            )
        )
    return comparisons


def _window(months: int) -> tuple[datetime, datetime]:
    return UNTIL - timedelta(days=30 * months), UNTIL


def ours(store: str, number: str, into: str) -> Facts:
    # pyarrow loads these two at the first table it reads; the peer that has them loaded is not the only one to.
    import pandas  # noqa: F401
    import pyarrow.dataset  # noqa: F401
    import pyarrow.parquet as pq

    from bulk_export.contacts.parquet import ParquetContactStore
    from bulk_export.definitions.models import Filter
    from bulk_export.filters.compile import compile_filters
    from bulk_export.filters.field_catalog import field_catalog
    from bulk_export.storage.local import LocalStorage

    months, text = list(SEARCHES.values())[int(number)]
    since, until = _window(months)
    filters = [{"field": "started_at", "operator": "between", "value": [since.isoformat(), until.isoformat()]}]
    if not text or months > 1:
        filters.append({"field": "team_name", "operator": "is_any_of", "value": list(TEAMS)})
    if text:
        filters.append({"field": "text", "operator": "any_words", "value": [WORD]})
    else:
        filters.append({"field": "score", "operator": "at_least", "value": 70})
    facts: dict[str, Fact] = {}
    with timed(facts):
        selection = compile_filters(
            [Filter.model_validate(one) for one in filters], as_of=UNTIL, zone="UTC", catalog=field_catalog(()),
            dialect="duckdb",
        )  # fmt: skip
        contacts = ParquetContactStore(LocalStorage(Path(store)), scratch=Path(into))
        matches = contacts.select_keys(selection, Path(into) / "keys.parquet")
        keys = pq.read_table(Path(into) / "keys.parquet").slice(0, JOB)
        job = contacts.fetch(keys, (), with_text=text)
    return facts | {"matched": matches.contacts, "first": _first(job["contact_id"])}


def _first(ids: object) -> str:
    """What the first job holds, so that all can be seen to have selected the same."""
    import hashlib

    return hashlib.sha256(str(ids.to_pylist()).encode()).hexdigest()[:16]  # type: ignore[attr-defined]


def duckdb(store: str, number: str, into: str) -> Facts:
    import duckdb as library

    months, text = list(SEARCHES.values())[int(number)]
    since, until = _window(months)
    where = f"started_at >= TIMESTAMPTZ '{since}' AND started_at < TIMESTAMPTZ '{until}' AND NOT is_root"
    if not text or months > 1:
        where += f" AND lower(team_name) IN {tuple(team.lower() for team in TEAMS)}"
    where += rf" AND regexp_matches(text, '(?i)\b{WORD}\b')" if text else " AND score >= 70"
    source = f"read_parquet('{store}/contacts/**/*.parquet', hive_partitioning = false) WHERE {where}"
    facts: dict[str, Fact] = {}
    with timed(facts), library.connect(config={"threads": 2}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        row = connection.execute(f"SELECT count(*) FROM {source}").fetchone()
        assert row is not None
        ordered = f"SELECT * FROM {source} ORDER BY started_at, contact_id LIMIT {JOB}"
        job = connection.execute(ordered).to_arrow_table()
    return facts | {"matched": row[0], "first": _first(job["contact_id"])}


def dataset(store: str, number: str, into: str) -> Facts:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    months, text = list(SEARCHES.values())[int(number)]
    since, until = _window(months)
    field, moment = ds.field, pa.timestamp("us", tz="UTC")
    wanted = (field("started_at") >= pa.scalar(since, moment)) & (field("started_at") < pa.scalar(until, moment))
    wanted &= ~field("is_root")
    if not text or months > 1:
        wanted &= pc.is_in(pc.utf8_lower(field("team_name")), pa.array([team.lower() for team in TEAMS]))
    wanted &= pc.match_substring_regex(field("text"), rf"(?i)\b{WORD}\b") if text else field("score") >= 70
    facts: dict[str, Fact] = {}
    pa.set_cpu_count(2)
    with timed(facts):
        contacts = ds.dataset(f"{store}/contacts", format="parquet")
        keys = contacts.to_table(columns=["started_at", "contact_id"], filter=wanted)
        keys = keys.sort_by([("started_at", "ascending"), ("contact_id", "ascending")]).slice(0, JOB)
        matched = contacts.count_rows(filter=wanted)
        span = pc.min_max(keys["started_at"])
        within = (field("started_at") >= span["min"]) & (field("started_at") <= span["max"]) & wanted
        job = contacts.to_table(filter=within)
        job = job.sort_by([("started_at", "ascending"), ("contact_id", "ascending")]).slice(0, JOB)
    return facts | {"matched": matched, "first": _first(job["contact_id"])}


if __name__ == "__main__":
    script(measure, {"ours": ours, "duckdb": duckdb, "dataset": dataset})
