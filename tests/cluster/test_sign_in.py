"""FAB's sign-in form, and behind it the Exports pages inside of Airflow, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from browser import PATIENCE_MS, chromium

if TYPE_CHECKING:
    from conftest import Cluster


def test_an_administrator_signs_in_by_the_form_and_finds_the_pages(cluster: Cluster) -> None:
    with chromium() as browser:
        page = browser.new_page(locale="en-GB", viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(cluster.api.url)
        page.wait_for_url("**/auth/login**")

        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", "not the password")
        page.keyboard.press("Enter")
        page.get_by_text("Invalid login").wait_for()

        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", cluster.variables["ADMIN_PASSWORD"])
        page.keyboard.press("Enter")
        page.wait_for_url(f"{cluster.api.url}/")
        page.get_by_role("link", name="Exports").click()
        frame = page.frame_locator("iframe")
        frame.get_by_role("heading", name="Bulk Contact Export Audit").wait_for()
        frame.get_by_role("link", name="New Export").first.wait_for()
