"""The state database: what the product remembers between processes.

    database.py       open it, migrate it, one short transaction at a time, errors sorted
    tables.py         the tables, as SQLAlchemy Core
    migrations/       how they came to be (Alembic)
    records.py        the record of a run, as the audit shows it
    runs.py           open, read, list, count, publish and close runs
    run_errors.py     what went wrong in a stage, and that its retry went well
    progress.py       how far each job of a run is
    reservations.py   who holds how much of which quota day
    items.py          the contacts of a run that had trouble
    deliveries.py     what an incremental export has delivered
    events.py         the append-only log of who did what

How much a run is granted is decided by `bulk_export/quota.py`, what a run's end means by `bulk_export/audit.py`.
SQLite and PostgreSQL are given the same SQL. Nothing here is imported when the command line starts.
"""
