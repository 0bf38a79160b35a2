"""`make stop`: end the local Airflow that `make demo` started."""

from __future__ import annotations

from pathlib import Path

from local_airflow.instance import LocalAirflow, project_folders

PROJECT = Path(__file__).resolve().parents[1]


def main() -> None:
    """End it and say so."""
    ended = LocalAirflow(project_folders(PROJECT)).stop()
    print(f"Airflow stopped ({ended} processes)." if ended else "Airflow was not running.")


if __name__ == "__main__":
    main()
