SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := $(CURDIR)

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.runtime: requirements.txt
	@echo "Setting up .venv (a few minutes the first time)"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v in ((3, 11), (3, 12)) else f"Python {v[0]}.{v[1]} found, but 3.11 or 3.12 is needed: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

tests/browser/node_modules/.ready: tests/browser/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/browser --no-audit --no-fund --silent && touch $@; \
	else echo "npm is not installed: tests with axe-core are skipped (apt-get install npm)"; fi

.PHONY: setup
setup: .venv/.runtime ## Create .venv and install what Nightjar needs

.PHONY: demo
demo: .venv/.runtime ## Run the demo: three weeks of nights through a real Airflow scheduler
	@$(BIN)/python -m demo

.PHONY: test
test: .venv/.dev tests/browser/node_modules/.ready ## Run all tests; those whose server is absent say what to install
	@$(BIN)/python -m pytest

.PHONY: test-quick
test-quick: .venv/.dev ## Run the tests that need no server, browser or scheduler
	@$(BIN)/python -m pytest -m 'not slow'

.PHONY: lint
lint: .venv/.dev ## Check style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: .venv/.dev ## Check types (mypy strict)
	@$(BIN)/mypy

.PHONY: format
format: .venv/.dev ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: check
check: lint types test-quick ## Everything to run before a commit

.PHONY: bench
bench: .venv/.dev ## Measure drift and quality beside their peers (three quarters of an hour; benchmarks/README.md)
	@mkdir -p build
	@for size in '100000 30 --peers' '1000000 30 --peers' '5000000 30' '200000 500'; do \
		set -- $$size; $(BIN)/python -m benchmarks.drift --rows $$1 --columns $$2 $$3 --limit 1500 \
			--output build/drift-$$1x$$2.md || exit 1; \
	done
	@for size in '1000000' '5000000' '5000000 --patterns'; do \
		set -- $$size; $(BIN)/python -m benchmarks.quality --rows $$1 $$2 --repeat 2 --output build/quality-$$1.md || exit 1; \
	done

.PHONY: lock
lock: .venv/.dev ## Compile requirements*.in to pinned requirements*.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --custom-compile-command 'make lock' requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --custom-compile-command 'make lock' requirements-dev.in -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.12 --custom-compile-command 'make lock' deploy/requirements.in -o deploy/requirements.txt

.PHONY: clean
clean: ## Remove the environment, the demo's data and all results
	rm -rf .venv var data build tests/browser/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
