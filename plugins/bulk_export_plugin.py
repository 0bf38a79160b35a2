"""Register the Exports pages where the package is not installed.

Where it is (`make setup`, `pip install`), its entry point of the group `airflow.plugins` registers them, and this file
names nothing: Airflow 3.3 reads the plugins folder first, skips a second plugin of the same name, and lists the skipped
one as a plugin that failed to load.

The pages are in `bulk_export_console/` beside this file; `.airflowignore` keeps the plugin scan, which would import
each of its modules as a plugin of its own, out of it (seen in 3.3.2: it does not descend into an ignored folder).
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

from bulk_export_airflow import plugin

PACKAGE = "bulk-contact-export"
GROUP = "airflow.plugins"


def has_entry_point(package: str) -> bool:
    """Whether an installed package registers a plugin; 0.1.0 did not."""
    try:
        return any(entry_point.group == GROUP for entry_point in distribution(package).entry_points)
    except PackageNotFoundError:
        return False


if not has_entry_point(PACKAGE):
    BulkExportPlugin = plugin.BulkExportPlugin
