from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bulk_export.contacts.access_denials import AccessDenials
from bulk_export.errors import RefusedError

DENIED = RefusedError("STORAGE_DENIED", "Could not read s3://acme/1.json: AccessDenied")
NO_BUCKET = RefusedError("STORAGE_MISSING", "Could not read s3://gone/1.json: NoSuchBucket")


def test_a_refusal_of_one_object_is_said_in_words() -> None:
    denials = AccessDenials()
    assert [denials.record(DENIED), denials.record(NO_BUCKET)] == ["access denied", "no such storage"]


def test_nothing_but_refusals_is_the_stores_own_error_from_the_twentieth_on() -> None:
    denials = AccessDenials()
    assert [denials.record(DENIED) for _ in range(19)] == ["access denied"] * 19
    for _ in range(2):
        with pytest.raises(RefusedError, match="STORAGE_DENIED"):
            denials.record(DENIED)


def test_after_one_object_was_readable_every_refusal_is_about_one_object() -> None:
    denials = AccessDenials()
    denials.record_success()
    assert {denials.record(DENIED) for _ in range(1_000)} == {"access denied"}


def test_threads_count_together() -> None:
    denials = AccessDenials()

    def ask(_: int) -> bool:
        try:
            denials.record(DENIED)
        except RefusedError:
            return True
        return False

    with ThreadPoolExecutor(24) as threads:
        assert sum(threads.map(ask, range(500))) == 500 - 19
