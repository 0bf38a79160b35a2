"""What Airflow finds: the plugin once, which does nothing until the API server asks for the app."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from bulk_export_airflow.plugin import BulkExportPlugin

PROJECT = Path(__file__).resolve().parents[2]
PLUGINS = PROJECT / "plugins"

SCAN = """
import sys
from airflow.plugins_manager import _get_plugins
plugins, errors = _get_plugins()
ours = [plugin for plugin in plugins if plugin.name == "bulk_export"]
assert errors == {}, errors
assert len(ours) == 1, ours
assert [view["destination"] for view in ours[0].external_views] == ["nav", "dag", "dag_run"]
loaded = [name for name in sys.modules if name.split(".")[0] in {"bulk_export", "bulk_export_console"}]
assert loaded == [], loaded
print(ours[0].source)
"""


@pytest.fixture
def not_installed(tmp_path: Path) -> Path:
    """The packages of this environment but the project itself, as where a checkout is only put on the path."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "bulk_contact_export" not in package.name:
            (folder / package.name).symlink_to(package)
    return folder


def scanned(home: Path, plugins: Path, *path: Path) -> str:
    """Where Airflow has the plugin from; it must be there once and without an error."""
    environment = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PATH": "",
    }
    # -S: without the environment's own packages, where others are given.
    command = [sys.executable, *(["-S"] if path else []), "-c", f"import sys; sys.path += {[*map(str, path)]}\n{SCAN}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_an_installed_project_registers_it_once_though_its_file_is_in_the_plugins_folder(tmp_path: Path) -> None:
    assert "bulk-contact-export==" in scanned(tmp_path, PLUGINS)


@pytest.mark.slow
def test_an_installed_project_needs_no_plugins_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "bulk-contact-export==" in scanned(tmp_path, tmp_path / "empty")


@pytest.mark.slow
def test_a_checkout_that_is_not_installed_registers_it_by_the_file(tmp_path: Path, not_installed: Path) -> None:
    source = scanned(tmp_path, PLUGINS, not_installed, PROJECT / "include")
    assert source == "$PLUGINS_FOLDER/bulk_export_plugin.py"


def test_the_app_is_mounted_where_the_views_look_for_it() -> None:
    plugin = BulkExportPlugin()
    (mounted,) = plugin.fastapi_apps
    assert mounted["url_prefix"] == "/bulk-export"
    for view in plugin.external_views:
        # Relative to Airflow's own address, which may have a path.
        assert view["href"].startswith("bulk-export/")
