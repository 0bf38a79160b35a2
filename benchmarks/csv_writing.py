"""contacts.csv of a million contacts, 57 columns and two of custom metadata, against pandas with the same formatting.

    python benchmarks/csv_writing.py [--rounds 5] [--quick]

Both read the job files of a run from its staging area and write the same bytes, which is checked. pandas gets what
speeds it up: a table of all times of day, zones converted a group at a time, patterns only on cells that need them;
most of its time is `DataFrame.to_csv`. It would take a minute for a million, so it gets 100,000 contacts, and ours is
measured on both. Ours formats on two threads; pandas knows one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from big_store import big_store
from compare import Comparison, Contender, Fact, Facts, Options, Target, act, alternate, script, timed

if TYPE_CHECKING:
    import pandas as pd

    from bulk_export.fields import Field

CONTACTS, PART, JOB = 1_000_000, 100_000, 10_000
KEYS = ("account-key", "service-key")
MASK = "######"


def measure(options: Options) -> list[Comparison]:
    contacts, part = options.size(CONTACTS, 20_000), options.size(PART, 10_000)
    jobs = options.new_folder("csv-jobs")
    store = big_store(jobs, contacts)
    make_jobs(store, jobs)
    contenders = [
        Contender("bulk-export", lambda into: act(__file__, "ours", jobs, part, into), part),
        Contender("pandas", lambda into: act(__file__, "pandas", jobs, part, into), part),
        Contender("bulk-export, all of them", lambda into: act(__file__, "ours", jobs, contacts, into), contacts),
    ]
    ours, pandas, whole = alternate(options, "csv", contenders)
    sums = {round_.facts["sha256"] for line in (ours, pandas) for round_ in line.rounds}
    if len(sums) != 1:
        raise RuntimeError("they did not write the same bytes")
    return [
        Comparison(
            f"contacts.csv, 59 columns, {part:,} contacts; and {contacts:,}",
            "rows/s",
            [ours, pandas, whole],
            [
                Target(f"rows a second, {contacts:,} against pandas' {part:,}", whole.rate / pandas.rate, 8),
                Target(f"memory for {contacts:,}", whole.peak_mb, 300, at_most=True, unit="MB"),
            ],
        )
    ]


def make_jobs(store: Path, jobs: Path) -> None:
    """The jobs of a run, as `batch_contacts` writes them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from bulk_export.contacts.schema import canonical_schema

    schema, written = canonical_schema(KEYS, with_text=False), 0
    for path in sorted((store / "contacts").glob("**/*.parquet")):
        rows = pq.read_table(path, partitioning=None)
        maps = [dict(each or ()) for each in rows["metadata"].to_pylist()]
        for key in KEYS:
            rows = rows.append_column(f"metadata.{key}", pa.array([each.get(key) for each in maps], pa.string()))
        rows = rows.select(schema.names).cast(schema)
        rows = rows.append_column("text_preview", pa.nulls(rows.num_rows, pa.string()))
        for start in range(0, rows.num_rows, JOB):
            pq.write_table(rows.slice(start, JOB), jobs / f"{written:04}.parquet", compression="lz4")
            written += 1


def _files(jobs: str, contacts: str) -> Iterator[Path]:
    left = int(contacts)
    import pyarrow.parquet as pq

    for path in sorted(Path(jobs).glob("*.parquet")):
        if left <= 0:
            return
        yield path
        left -= pq.read_metadata(path).num_rows


def ours(jobs: str, contacts: str, into: str) -> Facts:
    import pyarrow.parquet as pq

    from bulk_export.contacts_csv import CsvLayout, write_contacts_csv

    facts: dict[str, Fact] = {}
    path = Path(into) / "contacts.csv"
    with timed(facts), path.open("wb") as out:
        write_contacts_csv(map(pq.read_table, _files(jobs, contacts)), CsvLayout(metadata_keys=KEYS), out)
    return facts | {"sha256": _sha256(path)}


def with_pandas(jobs: str, contacts: str, into: str) -> Facts:
    import pandas as pd

    from bulk_export.fields import CSV_FIELDS

    header = [*(field.header for field in CSV_FIELDS), *KEYS]
    facts: dict[str, Fact] = {}
    path = Path(into) / "contacts.csv"
    with timed(facts), path.open("w", encoding="utf-8", newline="") as out:
        clock = pd.Series([f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86_400)], dtype="str")
        for number, file in enumerate(_files(jobs, contacts)):
            rows = pd.read_parquet(file)
            shown = {field.header: _shown(rows, field, clock) for field in CSV_FIELDS}
            shown |= {key: _text(rows[f"metadata.{key}"], None) for key in KEYS}
            table = pd.DataFrame(shown, columns=header)
            table.loc[rows["recycled"].fillna(False).astype(bool).to_numpy(), header[1:]] = MASK
            table.to_csv(out, header=number == 0, index=False, lineterminator="\n")
    return facts | {"sha256": _sha256(path)}


def _shown(rows: pd.DataFrame, field: Field, clock: pd.Series[str]) -> pd.Series[str]:
    """A column of the CSV as pandas' own means make it."""
    import pandas as pd

    if field.key in {"date", "time"}:
        return _start(rows, "%d/%m/%Y" if field.key == "date" else "%I:%M %p")
    values = rows[field.key]
    if field.only_for:
        applies = rows["contact_type"].isin(field.only_for)
        values = values.where(applies)
        if field.default:
            values = values.mask(applies & (values.isna() | (values.str.strip() == "")), field.default)
    match str(field.kind.name):
        case "INTEGER":
            return values.astype("Int64").astype("string")
        case "DURATION":
            seconds = values.astype("Int64")
            return clock.reindex(seconds.to_numpy("float64", na_value=float("nan"))).set_axis(values.index)
        case "RATIO":
            # Half up, as people round; pandas' own rounding goes to the even digit.
            rounded = ((values * 100).round(6) + 0.5) // 1 / 100
            texts = rounded.map("{:.2f}".format, na_action="ignore").astype("str")
            return texts.str.replace(r"^0\.", ".", regex=True).replace("1.00", "1.0")
        case "DECIMAL":
            return values.map("{:g}".format, na_action="ignore")
        case "YES_NO":
            return values.map({True: "Yes", False: "No"})
        case "DATE":
            return pd.to_datetime(values).dt.strftime("%m/%d/%Y")
        case _:
            return _text(values, field.max_chars)


def _start(rows: pd.DataFrame, pattern: str) -> pd.Series[str]:
    import pandas as pd

    parts = [
        started.dt.tz_convert(zone).dt.strftime(pattern)
        for zone, started in rows["started_at"].groupby(rows["time_zone"])
    ]
    return pd.concat(parts).reindex(rows.index)


def _text(values: pd.Series[str], longest: int | None) -> pd.Series[str]:
    """Cut, and guarded where a spreadsheet would run it."""
    if longest is not None:
        values = values.str.slice(0, longest)
    suspect = values.str[:1].isin(list("=+-@\t\r\n"))
    if suspect.any():
        number = r"^ *(?:[+\-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+\-]?\d+)?%?|\+\d[\d .()]*)$"
        suspect &= ~values.str.match(number).fillna(False).astype(bool)
        values = values.mask(suspect, "'" + values)
    return values


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    script(measure, {"ours": ours, "pandas": with_pandas})
