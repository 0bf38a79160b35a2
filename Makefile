# Everything a newcomer needs. GNU make and a POSIX shell; nothing here asks for root.
.DEFAULT_GOAL := help
.PHONY: help setup demo stop test test-quick test-long test-spread test-airflow cluster-test coverage faults test-programs bench \
	check graph lock docs env clean

python := .venv/bin/python
# What needs a whole Airflow; the rest can be spread over processes.
WHOLE_AIRFLOW := tests/integration tests/e2e tests/cluster
SPREAD := --numprocesses 2 $(WHOLE_AIRFLOW:%=--ignore %)
# The slowest are shown; var/log has how long each test took.
REPORT = --durations=15 --durations-min=2 --junitxml=var/log/$@.xml

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv from the lock (constraints.txt); quick when nothing changed
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

demo: setup ## sample contacts, a local Airflow, one export run through it; Airflow stays up
	@$(python) scripts/demo.py

stop: ## end the local Airflow that `make demo` started
	@if [ -x $(python) ]; then $(python) scripts/stop.py; fi

test: setup ## every test, 15 minutes; `make test PYTEST_ARGS=tests/dags` runs some
ifdef PYTEST_ARGS
	@$(python) -m pytest $(PYTEST_ARGS)
else
	@$(python) scripts/run_targets.py test-airflow test-spread
endif

test-quick: setup ## what starts neither an Airflow nor a server and is not slow, 3 minutes: for after an edit
	@$(python) -m pytest --quick -rfE $(SPREAD)

test-long: setup coverage ## what is too long for every change: branch coverage, each medium corrupted in a thousand ways
	@BULK_EXPORT_MUTATIONS=1000 $(python) -m pytest tests/unit/media/test_mutations.py $(REPORT)

# The table is written whatever fails: it says so.
faults: setup ## every fault that tests inject: kills, errno by errno, disks, bad days of S3; writes docs/reliability.md, an hour
	@BULK_EXPORT_FAULTS=all BULK_EXPORT_MUTATIONS=$${BULK_EXPORT_MUTATIONS:-100} nice $(python) -m pytest -m faults $(SPREAD) \
		--faults-report var/faults.json $(REPORT); code=$$?; $(python) scripts/reliability.py var/faults.json && exit $$code

# Of lower priority: an Airflow that is starved answers late, these only take longer.
test-spread: setup ## every test but those that need a whole Airflow, in two processes
	@nice $(python) -m pytest $(SPREAD) $(REPORT)

test-airflow: setup ## the tests that need a whole Airflow: one for scheduler and browser, then one of several machines
	@$(python) -m pytest tests/integration tests/e2e $(REPORT)
	@$(MAKE) --no-print-directory cluster-test

cluster-test: setup ## 40,000 contacts over two Celery workers, one of them killed; needs PostgreSQL and Redis
	@$(python) -m pytest tests/cluster $(REPORT)

coverage: setup ## branch coverage of include/ and plugins/ by what `make test-spread` runs; fails below what it was
	@rm -rf var/coverage && mkdir -p var/coverage
	@$(python) -m coverage run -m pytest $(SPREAD) --ignore tests/performance $(REPORT)
	@$(python) -m coverage combine --quiet
	@$(python) -m coverage report --skip-covered --sort=cover

test-programs: setup ## what tests need beyond Python: a browser, Redis, Azurite ...; as root on Debian, else it says what is missing
	@sh scripts/test_programs.sh

env: setup ## write .env, the secrets of docker-compose.yaml
	@$(python) scripts/make_env.py

bench: setup ## every speed claim against what people would use instead; writes benchmarks/RESULTS.md, 20 minutes
	@$(python) -m uv pip install --quiet --python $(python) -r benchmarks/requirements.txt
	@$(python) benchmarks/all.py

check: setup ## linter, formatter, types
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy

graph: setup ## modules, packages, imports and import circles, counted
	@$(python) scripts/import_graph.py

lock: setup ## write the locks anew: constraints.txt from requirements-dev.txt, constraints-runtime.txt from requirements.txt
	@$(python) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		requirements-dev.txt --output-file constraints.txt
	@$(python) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		requirements.txt --constraints constraints.txt --output-file constraints-runtime.txt

docs: setup ## write what is generated: definitions, tables of the output format, error codes, licences
	@$(python) scripts/reference.py
	@$(python) scripts/code_reference.py
	@$(python) scripts/first_changes.py
	@$(python) scripts/licences.py

clean: stop ## remove what runs and checks leave behind, with var/ (demo data, Airflow's own database)
	@rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
