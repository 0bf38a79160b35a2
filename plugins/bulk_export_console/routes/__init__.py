"""The routes, one module per page or per group of pages.

| module | has |
|---|---|
| `audit` | every run, with charts; the list as CSV; live progress |
| `runs` | one run and its contacts with problems |
| `files` | the delivered files of a run |
| `exports` | saved exports: list, form, changes, estimate |
| `searches` | saved searches: list, filter builder, changes, preview |
| `health` | the health page, and its JSON |
| `dag_tabs` | the tabs of a DAG and of a DAG run in Airflow |

The registry of pages, `bulk_export_console.pages`, has a line for each.
"""
