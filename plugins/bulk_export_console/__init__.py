"""The Exports pages of the Airflow UI.

The app:

| module | has |
|---|---|
| `app` | the app that Airflow mounts: guard, headers, routes, error responses |
| `pages` | the registry of pages, which makes the routes and the navigation |
| `access` | who may do what: one guard for every route |
| `context` | what a request works on: the installation, Airflow's refresh, the clock |
| `routes` | one module per page, which reads `bulk_export` and fills a template |
| `rendering` | templates, numbers and times in the reader's language |
| `language` | English or Spanish; the Spanish texts are in `es.json` |
| `wording` | what statuses, formats and other codes are called |

The audit and its runs:

| module | has |
|---|---|
| `charts` | what the audit's charts count |
| `plots` | their SVG |
| `rerun` | the conf of a rerun and of a retry |
| `tables` | rows as a CSV download |

Saved exports and searches:

| module | has |
|---|---|
| `saved` | their lists |
| `forms` | the form of an export, as a change to its file |
| `filter_forms` | the filter builder, as a change to its file |
| `estimates` | what an export would do now |
| `previews` | the first contacts of a search |
| `rate` | how often somebody may look at them |

Operation:

| module | has |
|---|---|
| `health` | whether the installation can do its work now |

Pages are made on the server; `static/` adds what needs the browser: live progress, dialogs, the filter builder, and
calls of Airflow's own API (trigger, pause), which keep Airflow's authorisation.
"""
