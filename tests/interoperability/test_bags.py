"""A delivered directory is proven whole by programs not written here, and a damaged one is not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import Delivered

BAGIT = [sys.executable, "-m", "bagit", "--validate", "."]
SHA256SUM = ["sha256sum", "--quiet", "-c", "tagmanifest-sha256.txt", "manifest-sha256.txt"]


def proves(command: list[str], directory: Path) -> bool:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("command", [BAGIT, SHA256SUM], ids=["bagit.py", "sha256sum"])
def test_a_delivered_directory_is_whole(delivered: Delivered, command: list[str]) -> None:
    assert proves(command, delivered.directory)


@pytest.mark.parametrize("command", [BAGIT, SHA256SUM], ids=["bagit.py", "sha256sum"])
@pytest.mark.parametrize("name", ["data/contacts.csv", "data/items.csv", "data/media/0001/100001.wav", "bag-info.txt"])
def test_one_changed_byte_shows(delivered: Delivered, command: list[str], name: str, tmp_path: Path) -> None:
    damaged = shutil.copytree(delivered.directory, tmp_path / "run")
    content = bytearray((damaged / name).read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / name).write_bytes(content)
    assert not proves(command, damaged)


def test_bagit_finds_a_file_too_many_and_one_too_few(delivered: Delivered, tmp_path: Path) -> None:
    more = shutil.copytree(delivered.directory, tmp_path / "more")
    (more / "data/extra").write_bytes(b"")
    fewer = shutil.copytree(delivered.directory, tmp_path / "fewer")
    (fewer / "data/export.yaml").unlink()
    assert not proves(BAGIT, more)
    assert not proves(BAGIT, fewer)


def test_bagit_reads_what_the_bag_says_of_itself(delivered: Delivered) -> None:
    import bagit

    bag = bagit.Bag(str(delivered.directory))
    assert bag.version_info == (1, 0)
    assert bag.info["Contacts-Matched"] == str(len(delivered.shown()) + 1)
    assert bag.info["Contacts-Masked"] == "1"
    assert set(bag.algorithms) == {"sha256"}
