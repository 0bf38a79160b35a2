"""Make items.csv: one row per matched contact.

| status | reason | when |
|---|---|---|
| masked | RECYCLED | the contact is recycled |
| faulty | CONTACT_GONE | it left the store between selection and export |
| faulty | the first reason that counts: media, then screen, then transcript | something it should have is missing |
| delivered | | everything it has is there; NO_MEDIA, NO_SCREEN, NO_TRANSCRIPT and MEDIA_DOUBTFUL are no faults |
| deferred, already_delivered | QUOTA_EXCEEDED, LIMIT, ALREADY_DELIVERED | the run left it out |

The counts of the audit come from the rows that are written, so they cannot disagree with them. What delivered contacts
do without (NO_MEDIA and the like) is counted beside the deciding reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.errors import TransientError
from bulk_export.items.csv_text import csv_lines
from bulk_export.items.payload_file import PayloadFile
from bulk_export.reasons import NOT_APPLICABLE, ItemStatus, Reason
from bulk_export.stage_registry import STAGES
from bulk_export.staging.journal import FileKind, FileResult

_CONTACT = ("contact_id", "status", "reason")
_MISMATCHED_SHOWN = 5

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """What the rows written add up to.

    Attributes:
        by_status: contacts per status; every status is there.
        by_reason: contacts per deciding reason, which with the delivered add up to `matched`; beside them the delivered
            per reason that leaves them whole (NOT_APPLICABLE), of which one contact may have two. Only what occurs.
        files: files delivered per kind.
        bytes: their size per kind.
    """

    by_status: Mapping[ItemStatus, int]
    by_reason: Mapping[Reason, int]
    files: Mapping[FileKind, int] = field(default_factory=dict)
    bytes: Mapping[FileKind, int] = field(default_factory=dict)

    @property
    def matched(self) -> int:
        """Every matched contact: the sum over the statuses."""
        return sum(self.by_status.values())


def item_columns() -> tuple[str, ...]:
    """The columns of items.csv.

    Those of the contact, why files are missing, and the files of each kind.
    """
    reasons = [results.reason_column for _, results in STAGES.with_results()]
    files = [column for columns in file_columns().values() for column in columns]
    return (*_CONTACT, *reasons, *files, "detail")


def file_columns() -> dict[FileKind, tuple[str, str, str]]:
    """Per kind of file the columns of its path, size and digest."""
    kinds = [kind for _, results in STAGES.with_results() for kind in results.kinds]
    return {kind: (f"{kind}_file", f"{kind}_bytes", f"{kind}_sha256") for kind in kinds}


def items_schema() -> pa.Schema:
    """The columns of items.csv with their types."""
    integers = {"contact_id", *(size for _, size, _ in file_columns().values())}
    return pa.schema([(name, pa.int64() if name in integers else pa.string()) for name in item_columns()])


def job_items(
    contact_ids: Sequence[int],
    recycled: Sequence[bool | None],
    results: Iterable[FileResult],
    *,
    wanted: Collection[Collection[FileKind]] = (),
) -> pa.Table:
    """The rows of one job, in the order of `contact_ids`.

    Args:
        contact_ids: contacts of the job's table.
        recycled: whether each is recycled.
        results: the job's journals, media and transcripts; of two results for one file the later counts.
        wanted: of each of these sets of kinds every contact that is not recycled must have a result.

    Raises:
        TransientError: ITEMS_INCOMPLETE when a result is missing or belongs to no contact of the job: the journal is
            not this job's whole journal, and publishing it would hide a gap.
        ValueError: a result is of a kind that no stage delivers, so that items.csv has no place for it.
    """
    layout = _Layout.of_stages()
    by_contact: dict[int, dict[FileKind, FileResult]] = {contact_id: {} for contact_id in contact_ids}
    mismatched_ids = []
    for result in results:
        if result.kind not in layout.kinds:
            raise ValueError(f"no stage delivers files of the kind {result.kind}")
        if result.contact_id in by_contact:
            by_contact[result.contact_id][result.kind] = result
        else:
            mismatched_ids.append(result.contact_id)
    rows: list[Row] = []
    for contact_id, is_recycled in zip(contact_ids, recycled, strict=True):
        files = by_contact[contact_id]
        if is_recycled:
            rows.append((contact_id, ItemStatus.MASKED, Reason.RECYCLED, *layout.empty))
            continue
        if any(files.keys().isdisjoint(kinds) for kinds in wanted):
            mismatched_ids.append(contact_id)
        rows.append(_row(contact_id, files, layout))
    if mismatched_ids:
        raise _incomplete(mismatched_ids)
    columns = zip(*rows, strict=True) if rows else ([] for _ in item_columns())
    return pa.table([[*column] for column in columns], schema=items_schema())


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a row holds, looked up once a job.

    Attributes:
        kinds: every kind of file, in the order in which their reasons decide.
        reasons: per reason column the kinds it is about.
        empty: the cells of a contact without files.
    """

    kinds: tuple[FileKind, ...]
    reasons: tuple[tuple[FileKind, ...], ...]
    empty: tuple[None, ...]

    @classmethod
    def of_stages(cls) -> _Layout:
        reasons = tuple(results.kinds for _, results in STAGES.with_results())
        empty = (None,) * (len(item_columns()) - len(_CONTACT))
        return cls(tuple(file_columns()), reasons, empty)


def excluded_items(excluded: pa.Table) -> pa.Table:
    """The rows of contacts the run left out.

    From a table with contact_id, status and reason.
    """
    schema, count = items_schema(), len(_CONTACT)
    given = [excluded[name].cast(schema.field(name).type) for name in _CONTACT]
    empty = [pa.nulls(excluded.num_rows, kind) for kind in schema.types[count:]]
    return pa.table([*given, *empty], schema=schema)


def item_files(items: pa.Table) -> Iterator[PayloadFile]:
    """The files the rows name, for the manifest."""
    for columns in file_columns().values():
        delivered = items.select(columns).filter(pc.is_valid(items[columns[0]]))
        for path, size, sha256 in zip(*(delivered[name].to_pylist() for name in columns), strict=True):
            yield PayloadFile(path, size, sha256)


def write_items_csv(batches: Iterable[pa.Table], out: BinaryIO) -> ItemCounts:
    """Write the header and every row, and count them.

    UTF-8, LF, quoted only where a cell needs it.
    """
    statuses: Counter[str] = Counter(dict.fromkeys(ItemStatus, 0))
    reasons: Counter[str] = Counter()
    files: Counter[FileKind] = Counter()
    sizes: Counter[FileKind] = Counter()
    columns = item_columns()
    out.write(f"{','.join(columns)}\n".encode())
    for batch in batches:
        table = batch.select(columns).cast(items_schema())
        for lines in csv_lines(table):
            out.write(lines)
        statuses.update(_counts(table["status"]))
        reasons.update(_counts(table["reason"]))
        reasons.update(_not_applicable(table))
        for kind, (path_column, bytes_column, _) in file_columns().items():
            files[kind] += table.num_rows - table[path_column].null_count
            sizes[kind] += sum(size or 0 for size in table[bytes_column].to_pylist())
    return ItemCounts(
        by_status={ItemStatus(status): count for status, count in statuses.items()},
        by_reason={Reason(reason): count for reason, count in sorted(reasons.items())},
        files=dict(files),
        bytes=dict(sizes),
    )


def _row(contact_id: int, files: Mapping[FileKind, FileResult], layout: _Layout) -> Row:
    found = [files.get(kind) for kind in layout.kinds]
    reasons = {result.kind: result.reason for result in found if result and result.reason}
    deciding = next((reason for reason in reasons.values() if reason not in NOT_APPLICABLE), None)
    cells: list[object] = [contact_id, ItemStatus.FAULTY if deciding else ItemStatus.DELIVERED, deciding]
    for kinds in layout.reasons:
        cells.append(" ".join(dict.fromkeys(reasons[kind] for kind in kinds if kind in reasons)) or None)
    for result in found:
        cells += [result.path, result.bytes, result.sha256] if result and result.delivered else [None, None, None]
    cells.append("; ".join(result.detail for result in found if result and result.detail) or None)
    return tuple(cells)


def _not_applicable(items: pa.Table) -> Counter[str]:
    """Delivered contacts per reason that leaves them whole; a contact may have two, one for its media."""
    found: Counter[str] = Counter()
    delivered = items.filter(pc.equal(items["status"], str(ItemStatus.DELIVERED)))
    for _, results in STAGES.with_results():
        found.update(_counts(pc.list_flatten(pc.split_pattern(delivered[results.reason_column], " "))))
    return found


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {pair["values"]: pair["counts"] for pair in column.value_counts().to_pylist() if pair["values"]}


def _incomplete(contact_ids: Sequence[int]) -> TransientError:
    stages = " and ".join(stage.name for stage, _ in STAGES.with_results())
    some = ", ".join(map(str, contact_ids[:_MISMATCHED_SHOWN]))
    return TransientError(
        "ITEMS_INCOMPLETE",
        f"The journal does not fit the job: {len(contact_ids)} contacts without their own results, such as {some}",
        hint=f"Clear the job's {stages} tasks so that they finish, then publish again.",
    )
