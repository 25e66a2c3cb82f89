# Two commands do everything on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help install demo test lint format stack stack-down clean

help: ## This list.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.run: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "synthgen needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) install --constraint constraints.txt --editable '.[test]'
	@touch $@

install: $(VENV)/.run ## Install synthgen and what it needs into .venv.

demo: install ## Run the main job on data that scikit-learn carries; ends in a report.
	$(BIN)/synthgen demo

test: $(VENV)/.test ## Install the test extras and run every test.
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.test ## Formatting, linting, types, and the direction of imports.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test ## Format the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.prefect: $(VENV)/.run
	$(PIP) install --constraint constraints.txt --editable '.[prefect]'
	@touch $@

stack: $(VENV)/.prefect ## Start a Prefect server, workers and the reports on this machine.
	$(BIN)/python -m flows.stack up

stack-down: ## End them; database, logs and runs stay.
	$(BIN)/python -m flows.stack down

clean: ## Remove .venv and caches; runs stay.
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
