"""Write and verify a delivered run as a BagIt 1.0 bag.

The format is RFC 8493.

- `write.py`: the tag files and, last, the commit marker
- `manifest.py`: manifest lines, and files sorted without holding them in memory
- `completeness.py`: that a directory holds what is to be named, and nothing else
- `listing.py`: what is to be named and what is stored, compared by merging
- `verify.py`: every fault of a delivered run at once
- `faults.py`: what can be wrong with it
- `tags.py`: the tag files as a check reads them
- `items.py`: items.csv as a check reads it
"""
