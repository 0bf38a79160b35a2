"""Put the patches of the first changes into docs/contributing.md.

`make docs` runs it; a test fails when the document is stale, and applies each patch to a copy of the checkout.
"""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "contributing.md"
FOLDER = PROJECT / "tests" / "drift" / "first_changes"


def with_patches(page: str) -> str:
    """Fill each `<!-- patch NAME -->`; `FileNotFoundError` without the patch."""
    return re.sub(
        r"(?<=<!-- patch )(\w+)( -->\n).*?(?=<!-- end -->)",
        lambda found: f"{found[1]}{found[2]}```diff\n{_patch(found[1])}```\n",
        page,
        flags=re.DOTALL,
    )


def _patch(name: str) -> str:
    return (FOLDER / f"{name}.patch").read_text(encoding="utf-8")


def main() -> None:
    """Write the document."""
    PAGE.write_text(with_patches(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
