"""Every number of the operating system has a name, wherever it turns up."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from bulk_export.error_codes import ERROR_CODES
from bulk_export.errors import BulkExportError, TransientError, UnreadableError, error_of
from bulk_export.storage.faults import file_faults, from_os_error, machine_error, os_faults, scratch_faults


@pytest.mark.parametrize("number", errno.errorcode, ids=errno.errorcode.get)
def test_every_errno_leads_to_a_code_with_a_remedy(number: int) -> None:
    error = OSError(number, os.strerror(number))
    errors = [from_os_error(error, doing, "/srv/key") for doing in ("read", "write", "list")]
    errors.append(machine_error(error, "copy_media"))
    for guard in (os_faults("write", "/srv/key"), file_faults("read", "/srv/key"), scratch_faults(Path("/srv/key"))):
        with pytest.raises(BulkExportError) as caught, guard:
            raise error
        errors.append(caught.value)

    assert [one.code for one in errors if one.code not in ERROR_CODES or one.code == "INTERNAL_ERROR"] == []
    assert [one.code for one in errors if not one.hint or os.strerror(number) not in one.message] == []


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "SCRATCH_FULL"),
        (errno.EDQUOT, "SCRATCH_FULL"),
        (errno.EFBIG, "SCRATCH_FULL"),
        (errno.EROFS, "SCRATCH_FAILED"),
        (errno.EIO, "SCRATCH_FAILED"),
        (errno.ENFILE, "MACHINE_EXHAUSTED"),
    ],
)
def test_unfinished_files_have_codes_of_their_own(number: int, code: str) -> None:
    with (
        pytest.raises(TransientError, match=f"{code}: .*/tmp/run/contacts.csv"),
        scratch_faults(Path("/tmp/run/contacts.csv")),
    ):
        raise OSError(number, os.strerror(number))


def test_a_number_that_is_about_names_says_nothing_of_an_open_file() -> None:
    with pytest.raises(UnreadableError, match="STORAGE_UNREACHABLE"), file_faults("read", "/srv/1.wav"):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def test_memory_that_ends_has_a_name() -> None:
    assert machine_error(MemoryError(), "build_csv").code == "MACHINE_EXHAUSTED"


def test_an_error_is_made_of_the_one_table() -> None:
    made = {code: error_of(code, "x") for code, known in ERROR_CODES.items() if known.kind.raised_as}
    assert {code for code, error in made.items() if type(error).__name__ != ERROR_CODES[code].kind.raised_as} == set()
    with pytest.raises(KeyError):
        error_of("NO_ANSWER", "x")
