"""An installation whose run has come as far as its jobs: what a per-job stage finds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "pipeline"))

from workbench import Workbench

from bulk_export import pipeline
from bulk_export.runs.open_run import OpenRun
from bulk_export.stages.stage import load_run

WithJobs = Callable[..., OpenRun]


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """An installation of its own for each test."""
    return Workbench(tmp_path)


@pytest.fixture
def with_jobs(bench: Workbench) -> WithJobs:
    """Begin a run of the export with these settings, up to its jobs."""

    def begin(*, parameters: dict[str, Any] | None = None, **export: Any) -> OpenRun:
        bench.export(**export)
        request, site = bench.request(parameters=parameters or {}), bench.site()
        pipeline.validate_filters(site, request)
        pipeline.check_quota(site, request.run_id)
        pipeline.batch_contacts(site, request.run_id)
        return load_run(site, request.run_id)

    return begin
