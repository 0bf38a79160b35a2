"""One module per page; `app.py` puts them together."""
