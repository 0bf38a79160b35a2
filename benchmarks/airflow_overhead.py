"""What Airflow adds to a small run with the shipped settings, and what 1,000 saved exports cost its DAG processor.

    python benchmarks/airflow_overhead.py [--rounds 5] [--quick]

The same run of twenty contacts goes through the scheduler of a whole Airflow (scheduler, DAG processor, API server,
triggerer, SQLite) and, in a process that has loaded everything, straight through the stages. The difference over the
eight tasks is what one task costs. It is taken from Airflow's own times, from the run's being asked for to its end.

Parsing is what the DAG processor's child does with one file: import it, build every DAG, serialise every DAG. The child
is forked from a process that has loaded Airflow, so loading Airflow is not counted.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from compare import PROJECT, Comparison, Contender, Fact, Facts, Line, Options, Round, Target, act, alternate, script
from compare import timed as timing
from installation import AS_STORED, define, scheduler

CONTACTS, TASKS, EXPORTS = 20, 8, 1_000
_PARSING = (
    "Nearly all of it is Airflow's own: making eight operators for each DAG, turning them into JSON and checking that "
    "against a schema. Reading and checking the definitions is a few percent."
)
_TASK = (
    "A task's process imports Airflow's client, the DAG file and the libraries of its stage, and waits for the "
    "scheduler twice; the stages run one after the other, so all of it adds up."
)


def measure(options: Options) -> list[Comparison]:
    return [small_run(options), parsing(options)]


def small_run(options: Options) -> Comparison:
    import subprocess

    from installation import PROGRAM

    base = options.new_folder("small-run")
    store = base / "store"
    command = [PROGRAM, "sample-store", store, "--contacts", str(CONTACTS), "--seed", "1"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    plain = base / "plain"
    plain.mkdir()
    definitions = define(plain, store, plain / "exports", media=AS_STORED, transcripts="json")
    stages = alternate(options, "small-run/stages", [
        Contender("the stages alone", lambda into: act(__file__, "stages", definitions), 0)
    ])  # fmt: skip
    folder = base / "airflow"
    folder.mkdir()
    definitions = define(folder, store, folder / "exports", media=AS_STORED, transcripts="json")
    rounds = []
    with scheduler(definitions) as airflow:
        airflow.run()  # the first one compiles modules and makes the state database
        for _ in range(options.rounds):
            run = airflow.run()
            if run.count != TASKS:
                raise RuntimeError(f"the run has {run.count} tasks, not {TASKS}")
            rounds.append(Round(run.seconds, facts={"working_s": run.working_s}))
    whole, alone = Line("through Airflow's scheduler", rounds), stages[0]
    each = (whole.seconds - alone.seconds) / TASKS
    working = whole.fact("working_s") / TASKS
    return Comparison(
        f"A run of {CONTACTS} contacts, {TASKS} tasks",
        "",
        [whole, alone],
        [Target("what Airflow adds to a task", each, 0.5, at_most=True, unit="s", reason=_TASK)],
        [f"A task's process lasts {working:.2f} s on average, from its start to its result; several run at once."],
        versus=False,
    )


def parsing(options: Options) -> Comparison:
    exports = options.size(EXPORTS, 20)
    definitions = options.new_folder("many-exports") / "definitions"
    shutil.copytree(PROJECT / "include/definitions", definitions)
    (one,) = list((definitions / "exports").glob("*.yaml"))[:1]
    text = one.read_text()
    for number in range(exports - len(list((definitions / "exports").glob("*.yaml")))):
        (definitions / f"exports/copy-{number}.yaml").write_text(text)
    lines = alternate(options, "parsing", [
        Contender("saved_exports.py parsed and serialised", lambda into: act(__file__, "parse", exports), exports,
                  {"BULK_EXPORT_DEFINITIONS": str(definitions), "AIRFLOW_HOME": str(options.folder / "home"),
                   "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
                   "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"})
    ])  # fmt: skip
    return Comparison(
        f"{exports:,} saved exports as DAGs",
        "DAGs/s",
        lines,
        [Target(f"parsing {exports:,} saved exports", lines[0].seconds, 6, at_most=True, unit="s", reason=_PARSING)],
        [f"Of it {lines[0].fact('built_s'):.1f} s built the DAGs; the rest are first imports and serialising."],
    )


def stages(definitions: str) -> Facts:
    """One run, after another one that has loaded everything."""
    from datetime import UTC, datetime
    from uuid import uuid4

    from bulk_export.pipeline import run_export
    from bulk_export.runs.request import RunRequest
    from bulk_export.site import Site

    facts: dict[str, Fact] = {}
    for _ in range(2):
        run_id, now = f"cli/{uuid4()}", datetime.now(UTC)
        request = RunRequest(run_id=run_id, export_id="everything", trigger="cli", as_of=now)
        site = Site(definitions=Path(definitions), clock=lambda: datetime.now(UTC))
        with timing(facts):
            record = run_export(site, request)
        if not record.published:
            raise RuntimeError(f"the run is {record.status}: {record.error_message}")
    return facts


def parse(exports: str) -> Facts:
    import sys

    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.dag_processing.processor import DagFileParseRequest, _parse_file
    from structlog import get_logger

    sys.path.insert(0, str(PROJECT / "dags"))
    folder = PROJECT / "dags"
    request = DagFileParseRequest(file=str(folder / "saved_exports.py"), bundle_path=folder, bundle_name="dags-folder")
    facts: dict[str, Fact] = {}
    with timing(facts):
        result = _parse_file(request, get_logger())
    with timing(again := dict[str, Fact]()):
        BundleDagBag(dag_folder=request.file, bundle_path=folder, bundle_name="dags-folder", load_op_links=False)
    facts["built_s"] = again["seconds"]
    if result is None or len(result.serialized_dags) != int(exports):
        raise RuntimeError(f"not all were parsed: {result and result.import_errors}")
    return facts


if __name__ == "__main__":
    script(measure, {"stages": stages, "parse": parse})
