# Needs git, make and Python 3.11 or newer with pip; uses uv where it is installed.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
COMPILE = uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet

ifdef UV
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

.PHONY: demo test coverage test-slow test-clients lint format docs lock clean

demo: .venv/base  ## install, then show the whole job on a sandbox CRM
	$(BIN)/pipelint demo

test: lint  ## install, then lint, types, imports and the test suite
	$(BIN)/pytest -n auto

coverage: .venv/dev  ## what the test suite leaves untouched; takes twice as long
	$(BIN)/pytest -n auto --cov --cov-report=term

test-slow: .venv/dev  ## the tests that take more than a few seconds each
	$(BIN)/pytest -m slow

test-clients: .venv/dev  ## the sandbox against independent clients of the CRMs; needs Node.js
	npm install --no-fund --no-audit --no-package-lock --prefix tests/clients
	$(BIN)/pytest -m node

lint: .venv/dev
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/dev  ## write the generated pages of docs/ anew
	$(BIN)/python -m docs.generate

lock:  ## resolve the dependencies anew; needs uv
	$(COMPILE) --upgrade --extra sandbox --output-file requirements.lock
	$(COMPILE) --upgrade --extra sandbox --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf .venv build dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

.venv/python:
	$(PYTHON) -c 'import sys; sys.exit("pipelint needs Python 3.11 or newer: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(if $(UV),$(UV) venv --quiet --clear --python $(PYTHON) .venv,$(PYTHON) -m venv --clear .venv)
	touch $@

.venv/base: .venv/python requirements.lock pyproject.toml
	$(INSTALL) --require-hashes -r requirements.lock
	$(INSTALL) --no-deps -e .
	touch $@

.venv/dev: .venv/base requirements-dev.lock
	$(INSTALL) --require-hashes -r requirements-dev.lock
	touch $@
