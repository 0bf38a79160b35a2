"""What Airflow's plugin scan finds: one small file, which does nothing until the API server asks for the app."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bulk_export_plugin

PLUGINS = Path(bulk_export_plugin.__file__).parent

SCAN = """
import sys
from airflow.plugins_manager import _get_plugins
plugins, errors = _get_plugins()
ours = [plugin for plugin in plugins if plugin.name == "bulk_export"]
assert errors == {}, errors
assert [view["destination"] for view in ours[0].external_views] == ["nav", "dag", "dag_run"]
loaded = [name for name in sys.modules if name.split(".")[0] in {"bulk_export", "bulk_export_console"}]
assert loaded == [], loaded
"""


def test_the_scan_imports_the_registration_file_and_none_of_the_pages(tmp_path: Path) -> None:
    environment = {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PATH": "",
    }
    done = subprocess.run([sys.executable, "-c", SCAN], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_app_is_mounted_where_the_views_look_for_it() -> None:
    plugin = bulk_export_plugin.BulkExportPlugin()
    (mounted,) = plugin.fastapi_apps
    assert mounted["url_prefix"] == "/bulk-export"
    for view in plugin.external_views:
        # Relative to Airflow's own address, which may have a path.
        assert view["href"].startswith("bulk-export/")
