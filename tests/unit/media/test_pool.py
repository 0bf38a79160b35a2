import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

import bulk_export
from bulk_export.errors import RefusedError, TransientError
from bulk_export.formats.encoders import AudioEncoder
from bulk_export.formats.media import MEDIA_FORMATS, MediaFormat
from bulk_export.media.conversion import Conversion, ConversionOutcome
from bulk_export.media.faults import MediaLimits
from bulk_export.media.plan import RequestedFile
from bulk_export.media.pool import Converters
from bulk_export.reasons import Reason

REQUESTED = RequestedFile("media", MEDIA_FORMATS["ogg"], ("audio",))
PATIENCE_S = 60.0


@pytest.fixture
def converters():
    pool = Converters()
    yield pool
    pool.close()


@pytest.fixture
def short(media, stored):
    return media.wav(stored("short.wav"))


@pytest.fixture
def long(media, stored):
    """Some seconds of work for any machine: ten minutes of stereo at 48 kHz."""
    return media.long_wav(stored("long.wav"), 600)


def conversion(source: Path, into: Path, **limits) -> Conversion:
    return Conversion(REQUESTED, source, None, into, MediaLimits(**limits))


def eventually(condition) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.02)


def gone(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def workers(parent: int | None = None) -> list[int]:
    """Ids of the converting processes that this process, or another, has."""
    children = psutil.Process(parent).children()
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child.pid for child in alive if "bulk_export.media.worker" in child.cmdline()]


def started_in_thread(converters, wanted):
    """A conversion under way, and where its outcome will be."""
    outcomes: list[ConversionOutcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(converters.convert(wanted)))
    thread.start()
    eventually(lambda: wanted.into.exists() and wanted.into.stat().st_size > 0)
    return thread, outcomes


def test_one_process_serves_many_files_and_none_is_started_before(converters, short, tmp_path):
    assert workers() == []
    for number in range(3):
        assert converters.convert(conversion(short, tmp_path / str(number))).verdict == "built"
    assert converters.started == 1


@pytest.mark.faults("rows")
def test_a_conversion_that_takes_too_long_is_a_fault_and_its_process_is_replaced(converters, short, long, tmp_path):
    assert converters.convert(conversion(short, tmp_path / "a")).verdict == "built"
    (first,) = workers()
    outcome = converters.convert(conversion(long, tmp_path / "b", timeout_s=0.3))
    assert outcome == ConversionOutcome("fault", Reason.MEDIA_CORRUPT, "conversion exceeded 0.3 s")
    assert gone(first)
    assert converters.convert(conversion(short, tmp_path / "c")).verdict == "built"
    assert converters.started == 2


@pytest.mark.faults("kill")
def test_a_process_that_dies_is_a_fault_of_its_file_and_is_replaced(converters, short, long, tmp_path):
    thread, outcomes = started_in_thread(converters, conversion(long, tmp_path / "a"))
    (process_id,) = workers()
    os.kill(process_id, signal.SIGKILL)
    thread.join(PATIENCE_S)
    detail = "conversion broke its process (SIGKILL)"
    assert outcomes == [ConversionOutcome("fault", Reason.MEDIA_CORRUPT, detail)]
    assert converters.convert(conversion(short, tmp_path / "b")).verdict == "built"


@pytest.mark.faults("kill")
def test_a_process_that_dies_while_idle_is_replaced_unnoticed(converters, short, tmp_path):
    converters.convert(conversion(short, tmp_path / "a"))
    (process_id,) = workers()
    os.kill(process_id, signal.SIGKILL)
    eventually(lambda: gone(process_id))
    assert converters.convert(conversion(short, tmp_path / "b")).verdict == "built"


@pytest.mark.faults("kill")
@pytest.mark.slow
def test_a_signal_for_the_whole_process_group_fails_no_file(converters, long, short, tmp_path):
    thread, outcomes = started_in_thread(converters, conversion(long, tmp_path / "a", max_duration_s=700))
    (process_id,) = workers()
    os.kill(process_id, signal.SIGTERM)
    os.kill(process_id, signal.SIGINT)
    thread.join(PATIENCE_S)
    assert [outcome.verdict for outcome in outcomes] == ["built"]


def test_closing_stops_a_conversion_under_way(long, tmp_path):
    converters, raised = Converters(), []

    def convert():
        try:
            converters.convert(conversion(long, tmp_path / "a"))
        except TransientError as error:
            raised.append(error.code)

    thread = threading.Thread(target=convert)
    thread.start()
    eventually((tmp_path / "a").exists)
    (process_id,) = workers()
    converters.close()
    thread.join(PATIENCE_S)
    assert raised == ["CONVERTER_FAILED"]
    assert gone(process_id)


@pytest.mark.faults("kill")
def test_no_process_outlives_a_parent_that_is_killed(long, tmp_path):
    program = (
        "import sys, threading; from pathlib import Path\n"
        "from bulk_export.media.conversion import Conversion; from bulk_export.media.faults import MediaLimits\n"
        "from bulk_export.formats.media import MEDIA_FORMATS\n"
        "from bulk_export.media.plan import RequestedFile; from bulk_export.media.pool import Converters\n"
        "pool = Converters(); source, into = map(Path, sys.argv[1:])\n"
        "asked = RequestedFile('media', MEDIA_FORMATS['ogg'], ('audio',))\n"
        "line = Conversion(asked, source, None, into, MediaLimits())\n"
        "threading.Thread(target=pool.convert, args=(line,), daemon=True).start()\n"
        "while not (into.exists() and into.stat().st_size): pass\n"
        "print('converting', flush=True); sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(long), str(tmp_path / "a")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout.readline() == "converting\n"
    (process_id,) = workers(parent.pid)
    assert not gone(process_id)
    parent.kill()
    parent.wait()
    eventually(lambda: gone(process_id))
    parent.stdin.close()
    parent.stdout.close()


def _convert_in_daemon(source: Path, into: Path, answer) -> None:
    pool = Converters()
    try:
        answer.put(pool.convert(conversion(source, into)).verdict)
    finally:
        pool.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_daemonic_process_as_tasks_are_may_convert(short, tmp_path):
    """A forked, daemonic process may not have multiprocessing children; ours are none."""
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    task = context.Process(target=_convert_in_daemon, args=(short, tmp_path / "a", answer), daemon=True)
    task.start()
    assert answer.get(timeout=PATIENCE_S) == "built"
    task.join(PATIENCE_S)


def test_without_the_media_library_the_run_is_refused(short, tmp_path, monkeypatch):
    (tmp_path / "av.py").write_text("raise ImportError('no media here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    pool = Converters()
    with pytest.raises(RefusedError, match="CONVERTER_UNAVAILABLE: media cannot be converted: no media here"):
        pool.convert(conversion(short, tmp_path / "a"))
    assert workers() == []


@pytest.mark.faults("rows")
def test_a_file_that_needs_more_memory_than_allowed_is_too_large(converters, media, stored, short, tmp_path):
    screen = media.video(stored("s.webm"), times=(0.0,), size=(8192, 4096))
    limits = MediaLimits(max_memory_bytes=700 * 1024**2)
    asked = Conversion(RequestedFile("media", MEDIA_FORMATS["mp4"], ("screen",)), None, screen, tmp_path / "a", limits)
    outcome = converters.convert(asked)
    assert (outcome.verdict, outcome.reason) == ("fault", Reason.MEDIA_TOO_LARGE), outcome
    assert converters.convert(conversion(short, tmp_path / "b")).verdict == "built"


def test_the_working_directory_holds_no_modules_for_a_process(converters, short, tmp_path, monkeypatch):
    (tmp_path / "av.py").write_text("raise ImportError('not the library')")
    monkeypatch.chdir(tmp_path)
    assert converters.convert(conversion(short, tmp_path / "a")).verdict == "built"


def test_a_process_runs_the_package_of_its_parent_though_only_sys_path_leads_there(short, tmp_path):
    shutil.copytree(Path(bulk_export.__file__).parent, tmp_path / "dags/bulk_export")
    (tmp_path / "dags/bulk_export/media/convert.py").write_text(
        "from bulk_export.media.conversion import ConversionOutcome\n"
        "def convert(conversion): return ConversionOutcome('failed', detail='from the DAG folder')\n"
    )
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from bulk_export.formats.media import MEDIA_FORMATS; from bulk_export.media.plan import RequestedFile\n"
        "from bulk_export.media.conversion import Conversion; from bulk_export.media.faults import MediaLimits\n"
        "from bulk_export.media.pool import Converters\n"
        "source, into = map(Path, sys.argv[2:])\n"
        "asked = RequestedFile('media', MEDIA_FORMATS['ogg'], ('audio',))\n"
        "print(Converters().convert(Conversion(asked, source, None, into, MediaLimits())).detail)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "dags"), str(short), str(tmp_path / "a")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "from the DAG folder\n"


def test_a_process_makes_a_format_that_only_its_parent_has_registered(converters, short, tmp_path, media):
    flac = MediaFormat(
        "flac",
        "FLAC",
        frozenset({"audio_only"}),
        "flac",
        "audio/flac",
        "flac",
        AudioEncoder("flac", "flac", "s16"),
        frozenset({"flac"}),
    )
    asked = Conversion(RequestedFile("media", flac, ("audio",)), short, None, tmp_path / "a", MediaLimits())
    assert converters.convert(asked).verdict == "built"
    assert media.look(tmp_path / "a").audio == "flac"
