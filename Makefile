# Two commands do everything: `make demo` and `make test`. Both create and use .venv at the top of the checkout.
SHELL := /bin/bash
PYTHON ?= python3
HOME_DIR ?= obc_home
STUDENTS ?= 10000
SEED ?= 2026
SIZES ?= 10000 100000
PORT ?= 3000
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help install demo ui test test-fast lint format lock bench statements clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: .venv/.installed  ## .venv with the locked dependencies

# pip is everywhere; uv, where it is installed, does the same in seconds.
.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "Python 3.11, 3.12 or 3.13 is needed; name one with PYTHON=..."; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the locked dependencies into .venv (a minute or two the first time) ..." >&2
	@if command -v uv >/dev/null; then \
		uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock && \
		uv pip install --quiet --python $(BIN)/python --no-deps -e .; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .; \
	fi
	@touch $@

demo: install  ## a synthetic district of 10,000 students, the main job, and what came out of it
	$(BIN)/obc generate --home $(HOME_DIR) --students $(STUDENTS) --seed $(SEED) --messy
	$(BIN)/obc run --home $(HOME_DIR) || test $$? -eq 3
	$(BIN)/obc show --home $(HOME_DIR)

ui: install  ## Dagster's web UI on that home
	$(BIN)/obc ui --home $(HOME_DIR) --port $(PORT)

test: install  ## every test that needs nothing but Python; others say why they are skipped
	$(BIN)/pytest -n auto --dist loadfile

test-fast: install  ## without the slow ones
	$(BIN)/pytest -n auto --dist loadfile -m "not slow and not browser"

lint: install  ## what pre-commit and CI check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 2 dbt_project/models dbt_project/tests

format: install  ## ruff and sqlfluff, in place
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --disable-progress-bar dbt_project/models dbt_project/tests

bench: install  ## seconds per stage beside the floor and pandas; SIZES="10000" runs chosen sizes
	$(BIN)/python -m benchmarks.run $(SIZES)

statements: install  ## the example contracts' statements in docs/examples, made again (pictures need pypdfium2 and pillow)
	$(BIN)/python docs/examples/make_statements.py

lock:  ## resolve the dependencies again (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock

clean:  ## the demo home, build products and caches; never .venv
	rm -rf obc_home build dbt_project/target dbt_project/logs logs
