"""The Exports pages of the Airflow UI: audit, run, new export, saved exports, saved searches.

`app.py`        the app: guard, headers, routes, what becomes of errors
`access.py`     who may do what; one guard for every route
`desk.py`       what a page works on: the installation, Airflow's refresh, the clock
`rendering.py`  templates, numbers and times in the reader's language (`language.py`, `es.json`)
`routes/`       one module per page; each reads `bulk_export` and fills a template
`plots.py`      the audit's charts, as SVG
`progress.py`   how far a run is
`once_more.py`  what its DAG is given for a run again, and which runs belong together
`forms.py`, `filter_forms.py`  what a form sends, as a change to a definition file
`estimates.py`  what an export would do: matches, bytes, quota, next runs
`health.py`     whether the installation can do its work now

Pages are made on the server; `static/` adds what needs the browser: live progress, dialogs, the filter builder, and
calls of Airflow's own API (trigger, pause), which keep Airflow's authorisation.
"""
