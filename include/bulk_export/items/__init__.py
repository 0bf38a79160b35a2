"""Say what became of each contact: items.csv.

- `table.py`: the rows of items.csv, and their counts
- `csv_text.py`: the rows as text
- `payload_file.py`: one delivered file with size and digest
"""
