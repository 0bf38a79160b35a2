"""Recognise the folders of lake tables.

Their log says which of their files count. Read as a folder of Parquet files, such a table gives contacts back that were
deleted or changed since.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bulk_export.contacts.column_names import shown


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A kind of table made of files and a log.

    Attributes:
        name: what it is called.
        marker: in the path of a file or directory of the log, below the store's root.
    """

    name: str
    marker: re.Pattern[str]


LAKE_TABLES = (
    LakeTable("a Delta Lake table", re.compile(r"/_delta_log(/|$)")),
    LakeTable("an Apache Hudi table", re.compile(r"/\.hoodie(_partition_metadata)?(\.\w+)?(/|$)")),
    LakeTable(
        "an Apache Iceberg table",
        re.compile(r"/metadata/(version-hint\.text|[^/]*\.metadata\.json(\.gz)?|snap-[^/]*\.avro)$"),
    ),
    LakeTable("an Apache Paimon table", re.compile(r"/snapshot/(snapshot-\d+|LATEST|EARLIEST)$")),
    LakeTable("a Hive transactional table", re.compile(r"/(base_\d+|(delete_)?delta_\d+_\d+(_\d+)?)(/|$)")),
    LakeTable("the output of a Spark stream", re.compile(r"/_spark_metadata(/|$)")),
)


def lake_table_problem(path: str) -> tuple[str, str] | None:
    """The folder of a table that a path belongs to.

    With what is wrong with it; None for any other path.
    """
    for table in LAKE_TABLES:
        if found := table.marker.search(path):
            what = shown(path[found.start() + 1 : found.end()].strip("/"))
            message = (
                f"is {table.name} ({what}), whose removed and replaced files would be exported too: write its present"
                " rows to a folder of plain Parquet files, or connect the table through a view in PostgreSQL"
            )
            return path[: found.start()] or path, message
    return None
