"""One guard for every route: signed in, allowed, and not sent by another site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bulk_export_airflow import permissions
from bulk_export_console.access import PERMISSION, foreign_origin

if TYPE_CHECKING:
    from conftest import Console, EveryCall

SAME = {"Content-Type": "application/json", "Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def calls(console: Console, every_call: EveryCall) -> list[tuple[str, str]]:
    return every_call(console.app)


@pytest.mark.faults("requests")
def test_every_route_asks_who_is_there(console: Console, calls: list[tuple[str, str]]) -> None:
    assert len(calls) > 5
    for method, path in calls:
        answer = console.client("").request(method, path, headers=SAME, content="{}", follow_redirects=False)
        assert answer.status_code == 401, (method, path)


@pytest.mark.faults("requests")
def test_every_route_refuses_whoever_has_no_permission_and_the_event_log_says_so(
    console: Console, calls: list[tuple[str, str]]
) -> None:
    for method, path in calls:
        answer = console.client("nobody").request(method, path, headers=SAME, content="{}", follow_redirects=False)
        assert answer.status_code == 403, (method, path)
        event = console.events("refused")[0]
        assert (event.who, event.subject) == ("nobody", f"{method} {path}")


@pytest.mark.faults("requests")
def test_every_change_is_refused_to_viewers(console: Console, calls: list[tuple[str, str]]) -> None:
    for method, path in calls:
        if method != "GET":
            answer = console.client("vera").request(method, path, headers=SAME, content="{}")
            assert answer.status_code == 403, (method, path)


@pytest.mark.faults("requests")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
    ],
)
def test_every_change_sent_by_another_site_is_refused(
    console: Console, calls: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    for method, path in calls:
        if method != "GET":
            answer = console.client().request(method, path, headers=SAME | headers, content="{}")
            assert answer.status_code == 403, (method, path)


@pytest.mark.faults("requests")
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_every_change_that_is_not_json_is_refused(console: Console, calls: list[tuple[str, str]], kind: str) -> None:
    for method, path in calls:
        if method != "GET":
            headers = SAME | {"Content-Type": kind}
            assert console.client().request(method, path, headers=headers, content="{}").status_code == 415, path


def test_behind_a_proxy_the_address_airflow_is_known_by_counts() -> None:
    headers = {"origin": "https://airflow.example", "host": "10.0.0.7:8080"}
    assert foreign_origin(headers, "https://airflow.example/base") == ""
    assert foreign_origin(headers, "http://localhost:8080")
    assert foreign_origin({"origin": "null", "host": ""}, "")


def test_a_viewer_sees_the_pages_and_no_button_that_changes(console: Console) -> None:
    record = console.bench.run(console.bench.export("nightly"), dag_id="export-nightly")
    text = console.client("vera").get(f"/runs/{record.run_key}").text
    assert "data-run" not in text
    assert "data-run" in console.client("ada").get(f"/runs/{record.run_key}").text


def test_the_style_sheet_is_public_and_nothing_inline_may_run(console: Console) -> None:
    answer = console.client("").get("/static/console.css")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    page = console.client().get("/audit", headers={"Accept": "text/html"})
    assert page.headers["content-security-policy"] == policy
    assert " style=" not in page.text
    assert "<style" not in page.text


def test_only_fab_has_to_be_given_the_permission(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert permissions.PERMISSION == PERMISSION
    assert permissions.main([]) == 0
    assert "every role may read the Exports pages; user, op and admin may change" in capsys.readouterr().out
    monkeypatch.setenv("AIRFLOW__CORE__AUTH_MANAGER", "keycloak.KeycloakAuthManager")
    assert permissions.main([]) == 0
    assert "GET on the custom view 'Bulk Contact Export'" in capsys.readouterr().out


def test_refusing_works_while_the_settings_do_not_load(console: Console) -> None:
    (console.bench.definitions / "settings.yaml").write_text("environment: 7\n")
    assert console.client("nobody").get("/audit").status_code == 403
    answer = console.client().get("/audit", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "settings.yaml:1" in answer.text
