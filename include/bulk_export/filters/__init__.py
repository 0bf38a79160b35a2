"""Check the filters of saved searches and turn them into SQL.

From a file to a query: `completeness.py` finds what is missing, `compile.py` makes the SQL.

- `field_catalog.py`: every field that can be filtered on, and its kind
- `operators.py`: every operator, one object each: name, label, fitting kinds, SQL, meaning
- `operands.py`: a filter's value, read as its field and operator need it
- `completeness.py`: every problem that keeps a search from running
- `limits.py`: how large a search may be
- `compile.py`: the filters of a search as one condition
- `selection.py`: a condition in SQL with its operands
- `comparison.py`: one complete filter, as its operator gets it
- `text_conditions.py`, `number_conditions.py`, `date_conditions.py`, `word_conditions.py`: SQL of operators
- `date_spans.py`: the span of time each date operator selects
- `dates.py`: days and times as written
- `words.py`: what counts as the same text, and as a word
- `dialect.py`, `postgres_words.py`: SQL that differs between DuckDB and PostgreSQL
- `preview.py`: text around the first word that was found
"""
