"""A whole Airflow on this machine: started, watched, asked and ended.

`config` decides ports, settings and secrets; `processes` starts and ends what belongs to it; `api` talks to it;
`instance` puts them together. `make demo`, `make stop` and the integration tests use it; production does not.
"""
