"""Guard, quote and join the cells of every CSV.

They are contacts.csv, items.csv and the downloads of the pages.
Columns of finished text come in, bytes go out; what the columns are is the business of whoever writes a file.

- `byte_set.py`: bytes looked for in a whole column at once
- `guard.py`: cells a spreadsheet would run as a formula
- `records.py`: quoting, joining, line ends
"""
