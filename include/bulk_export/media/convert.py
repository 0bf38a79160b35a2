"""Make one file, or say why not. Runs in a converting process."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from bulk_export.jobs.item_fault import ItemFault
from bulk_export.media.conversion import Conversion, ConversionOutcome
from bulk_export.media.plan import Copy, Source, Unusable, plan
from bulk_export.media.probe import probe
from bulk_export.media.remarks import remarks
from bulk_export.media.transcode import build
from bulk_export.reasons import Reason

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


def convert(conversion: Conversion) -> ConversionOutcome:
    """Make the file, or say why not."""
    try:
        conversion.into.write_bytes(b"")
    except OSError as error:
        return ConversionOutcome("failed", detail=f"cannot write scratch files: {error.strerror}")
    try:
        return _convert(conversion)
    except ItemFault as fault:
        return ConversionOutcome("fault", fault.reason, fault.detail)
    except FileNotFoundError:
        return ConversionOutcome("fault", Reason.MEDIA_MISSING, "the stored file is not there any more")
    except Exception as error:
        number = getattr(error, "errno", None)
        if number in _NO_ROOM:
            return ConversionOutcome("failed", detail=f"cannot write scratch files: {os.strerror(number)}")
        # An encoder that fails with an error of its own is out of memory, or the picture is beyond what it can do.
        if isinstance(error, MemoryError) or number == errno.ENOMEM or type(error).__name__ == "ExternalError":
            megabytes = conversion.limits.max_memory_bytes // 1024**2
            return ConversionOutcome(
                "fault", Reason.MEDIA_TOO_LARGE, f"too much for the encoder, or for {megabytes} MB of memory"
            )
        detail = f"cannot be converted ({getattr(error, 'strerror', None) or type(error).__name__})"
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
