"""Export contacts, media and transcripts of a saved search, provably whole.

The stages of a run, in order; each is a module of `stages/` and an entry of `stage_registry.py`, and `pipeline.py`
calls them on one screen:

1. `validate_filters`    freezes what was asked for in the run record, or refuses it (`runs/`)
2. `check_quota`         counts and freezes the matches, reserves quota (`quota.py`, `contacts/`, `filters/`)
3. `batch_contacts`      cuts the granted contacts into jobs, every field frozen
4. `copy_media`          copies, remuxes or transcodes the media of a job (`media/`)
5. `export_transcripts`  writes the transcripts of a job (`transcripts/`)
6. `build_csv`           writes contacts.csv, one row per exported contact (`contacts_csv/`)
7. `publish_manifest`    writes items.csv (`items/`) and the manifests (`bag/`); the marker last
8. `write_audit`         closes the record, settles the quota (`audit/`)

What they work on:

- `definitions/`: what people write: settings, saved searches, saved exports, schedules
- `fields.py`: the fields of a contact, from which CSV columns and filters derive
- `csv_cells/`: formula guard and quoting of every CSV
- `formats/`: the formats of media and transcripts, from which choices, forms and MIME types derive
- `reasons.py`: why something of a contact is missing
- `process.py`: which process runs an export, and whether it has ended
- `errors.py`, `error_codes.py`: how a run can fail, and what to do about it
- `sizes.py`, `suggestions.py`, `time_zones.py`: bytes as people say them, the nearest valid name, IANA time zones
- `storage/`: directories and buckets
- `postgres_address.py`: databases as Airflow connections name them
- `state/`: the state database: runs, quota, events
- `jobs/`: the core of a stage that works through a job's contacts one by one
- `staging/`: what the stages of a run leave each other
- `site.py`: the installation, which every stage is given
- `starter/`: the files that `init` writes for a new installation

Who calls them: `cli/` is the command line, `maintenance.py` closes runs that nobody closed; the DAGs are in the package
`bulk_export_airflow`, which this one does not know.
"""

__version__ = "0.2.0"
