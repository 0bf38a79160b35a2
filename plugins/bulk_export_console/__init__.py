"""The Exports pages of the Airflow UI: audit, run and its files, new export, saved exports and searches, health.

`app.py`        the app: guard, headers, routes, what becomes of errors
`access.py`     who may do what; one guard for every route
`context.py`    what a page works on: the installation, Airflow's refresh, the clock
`rendering.py`  templates, numbers and times in the reader's language (`language.py`, `es.json`)
`routes/`       one module per page; each reads `bulk_export` and fills a template
`figures.py`, `wording.py`, `tables.py`  a run's counts that add up, in words, and as rows to download
`charts.py`, `plots.py`  the audit's charts: what they count, and their SVG
`progress.py`   how far a run is
`rerun.py`      the conf of a rerun and of a retry, and which runs are linked
`saved.py`      saved exports and searches as their lists show them
`forms.py`, `filter_forms.py`  what a form sends, as a change to a definition file
`estimates.py`, `previews.py`, `rate.py`  what an export would do, its first contacts, and how often one may ask
`health.py`, `maintenance_status.py`  whether the installation can do its work now
`refresh.py`    asks Airflow to read the definitions again

Pages are made on the server; `static/` adds what needs the browser: live progress, dialogs, the filter builder, and
calls of Airflow's own API (trigger, pause), which keep Airflow's authorisation.
"""
