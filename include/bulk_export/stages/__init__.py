"""The stages of a run, one module each, named as their tasks.

- `validate_filters.py`: opens the audit record with the definitions frozen in it, or refuses the run
- `check_quota.py`: counts the matches and reserves quota for them
- `batch_contacts.py`: cuts the granted contacts into jobs
- `copy_media.py`: the media of one job
- `export_transcripts.py`: the transcripts of one job
- `build_csv.py`: contacts.csv and contacts.parquet
- `publish_manifest.py`: items.csv, the manifests and, last, the marker
- `write_audit.py`: closes the record and settles the quota
- `stage.py`: `@stage`, which all of them but the first and last are made with

Which stages there are is said by `bulk_export/stage_registry.py`; `bulk_export/pipeline.py` calls them.
"""
