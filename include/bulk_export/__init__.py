"""Bulk contact export: contacts, media and transcripts of a saved search, delivered whole and provably so.

The stages of a run, in order (`pipeline.py` shows them on one screen):

1. `validate_filters`    `run_request.py`, `opening.py`: what was asked, frozen in the audit record, or refused
2. `check_quota`         `selection.py`, `quota.py`: matches counted and frozen, quota reserved in one transaction
3. `batch_contacts`      `batches.py`: the granted contacts cut into jobs, every field frozen
4. `copy_media`          `delivery.py`, `media/`: each job's media copied, remuxed or transcoded
5. `export_transcripts`  `delivery.py`, `transcripts/`: each job's transcripts as JSON or XML
6. `build_csv`           `delivery.py`, `contacts_csv/`: contacts.csv, one row per exported contact
7. `publish_manifest`    `publishing.py`, `items_csv.py`, `bag/`: what became of each contact; the marker last
8. `write_audit`         `closing.py`, `audit.py`: the record closed, the quota settled

Runs that belong together: `continuation.py` (the rest, after the day's quota), `retrying.py` (what failed, once more),
`incremental.py` (each contact once), `maintenance.py` (runs that nobody closed), `notifications.py` (who is told).

Around them: `definitions/` and `schedules.py` (what people write, and when it runs), `filters/` and `contacts/` (what
it selects), `storage/` (where bytes lie), `staging.py` and `results.py` (what stages leave each other), `reasons.py`
(why something is missing), `state/` (runs, quota, events), `site.py`, `stages.py` (what every stage is given), `cli/`.
"""

__version__ = "0.2.0"
