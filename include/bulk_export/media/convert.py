"""Make one file, or say why not. Runs in a converting process."""

from __future__ import annotations

import errno
from pathlib import Path

from bulk_export.errors import BulkExportError, UnreadableError
from bulk_export.jobs.item_fault import ItemFault
from bulk_export.media.conversion import Conversion, ConversionOutcome
from bulk_export.media.plan import Copy, Source, Unusable, plan
from bulk_export.media.probe import probe
from bulk_export.media.remarks import remarks
from bulk_export.media.transcode import build
from bulk_export.reasons import Reason
from bulk_export.storage.faults import machine_error, scratch_faults

# Not the file's fault. Memory is: it has a limit, which no other file of the job has reached.
_NONE_LEFT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS})


def convert(conversion: Conversion) -> ConversionOutcome:
    """Make the file, or say why not."""
    try:
        with scratch_faults(conversion.into):
            conversion.into.write_bytes(b"")
        return _convert(conversion)
    except ItemFault as fault:
        return ConversionOutcome("fault", fault.reason, fault.detail)
    except UnreadableError as error:
        return ConversionOutcome("fault", Reason.MEDIA_CORRUPT, f"it cannot be read ({error.cause})")
    except BulkExportError as error:
        return ConversionOutcome("failed", detail=error.message, code=error.code)
    except FileNotFoundError:
        return ConversionOutcome("fault", Reason.MEDIA_MISSING, "the stored file is not there any more")
    except Exception as error:
        number = getattr(error, "errno", None)
        if number in _NONE_LEFT:
            failure = machine_error(OSError(number, ""), "conversion")
            return ConversionOutcome("failed", detail=failure.message, code=failure.code)
        # An encoder that fails with an error of its own is out of memory, or the picture is beyond what it can do.
        if isinstance(error, MemoryError) or number == errno.ENOMEM or type(error).__name__ == "ExternalError":
            megabytes = conversion.limits.max_memory_bytes // 1024**2
            return ConversionOutcome(
                "fault", Reason.MEDIA_TOO_LARGE, f"too much for the encoder, or for {megabytes} MB of memory"
            )
        what = "it cannot be read" if isinstance(error, OSError) else "cannot be converted"
        detail = f"{what} ({getattr(error, 'strerror', None) or type(error).__name__})"
        return ConversionOutcome("fault", Reason.MEDIA_CORRUPT, detail)


def _convert(conversion: Conversion) -> ConversionOutcome:
    audio = probe(conversion.audio, "audio") if conversion.audio else None
    screen = probe(conversion.screen, "screen") if conversion.screen else None
    decided = plan(conversion.requested, audio, screen)
    if isinstance(decided, Unusable):
        return ConversionOutcome("fault", Reason.MEDIA_CORRUPT, decided.detail)
    if isinstance(decided, Copy):
        return ConversionOutcome("copy")
    stored: dict[Source, Path] = {}
    if conversion.audio:
        stored["audio"] = conversion.audio
    if conversion.screen:
        stored["screen"] = conversion.screen
    build(decided, stored, conversion.into, conversion.limits)
    return ConversionOutcome("built", detail=remarks(audio, screen))
