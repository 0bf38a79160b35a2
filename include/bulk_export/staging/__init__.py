"""Keep what the stages of a run leave each other.

- `run_staging.py`: the staging area of a run: selected keys, jobs, counts
- `run_areas.py`: which runs keep something there
- `tables.py`: staged tables, of which torn ones count as not written
- `journal.py`: what became of each file of a job's contacts
- `private_folder.py`: unfinished files on this machine, for nobody else to read
"""
