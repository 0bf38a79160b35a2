"""Converting recordings against the ffmpeg program run two at a time, with the same encoders and settings.

    python benchmarks/transcoding.py [--rounds 5] [--quick]

Calls of three minutes in G.711 become MP3 and Opus; a screen in WebM and its call become one MP4. Ours is the stage
`copy_media`, the start of its converting processes included (that of its own is not: it serves 10,000 contacts); it
judges every file before and makes its checksum after. ffmpeg does neither, and gets one thread per file, as ours does.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from compare import Comparison, Contender, Fact, Facts, Options, Target, act, alternate, script, timed

CALL_S, SCREEN_S, CALLS, SCREENS = 180, 60, 32, 8
_RATE = 8000
AUDIO_ARGUMENTS: Mapping[str, Sequence[str]] = {
    "mp3": ("-c:a", "libmp3lame", "-b:a", "32k", "-compression_level", "7"),
    "ogg": ("-c:a", "libopus", "-b:a", "24k", "-compression_level", "5"),
}
MP4_ARGUMENTS = (
    *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-bf", "0", "-pix_fmt", "yuv420p", "-g", "50"),
    *("-c:a", "aac", "-aac_coder", "fast", "-b:a", "32k"),
)


def ffmpeg_program() -> str:
    """The program that the peers' requirements bring, else the machine's."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except ImportError:
        found = shutil.which("ffmpeg")
        if found is None:
            raise RuntimeError("no ffmpeg program: install benchmarks/requirements.txt") from None
        return found


def measure(options: Options) -> list[Comparison]:
    calls, screens = options.size(CALLS, 2), options.size(SCREENS, 2)
    store = options.new_folder("recordings")
    make_recordings(store, calls, screens, options.size(CALL_S, 3), options.size(SCREEN_S, 3))
    program = ffmpeg_program()
    found = [
        compared(options, store, calls, name, [program, *_OPTIONS, "-i", f"{store}/{{}}.wav", *AUDIO_ARGUMENTS[name]])
        for name in AUDIO_ARGUMENTS
    ]
    both = [program, *_OPTIONS, "-i", f"{store}/{{}}.webm", "-i", f"{store}/{{}}-screen.wav", *MP4_ARGUMENTS]
    return [*found, compared(options, store, screens, "mp4", both)]


_OPTIONS = ("-nostdin", "-loglevel", "error", "-threads", "1", "-filter_threads", "1")
# Seen with a profiler: nine tenths of the time are inside the encoders.
_REASONS = {
    "mp4": "The encoders are the same, and so is nearly all of their time; what is left is starting the converting "
    "processes, judging the files, and Python's part for each packet and picture.",
}
_WORDS = {"mp3": "calls to MP3", "ogg": "calls to Opus", "mp4": "screens with their calls to MP4"}


def compared(options: Options, store: Path, files: int, form: str, arguments: Sequence[str]) -> Comparison:
    def theirs(into: Path) -> list[str]:
        # Numbers come in, two programs run at once.
        words = " ".join(f"'{part}'" for part in [*arguments, "-threads", "1", f"{into}/{{}}.{form}"])
        return ["sh", "-c", f"seq 0 {files - 1} | xargs -P 2 -I '{{}}' {words}"]

    lines = alternate(options, f"to-{form}", [
        Contender("bulk-export", lambda into: act(__file__, "ours", store, files, form, into), files),
        Contender("ffmpeg, two at a time", theirs, files),
    ])  # fmt: skip
    return Comparison(
        f"{files} {_WORDS[form]}",
        "files/s",
        lines,
        [Target(f"{_WORDS[form]} against ffmpeg", lines[0].rate / lines[1].rate, 1, reason=_REASONS.get(form, ""))],
        [sizes(options, form)],
    )


def sizes(options: Options, form: str) -> str:
    """How large what both made is: as large, if the settings are the same."""
    ours = [path.stat().st_size for path in (options.folder / f"to-{form}").glob(f"0-0/**/*.{form}")]
    theirs = [path.stat().st_size for path in (options.folder / f"to-{form}").glob(f"1-0/*.{form}")]
    return f"Bytes written: {sum(ours):,} ours, {sum(theirs):,} ffmpeg's."


def make_recordings(store: Path, calls: int, screens: int, call_s: int, screen_s: int) -> None:
    """Calls whose sound is like speech, each another; screens that change as people work."""
    import numpy as np

    rng = np.random.default_rng(7)
    sound = _speech(rng, max(call_s, screen_s) + 10 + calls)
    for number in range(calls):
        _write_wav(store / f"{number}.wav", sound[number * _RATE :][: call_s * _RATE])
    for number in range(screens):
        _write_wav(store / f"{number}-screen.wav", sound[number * _RATE :][: screen_s * _RATE])
        if number == 0:
            _write_screen(store / "0.webm", rng, screen_s)
        else:
            shutil.copy(store / "0.webm", store / f"{number}.webm")


def _speech(rng, seconds: int):  # type: ignore[no-untyped-def]
    """Noise through a few slowly moving resonances, in syllables and pauses, with an undertone: as hard as a voice."""
    import numpy as np

    samples = seconds * _RATE
    at = np.arange(samples) / _RATE
    pitch = 120 + 30 * np.sin(at * 0.9)
    voice = np.zeros(samples)
    for harmonic in range(1, 20):
        weight = np.exp(-(((pitch * harmonic - 600 - 300 * np.sin(at * 2.1)) / 500) ** 2)) + 0.3 / harmonic
        voice += weight * np.sin(2 * np.pi * np.cumsum(pitch * harmonic) / _RATE)
    syllables = np.clip(np.sin(at * 2 * np.pi * 3.7) + 0.4 * np.sin(at * 1.3), 0, None)
    sentences = np.sin(at * 2 * np.pi / 7) > -0.4
    sound = voice * syllables * sentences + rng.normal(0, 0.05, samples)
    return (sound / np.abs(sound).max() * 20_000).astype(np.int16)


def _write_wav(path: Path, samples) -> None:  # type: ignore[no-untyped-def]
    """G.711 µ-law in a WAV, as recorders write it."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_mulaw", rate=_RATE, layout="mono")
        for start in range(0, len(samples), _RATE):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + _RATE], format="s16", layout="mono")
            frame.sample_rate = _RATE
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def _write_screen(path: Path, rng, seconds: int) -> None:  # type: ignore[no-untyped-def]
    """VP8 of 1280 × 720, five pictures a second: a window of text, scrolled and typed into."""
    import av
    import numpy as np

    page = np.repeat(np.repeat(rng.integers(0, 2, (600, 160), dtype=np.uint8) * 200 + 30, 4, 0), 8, 1)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libvpx", rate=5, options={"deadline": "realtime", "cpu-used": "8", "b": "600k"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(seconds * 5):
            picture = np.full((720, 1280), 235, np.uint8)
            top = number // 10 * 16
            picture[60:660, 40:1240] = page[top : top + 600, 40:1240]
            picture[660:690, 40 : 60 + number * 7 % 1200] = 60
            frame = av.VideoFrame.from_ndarray(np.repeat(picture[:, :, None], 3, 2), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def ours(store: str, files: str, form: str, into: str) -> Facts:
    import pyarrow as pa

    from bulk_export.contacts.addresses import Addresses
    from bulk_export.definitions.models import MediaFormats
    from bulk_export.media.job import MediaLimits, copy_job_media
    from bulk_export.staging.journal import Journal
    from bulk_export.storage.local import LocalStorage

    count, video = int(files), form == "mp4"
    audio = "{}-screen.wav" if video else "{}.wav"
    contacts = pa.table(
        {
            "contact_id": pa.array(range(count), pa.int64()),
            "contact_type": ["CALL"] * count,
            "recycled": [False] * count,
            "audio_uri": [audio.format(number) for number in range(count)],
            "screen_uri": pa.array([f"{number}.webm" if video else None for number in range(count)], pa.string()),
            "audio_bytes": pa.nulls(count, pa.int64()),
            "screen_bytes": pa.nulls(count, pa.int64()),
        }
    )
    wanted = {"audio_video": "mp4"} if video else {"audio_only": form}
    destination = LocalStorage(Path(into))
    facts: dict[str, Fact] = {}
    with timed(facts):
        counts = copy_job_media(
            contacts, job=1, formats=MediaFormats.model_validate(wanted),
            addresses=Addresses(LocalStorage(Path(store))),
            destination=destination, run_prefix="run", journal=Journal(destination, "journal"),
            scratch=Path(into) / "scratch", workers=2, limits=MediaLimits(),
            progress=lambda *, contacts_done, bytes_written: None,
        )  # fmt: skip
    if counts.delivered != count:
        raise RuntimeError(f"not all were delivered: {counts}")
    return facts


if __name__ == "__main__":
    script(measure, {"ours": ours})
