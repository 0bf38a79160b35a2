"""Write docs/licences.md from the metadata of installed, locked packages.

`make docs` runs it. Packages of the lock that this machine does not need (another system or Python) are listed without
a licence.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs/licences.md"

# Long texts and old classifiers by their SPDX identifiers.
_BY_CLASSIFIER = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_LONGEST_NAME = 60
ELSEWHERE = "for other systems or versions of Python"

INTRODUCTION = """\
# Licences of what is installed

Written by `make docs` from the packages' own metadata. The project itself is [Apache-2.0](../LICENSE); it contains no
vendored and no generated code. Its wheel contains none of the packages below: `make setup` installs them from the lock.

Worth knowing: the wheel of `av` brings FFmpeg with libx264 and libx265, which are GPL-2.0-or-later; `psycopg`,
`psycopg-binary` and `lameenc` are LGPL. The project uses them as separate, replaceable packages. Who passes on an image
with them inside has to meet their terms.

"""


def locked() -> dict[str, str]:
    """Read version by normalised name from the lock; first of several."""
    found: dict[str, str] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", (PROJECT / "constraints.txt").read_text(), re.M):
        found.setdefault(normalised(name), version)
    return found


def normalised(name: str) -> str:
    """A package's name as an index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(package: Distribution) -> str:
    """Licence of a package: its SPDX expression, else its older fields."""
    metadata = package.metadata
    if expression := metadata.get_all("License-Expression"):
        return str(expression[0])
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith("License ::") and line != "License :: OSI Approved"
    ]
    said = "".join(metadata.get_all("License") or []).strip()
    if classifiers and not (set(classifiers) == {"BSD License"} and said):
        return ", ".join(sorted({_BY_CLASSIFIER.get(name, name) for name in classifiers}))
    if said and len(said) <= _LONGEST_NAME and "\n" not in said:
        return said
    return "see its licence file" if said or metadata.get_all("License-File") else "not said"


def page() -> str:
    """The whole document."""
    installed = {normalised(package.metadata["Name"]): package for package in distributions()}
    rows = []
    for name, version in sorted(locked().items()):
        package = installed.get(name)
        said = licence(package) if package else ELSEWHERE
        rows.append(f"| {name} | {package.version if package else version} | {said.replace('|', '/')} |\n")
    return f"{INTRODUCTION}| package | version | licence |\n| --- | --- | --- |\n{''.join(rows)}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
