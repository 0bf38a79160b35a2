"""Write contacts.csv and its typed twin, contacts.parquet.

Job tables come in (`contacts/schema.py`), bytes and counts go out. Where the jobs come from and where the file goes
is the business of the stage `build_csv`; the package `bulk_export.csv_cells` guards and quotes.

- `layout.py`: profile, language and custom columns; what the first line says
- `formats.py`: durations, ratios, decimals, days and labels as text
- `local_time.py`: the contact's own wall clock
- `cells.py`: text of outsiders: characters nobody can read, maximum lengths
- `columns.py`: one field of one batch, from values to finished cells
- `writer.py`: the whole file
- `typed.py`: contacts.parquet
"""

from bulk_export.contacts_csv.layout import CsvLayout
from bulk_export.contacts_csv.typed import typed_table
from bulk_export.contacts_csv.writer import CsvCounts, write_contacts_csv

__all__ = ["CsvCounts", "CsvLayout", "typed_table", "write_contacts_csv"]
