"""What stages that work contact by contact have in common.

| module | does |
|---|---|
| `contact_job` | one job: bounded work in flight, journal in parts, progress |
| `earlier_results` | what earlier attempts achieved, so that a retry goes on from there |
| `stored_objects` | the contact store's objects; an error of one is a fault of its contact |
| `item_fault` | the exception that becomes a result with a reason |
| `progress` | how a stage reports how far it is |
"""
