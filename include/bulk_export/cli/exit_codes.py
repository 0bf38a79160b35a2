"""Map errors to exit codes, raised or recorded in a run.

A contact store or a state database that cannot be used as it is counts as refused: no definition names what is wrong
with it. `error_codes.py` says which codes are what somebody typed or wrote in a definition file.
"""

from __future__ import annotations

from bulk_export.error_codes import ERROR_CODES, ErrorKind

DONE, FAILED, BAD_DEFINITIONS, WITH_ERRORS = 0, 1, 2, 3


def exit_code(error_code: str) -> int:
    """The exit code of an error.

    2 for bad usage or definitions, 1 for everything else.
    """
    known = ERROR_CODES.get(error_code)
    return BAD_DEFINITIONS if known and known.kind is ErrorKind.DEFINITION else FAILED
