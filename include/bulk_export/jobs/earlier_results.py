"""What earlier attempts at a job achieved: a retry resumes there."""

from __future__ import annotations

from collections.abc import Collection

from bulk_export.reasons import NOT_APPLICABLE
from bulk_export.staging.journal import FileKind, FileResult, Journal
from bulk_export.storage.base import Storage


class EarlierResults:
    """Results in a job's journal, compared with what the destination holds.

    Args:
        journal: of the job; of several results for the same file the last one counts.
        destination: the storage location.
        run_prefix: key of the run's directory in it.
        folder: of the job's files inside of that, such as `data/media/0001`.
    """

    def __init__(self, journal: Journal, destination: Storage, run_prefix: str, folder: str) -> None:
        self._results: dict[int, dict[FileKind, FileResult]] = {}
        for result in journal.read():
            self._results.setdefault(result.contact_id, {})[result.kind] = result
        self._run_prefix = run_prefix
        self._present = {entry.key: entry.bytes for entry in destination.list(f"{run_prefix}/{folder}/")}
        self._paths = frozenset(
            result.path for kinds in self._results.values() for result in kinds.values() if result.path
        )

    def may_replace(self, path: str) -> bool:
        """Whether the file is ours: an earlier attempt delivered it.

        Also one that was there when the job began and no result names: a power cut has taken the result, and has torn
        the file perhaps.
        """
        return path in self._paths or self.holds(path)

    def holds(self, path: str) -> bool:
        """Whether the destination held the path when the job began."""
        return f"{self._run_prefix}/{path}" in self._present

    def up_to_date(self, contact_id: int, kinds: Collection[FileKind]) -> list[FileResult] | None:
        """A contact's results if nothing is left to do, else None.

        Delivered files count while the destination holds them with their size. A faulty one is tried again: what was
        missing may have arrived.

        Args:
            contact_id: the contact.
            kinds: of the results it shall have.
        """
        known = self._results.get(contact_id)
        if known is None or known.keys() != set(kinds) or not all(map(self._is_valid, known.values())):
            return None
        return list(known.values())

    def unknown(self, results: list[FileResult]) -> list[FileResult]:
        """The results that the journal does not hold already."""
        return [result for result in results if self._results.get(result.contact_id, {}).get(result.kind) != result]

    def _is_valid(self, result: FileResult) -> bool:
        if not result.delivered:
            return result.reason in NOT_APPLICABLE
        return self._present.get(f"{self._run_prefix}/{result.path}") == result.bytes
