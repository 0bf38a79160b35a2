"""Decide what a run is about, and connect runs.

- `request.py`: what was asked for, checked and frozen before anything is written
- `open_run.py`: a run under way, as a stage finds it
- `selection.py`: which contacts it is about, matched once and frozen
- `follow_up.py`: the rest that the day's quota did not reach
- `incremental.py`: each contact once, and again when it has changed
- `retry.py`: exactly the contacts that an earlier run could not deliver
- `links.py`: the runs linked with a run
- `progress.py`: how far a run is
"""
