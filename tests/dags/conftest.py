"""DAG files parsed as Airflow's DAG processor does it, with the network cut and no metadata database."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import BundleDagBag

PROJECT = Path(__file__).resolve().parents[2]
DAGS = PROJECT / "dags"
DEFINITIONS = PROJECT / "include" / "definitions"

Parse = Callable[[], "BundleDagBag"]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("parsing a DAG file used the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project's definitions, which a test may change."""
    folder = tmp_path / "definitions"
    shutil.copytree(DEFINITIONS, folder)
    monkeypatch.setenv("BULK_EXPORT_DEFINITIONS", str(folder))
    return folder


@pytest.fixture
def parse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Parse]:
    """Parse the project's DAG folder."""
    from airflow.dag_processing.dagbag import BundleDagBag

    monkeypatch.delenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", raising=False)
    yield lambda: BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder")
