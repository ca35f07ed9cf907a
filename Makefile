# Two commands for a fresh machine: `make show` and `make test`. Everything lives in .venv and nothing outside it.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: show test check lint install clean

show: .venv/installed
	$(BIN)/vj

test: .venv/installed-dev lint
	$(BIN)/pytest

check: test

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: .venv/installed

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e .
	touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch .venv/installed $@

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
