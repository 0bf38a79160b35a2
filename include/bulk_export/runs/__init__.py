"""Decide what a run is about, and connect runs.

- `request.py`: what was asked for, checked and frozen before anything is written
- `open_run.py`: a run under way, as a stage finds it
- `attempt.py`: whether a stage's attempt at the run still counts
- `marker.py`: the marker in the destination, by which an unfinished record is settled
- `outcome.py`: what became of each contact, as it is recorded before the marker
- `selection.py`: which contacts it is about, matched once and frozen
- `follow_up.py`: the rest that the day's quota did not reach
- `incremental.py`: each contact once, and again when it has changed
- `retry.py`: exactly the contacts that an earlier run could not deliver
- `links.py`: the runs linked with a run
- `progress.py`: how far a run is
"""
