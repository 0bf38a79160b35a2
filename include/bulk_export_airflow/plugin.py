"""Register the Exports pages with Airflow.

They are an app below /bulk-export, and the places where the UI shows it.

Airflow imports this module in every process, tasks included, so it only names things: the app is built when the API
server asks for it, and only then are the pages, in `bulk_export_console`, imported. Their package does not have to be
on the path of any other process.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

from airflow.plugins_manager import AirflowPlugin

CREATE_APP = "bulk_export_console.app:create_app"
# Relative: the UI takes it from its own address, which has a path of its own where [api] base_url has one.
PREFIX = "bulk-export"
_ICONS = {"icon": f"{PREFIX}/static/icon.svg", "icon_dark_mode": f"{PREFIX}/static/icon-dark.svg"}


class BulkExportPlugin(AirflowPlugin):
    """The pages in the navigation, and as tabs of DAGs and runs."""

    name = "bulk_export"
    external_views = [  # noqa: RUF012 - the base class declares it like this
        {
            "name": "Exports",
            "href": f"{PREFIX}/",
            "destination": "nav",
            "url_route": "exports",
            "nav_top_level": True,
            **_ICONS,
        },
        {
            "name": "Export",
            "href": f"{PREFIX}/dag/{{DAG_ID}}",
            "destination": "dag",
            "url_route": "export-audit",
            **_ICONS,
        },
        {
            "name": "Export",
            "href": f"{PREFIX}/dag-run/{{DAG_ID}}/{{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "export-run",
            **_ICONS,
        },
    ]

    @property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        """The app, built anew for whoever asks: only the API server does."""
        return [{"app": resolve_name(CREATE_APP)(), "url_prefix": f"/{PREFIX}", "name": "Bulk Contact Export"}]
