from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bulk_export.errors import RefusedError, TransientError
from bulk_export.staging.private_folder import private_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_this_user_can_enter_and_the_same_folder_is_found_again(tmp_path: Path) -> None:
    folder = private_folder(tmp_path, "ab12")
    (folder / "contacts.csv").write_text("kept")
    assert [mode(folder), mode(folder.parent)] == [0o700, 0o700]
    assert private_folder(tmp_path, "ab12") == folder
    assert (folder / "contacts.csv").read_text() == "kept"


def test_a_folder_of_ours_that_others_could_enter_is_closed(tmp_path: Path) -> None:
    own = private_folder(tmp_path, "ab12").parent
    own.chmod(0o777)
    private_folder(tmp_path, "cd34")
    assert mode(own) == 0o700


def test_another_users_folder_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "bulk-export").mkdir(mode=0o500)
    (tmp_path / f"bulk-export-{os.getuid() + 1}").mkdir(mode=0o500)
    assert private_folder(tmp_path, "ab12").is_dir()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_what_somebody_else_made_in_our_name_is_not_used(tmp_path: Path) -> None:
    own = private_folder(tmp_path, "ab12").parent
    os.chown(own, 4711, 4711)
    with pytest.raises(RefusedError, match="SCRATCH_DENIED"):
        private_folder(tmp_path, "ab12")


def test_a_link_or_a_file_in_our_name_is_not_used(tmp_path: Path) -> None:
    own = tmp_path / f"bulk-export-{os.getuid()}"
    own.symlink_to(tmp_path)
    with pytest.raises(RefusedError, match="SCRATCH_DENIED"):
        private_folder(tmp_path, "ab12")
    own.unlink()
    own.write_text("")
    with pytest.raises(RefusedError, match="SCRATCH_DENIED"):
        private_folder(tmp_path, "ab12")


def test_a_place_that_is_not_there_may_be_there_later(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="SCRATCH_FAILED"):
        private_folder(tmp_path / "gone", "ab12")
