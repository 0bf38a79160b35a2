"""Coverage-guided fuzzing of one target: `.venv/bin/python tests/fuzz/fuzz.py TARGET [SECONDS]`.

Needs atheris, which is not in the lock: `.venv/bin/uv pip install --python .venv/bin/python atheris`. A target is a
module of `targets/` with `run(data)`: any exception that leaves it is a finding. What finds something is written to
the current directory as `crash-…`; fix the product, then keep the file as `corpus/<target>/<what it was>`, which the
ordinary tests run from then on.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
TARGETS = sorted(path.stem for path in (HERE / "targets").glob("*.py"))


def main() -> None:
    """Fuzz until the time is up or something is found."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: fuzz.py {'|'.join(TARGETS)} [SECONDS]")
    try:
        import atheris
    except ImportError:
        sys.exit("fuzzing needs atheris: .venv/bin/uv pip install --python .venv/bin/python atheris")
    name, seconds = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "60"
    sys.path.insert(0, str(HERE / "targets"))
    with atheris.instrument_imports(include=["bulk_export", "yaml"]):
        target = import_module(name)
    corpus = HERE / "corpus" / name
    with tempfile.TemporaryDirectory(prefix="bulk-export-fuzz-") as found:
        arguments = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=20", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *arguments, found, str(corpus)], target.run)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
