# Every target is a command that can be run without make; `make help` lists them.
# Recipes use relative paths only, so that the checkout may lie in a path with spaces.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

RUNTIME := .venv/bin/python -m runtime
PYTEST := .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
TESTS := not slow and not exhaustive

.PHONY: help install run pipeline up down status report tie-out export-journal replay audit review parameters frozen freeze lift verify backup restore shell psql url test test-all test-exhaustive bench lint lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' Makefile

install: ## create .venv with the locked packages (done by the others when needed)
	@.ci/install >&2

run: install ## demonstration: sample files of two cities to published statements, with a summary
	@$(RUNTIME) run

pipeline: install ## take what lies under FUND_LANDING_DIR to publication; last line RESULT=published|refused|error
	@$(RUNTIME) pipeline

up: install ## keep Airflow running with its user interface
	@$(RUNTIME) up

down: install ## stop Airflow and PostgreSQL
	@$(RUNTIME) down

status: install ## say what is running
	@$(RUNTIME) status

report: install ## write the pages and the workbooks again, of what is in the warehouse now
	@$(RUNTIME) report

tie-out: install ## compare the books with outside statements and name what differs (REGION=..., MONTH=YYYY-MM)
	@$(RUNTIME) env -- .venv/bin/python -m reporting tie-out --region "$(REGION)" $(if $(MONTH),--month "$(MONTH)")

export-journal: install ## the published journal for other programs (REGION=..., FORMAT=beancount|ledger|hledger, TO=file)
	@$(RUNTIME) env -- .venv/bin/python -m reporting export-journal --region "$(REGION)" --format "$(or $(FORMAT),beancount)" $(if $(TO),--to "$(TO)")

replay: install ## rebuild the books beside the live ones, compare row for row (SWAP=1: put them in their place; REASON=... accepts differences)
	@$(RUNTIME) replay $(if $(SWAP),--swap) $(if $(REASON),--accept-differences "$(REASON)")

audit: install ## verify the log, make the books anew and compare, run all checks over all history; freezes regions that fail
	@$(RUNTIME) env -- .venv/bin/python -m expectations audit

review: install ## forecast, check on what is published whether the policy is carried out, watch claims, write the pages
	@status=0; \
	$(RUNTIME) env -- .venv/bin/python -m forecasting run || status=$$?; \
	$(RUNTIME) env -- .venv/bin/python -m expectations review || status=$$?; \
	$(RUNTIME) report || status=$$?; \
	exit $$status

parameters: install ## policy parameters: what is in force, checks, workbook (ARGS="show --region ... --on YYYY-MM-DD")
	@$(RUNTIME) env -- .venv/bin/python -m parameters $(or $(ARGS),check)

frozen: install ## list the regions whose publication is frozen, by whom and why
	@$(RUNTIME) env -- .venv/bin/python -m expectations frozen

freeze: install ## stop publication of a region (REGION=..., BY=..., REASON=...)
	@$(RUNTIME) env -- .venv/bin/python -m expectations freeze --region "$(REGION)" --by "$(BY)" --reason "$(REASON)"

lift: install ## let a frozen region be published again (REGION=..., BY=..., REASON=...)
	@$(RUNTIME) env -- .venv/bin/python -m expectations lift --region "$(REGION)" --by "$(BY)" --reason "$(REASON)"

verify: install ## recompute every hash of the log from its stored columns and compare with the heads outside
	@$(RUNTIME) env -- .venv/bin/python -m ingestion verify

backup: install ## back up log, records and heads (TO=folder)
	@$(RUNTIME) backup $(if $(TO),--to "$(TO)")

restore: install ## bring a backup back into an empty database (FROM=its folder)
	@$(RUNTIME) restore "$(FROM)"

shell: install ## a shell in which the documented commands (python -m ...) find their settings
	@$(RUNTIME) env -- bash

psql: install ## open psql on the warehouse
	@$(RUNTIME) psql

url: install ## print the warehouse's URL
	@$(RUNTIME) url

test: install ## unit, property, dbt, integration and DAG tests (ten minutes)
	@$(PYTEST) -m "$(TESTS)"

test-all: ## the same and live Airflow, browsers, killed processes, rebuilds, backups (below half an hour)
	@$(MAKE) test TESTS="not exhaustive"

test-exhaustive: install ## what both leave out, and properties with new random examples: kills by the hundred (an hour and more)
	@$(PYTEST) -m "exhaustive or hypothesis" --hypothesis-profile=searching

bench: install ## measure beside what PostgreSQL alone takes (an hour, on a quiet machine)
	@.venv/bin/python -m benchmarks.ingest
	@.venv/bin/python -m benchmarks.growth
	@.venv/bin/python -m benchmarks.regions
	@.venv/bin/python -m benchmarks.memory
	@.venv/bin/python -m benchmarks.verify
	@.venv/bin/python -m benchmarks.ledger_full
	@.venv/bin/python -m benchmarks.day
	@.venv/bin/python -m benchmarks.query
	@.venv/bin/python -m benchmarks.audit
	@.venv/bin/python -m benchmarks.policy
	@.venv/bin/python -m benchmarks.peers

lint: install ## ruff, mypy and sqlfluff
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy ingestion runtime expectations closing reporting forecasting parameters deploy dags benchmarks
	@PYTHONWARNINGS=ignore::UserWarning:multiprocessing.resource_tracker .venv/bin/sqlfluff lint -q --processes 0 dbt_project/models

lock: install ## compile requirements.txt from requirements.in
	@.venv/bin/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 requirements.in -o requirements.txt

clean: install ## delete all local data (asks; YES=1 does not)
	@$(RUNTIME) clean $(if $(YES),--yes)
