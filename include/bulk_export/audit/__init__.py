"""Close the audit record of a run, and show and send it.

- `close.py`: status, error and quota of a run that has ended, in one transaction
- `ending.py`: which status its end has
- `figures.py`: what became of its matches, in lines that add up
- `report.py`: the record for people, and as JSON
- `notifications.py`: the e-mail and the signed webhook about its end
"""
