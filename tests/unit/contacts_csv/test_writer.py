from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

import pyarrow as pa
import pytest

from bulk_export.contacts_csv import CsvLayout, write_contacts_csv
from bulk_export.fields import CSV_FIELDS

Written = Callable[..., list[dict[str, str]]]
MakeContacts = Callable[..., pa.Table]


def test_a_run_without_contacts_has_a_header() -> None:
    out = BytesIO()
    counts = write_contacts_csv([], CsvLayout(metadata_keys=("b", "a")), out)
    assert counts.rows == 0
    assert out.getvalue().decode() == ",".join([field.header for field in CSV_FIELDS] + ["b", "a"]) + "\n"


def test_an_empty_job_adds_nothing(make_contacts: MakeContacts) -> None:
    empty, one = BytesIO(), make_contacts({})
    write_contacts_csv([one.slice(0, 0)], CsvLayout(), empty)
    assert empty.getvalue().count(b"\n") == 1


@pytest.mark.parametrize("field", [field for field in CSV_FIELDS if field.only_for], ids=lambda field: field.key)
def test_a_field_shows_only_for_the_contact_types_it_applies_to(
    field: object, make_contacts: MakeContacts, written: Written
) -> None:
    types = ["CALL", "NON_CALL", "SCREEN_ONLY", "EMAIL", "TEXT", "CHAT", "SMS", "FAX", None]
    value = 7 if field.key == "call_duration" else "7"
    shown = "00:00:07" if field.key == "call_duration" else "7"
    rows = written(make_contacts(*({"contact_type": each, field.key: value} for each in types)))
    assert [row[field.header] for row in rows] == [shown if each in field.only_for else "" for each in types]


@pytest.mark.parametrize("stored", [None, "", "  "])
@pytest.mark.parametrize("profile", ["standard", "excel", "data"])
def test_a_call_s_hidden_numbers_are_unknown(
    stored: str | None, profile: str, make_contacts: MakeContacts, written: Written
) -> None:
    row = written(make_contacts({"calling_number": stored, "called_number": stored}), profile)[0]
    assert (row["Calling Number"], row["Called Number"]) == ("unknown", "unknown")


def test_only_an_empty_file_s_worth_of_a_recycled_contact_shows(make_contacts: MakeContacts, written: Written) -> None:
    contacts = make_contacts(
        {"contact_id": 5, "recycled": True, "last_name": "=" * 99, "time_zone": "nowhere", "metadata.k": "\0"},
        metadata_keys=("k",),
    )
    assert list(written(contacts, metadata_keys=("k",))[0].values()) == ["5"] + ["######"] * len(CSV_FIELDS)
    counts = write_contacts_csv([contacts], CsvLayout(metadata_keys=("k",)), BytesIO())
    assert (counts.rows, counts.masked) == (1, 1)
    assert (counts.cut_values, counts.guarded_cells, counts.replaced_cells, counts.unknown_zones) == (0, 0, 0, 0)


@pytest.mark.parametrize("field", [field for field in CSV_FIELDS if field.max_chars], ids=lambda field: field.key)
def test_every_maximum_holds_and_the_guard_comes_on_top(
    field: object, make_contacts: MakeContacts, written: Written
) -> None:
    contact_type = min(field.only_for, default="CALL")
    row = {"contact_type": contact_type} | {field.key: "=" + "x" * field.max_chars}
    whole = "'=" + "x" * (field.max_chars - 1)
    assert written(make_contacts(row))[0][field.header] == whole
    assert written(make_contacts(row), "data")[0][field.header] == whole[1:]


@pytest.mark.parametrize("key", ["external_party", "to_address", "text_preview", "metadata.k"])
def test_texts_without_a_maximum_are_whole(key: str, make_contacts: MakeContacts, written: Written) -> None:
    contact_type = {"external_party": "CHAT", "to_address": "EMAIL"}.get(key, "CALL")
    contacts = make_contacts({"contact_type": contact_type, key: "x" * 100_000}, metadata_keys=("k",))
    assert "x" * 100_000 in written(contacts, metadata_keys=("k",))[0].values()


def test_missing_columns_are_named(make_contacts: MakeContacts) -> None:
    contacts = make_contacts({}).drop_columns(["text_preview"])
    with pytest.raises(ValueError, match=r"lacks the columns text_preview, metadata\.k$"):
        write_contacts_csv([contacts], CsvLayout(metadata_keys=("k",)), BytesIO())


def test_contacts_stay_in_order_across_batches_and_jobs(make_contacts: MakeContacts, written: Written) -> None:
    one = make_contacts({})
    ids = pa.array(range(25_000), pa.int64())
    job = pa.table(
        {name: ids if name == "contact_id" else pa.repeat(one[name][0], 25_000) for name in one.column_names}
    )
    out = BytesIO()
    assert write_contacts_csv([job.slice(0, 11), job.slice(11)], CsvLayout(), out).rows == 25_000
    lines = out.getvalue().decode().splitlines()[1:]
    assert [int(line.partition(",")[0]) for line in lines] == list(range(25_000))


def test_memory_does_not_grow_with_the_number_of_jobs(make_contacts: MakeContacts) -> None:
    job = pa.concat_tables([make_contacts({"subject": "x" * 500, "contact_type": "EMAIL"})] * 500).combine_chunks()

    def peak(jobs: int) -> int:
        held: list[int] = []

        def watched() -> Iterator[pa.Table]:
            for _ in range(jobs):
                held.append(pa.default_memory_pool().bytes_allocated())
                yield job

        class Nowhere(BytesIO):
            def write(self, content: object, /) -> int:
                # The header is written before the jobs' own memory pool is in use.
                held.extend([pa.default_memory_pool().bytes_allocated()] if held else [])
                return len(memoryview(content))

        write_contacts_csv(watched(), CsvLayout(), Nowhere())
        return max(held) - held[0]

    peak(1)  # lookup tables are made once
    assert 0 < peak(20) <= 2 * peak(2)


def test_cells_of_many_megabytes_are_written_in_small_batches(make_contacts: MakeContacts) -> None:
    text = "x" * (5 * 2**20)
    contacts = make_contacts(
        *({"contact_id": number, "metadata.k": text} for number in range(20)), metadata_keys=("k",)
    )

    class Sizes(BytesIO):
        largest = 0

        def write(self, content: object, /) -> int:
            self.largest = max(self.largest, len(memoryview(content)))
            return len(memoryview(content))

    out = Sizes()
    assert write_contacts_csv([contacts], CsvLayout(metadata_keys=("k",)), out).rows == 20
    assert out.largest <= 65 * 2**20
