"""Keep what the product remembers between processes.

- `database.py`: opens the state database; one short transaction at a time, errors sorted
- `schema_version.py`: which schema this release has
- `migrate.py`: brings a database to it
- `migrations/`: the revisions, run by Alembic
- `tables.py`: the tables, as SQLAlchemy Core
- `columns.py`: column types, and the columns of a run's record
- `records.py`: the record of a run, as the audit shows it
- `run_fields.py`: what each field of the record is; table, counts and JSON follow
- `runs.py`: opens, reads, lists, counts and closes runs
- `attempts.py`: the attempts at a run, so that a late one changes nothing
- `publications.py`: what a run is about to publish, and that it has
- `exclusive_runs.py`: which run delivers for an incremental export
- `run_links.py`: which runs continue or retry another
- `run_errors.py`: what went wrong in a stage, until its retry goes well
- `progress.py`: how far each job of a run is
- `reservations.py`: who holds how much of which quota day
- `items.py`: the contacts of a run that were not delivered whole
- `delivered_contacts.py`: what an incremental export has delivered
- `undelivered.py`: what it has matched and not delivered
- `events.py`: the append-only log of who did what
- `statistics.py`: figures over many runs

How much a run is granted is decided by `bulk_export/quota.py`, what a run's end means by `bulk_export/audit/ending.py`.
SQLite and PostgreSQL are given the same SQL. Nothing here is imported when the command line starts.
"""
