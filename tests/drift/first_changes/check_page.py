"""One more page answers those who may see it, and is in the navigation, in both languages."""

from __future__ import annotations

from typing import Any


def test_it_answers_and_is_in_the_navigation(console: Any) -> None:
    assert "<code>contact_id</code> Contact ID" in console.client().get("/fields").text
    assert '<a href="/fields">Fields</a>' in console.client().get("/audit").text
    assert console.client("").get("/fields").status_code == 401
    assert console.client("nobody").get("/fields").status_code == 403
