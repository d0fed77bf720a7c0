# Paths with spaces and accents are fine: nothing below names the folder it is in.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test check lock clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | while IFS='	' read -r target text; do printf '  make %-7s %s\n' "$$target" "$$text"; done

setup: $(VENV)/.ready ## prepare .venv with everything that runs
run: $(VENV)/.ready ## set up, then start everything: web, workers, database, sandbox (Ctrl-C stops it)
	@exec $(BIN)/python -m outreach up

test: $(VENV)/.ready-dev ## set up, then run all tests
	@$(BIN)/python -m pytest -n auto --dist loadgroup -q

check: $(VENV)/.ready-dev ## set up, then lint, check types and the floors between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict outreach workers
	$(BIN)/lint-imports

lock: $(VENV)/.ready-dev ## pin anew what requirements*.in ask for (UPGRADE=1 takes the newest)
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements.in --output-file requirements.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) requirements-dev.in --output-file requirements-dev.txt
	@if grep -nE '://|^-|^--' requirements.txt requirements-dev.txt; then echo 'error: a lock file names an address'; exit 1; fi

clean: ## remove .venv and caches (var/, with its data and its key, stays)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: outreach needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "       Install one and name it: make PYTHON=python3.13 $(or $(MAKECMDGOALS),setup)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "error: '$(PYTHON) -m venv' failed; on Debian and Ubuntu the package python3-venv is missing."; exit 1; }
	@touch $@

$(VENV)/.ready: $(VENV)/.python requirements.txt pyproject.toml
	@echo 'installing what requirements.txt pins (once; a minute or two)'
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.txt
	@echo 'installing what requirements-dev.txt pins'
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@
