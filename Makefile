SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Tests of one file share what they set up; each of the two halves has servers of its own.
PYTEST_JOBS ?= -n 2 --dist loadfile

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.runtime: requirements.txt pyproject.toml
	@echo "Setting up .venv (a few minutes the first time)"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v in ((3, 11), (3, 12)) else f"Python {v[0]}.{v[1]} found, but 3.11 or 3.12 is needed: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=24' # older ones take no lock with hashes that has extras
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

tests/browser/node_modules/.ready: tests/browser/package-lock.json
	@if command -v npm >/dev/null; then npm ci --prefix tests/browser --no-audit --no-fund --silent && touch $@; \
	else echo "npm is not installed: tests with axe-core are skipped (apt-get install npm)"; fi

.PHONY: setup
setup: .venv/.runtime ## Create .venv with Nightjar, its command and all it needs

.PHONY: demo
demo: .venv/.runtime ## Run the demo: nearly four weeks of nights through a real Airflow scheduler
	@$(BIN)/python -m demo

.PHONY: test
test: .venv/.dev tests/browser/node_modules/.ready ## Run all tests; those whose server is absent say what to install
	@$(BIN)/python -m pytest $(PYTEST_JOBS)

.PHONY: test-fast
test-fast: .venv/.dev ## Run the pure tests: half a minute of computing
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m fast # for small arrays, threads only wait

.PHONY: fuzz
fuzz: .venv/.dev ## Look for new faults for an hour: generated tables, suites and nights, errors thrown everywhere
	@NIGHTJAR_FUZZ_EXAMPLES=$(or $(EXAMPLES),1000) NIGHTJAR_FUZZ_SECONDS=$(or $(LIMIT),600) \
	  $(BIN)/python -m pytest tests/fuzz tests/faults

.PHONY: kills
kills: .venv/.dev ## Kill commands at so many operations (KILLS=500), run them again, and compare with undisturbed ones
	@NIGHTJAR_KILLS=$(or $(KILLS),500) $(BIN)/python -m pytest -s tests/faults/test_kills.py

.PHONY: together
together: .venv/.dev ## Run so many monitors at once (MONITORS=50), and rounds (ROUNDS=40) of whatever people run beside nights
	@NIGHTJAR_TOGETHER=$(or $(MONITORS),50) NIGHTJAR_TOGETHER_ROUNDS=$(or $(ROUNDS),40) \
		$(BIN)/python -m pytest tests/faults/test_together.py

.PHONY: wide
wide: .venv/.dev ## Whole nights of 5,000 columns, a text of 100 MB and a million categories
	@NIGHTJAR_COLUMNS=$(or $(COLUMNS),5000) NIGHTJAR_LARGE=1 \
	  $(BIN)/python -m pytest --durations=3 tests/faults/test_data.py -k "wide or large_text or categories"

.PHONY: up
up: ## Start the stack of docker-compose.yml, with secrets where there are none, and say where everything is
	@$(PYTHON) deploy/make-secrets.py
	@docker compose up --detach --build
	@host="$${NIGHTJAR_HOST:-$$(sed -n 's/^NIGHTJAR_HOST=//p' .env 2>/dev/null)}"; \
	sed -n "s/^#   \([A-Z].* https:.*\)/  \1/p" docker-compose.yml | sed "s/localhost/$${host:-localhost}/"

.PHONY: down
down: ## Stop the stack; what it has kept stays
	@docker compose --profile '*' down

.PHONY: logs
logs: ## Follow what the stack says (SERVICE=airflow-scheduler)
	@docker compose logs --follow --tail 100 $(SERVICE)

.PHONY: seed
seed: .venv/.runtime ## Fill the stack with the demo's nights: data, pages, gauges, mails, two retrainings
	@$(BIN)/python -m demo.churn
	@docker compose exec -T airflow-scheduler python -m pipeline backfill churn --from 2026-01-01 --to 2026-01-26 --retrain \
	  || test $$? -eq 4 # the data of one night is broken on purpose

.PHONY: stack
stack: .venv/.dev ## Run docker-compose.yml by hand, as root: every service on a host of its own, and a night through all
	@test -x build/stack/bin/python || $(BIN)/uv venv --quiet --python 3.12 build/stack
	@$(BIN)/uv pip install --quiet --python build/stack/bin/python -r requirements.txt -r deploy/requirements.txt
	@NIGHTJAR_STACK_PROGRAMS=$(CURDIR)/build/stack/bin $(BIN)/python -m pytest tests/stack

.PHONY: coverage
coverage: .venv/.dev ## Show what the tests that need no server reach: the largest gaps, and the total
	@mkdir -p build/coverage && $(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q $(PYTEST_JOBS) -m 'not slow and not fuzz'; status=$$?; $(BIN)/coverage combine --quiet; \
	$(BIN)/coverage report --skip-covered --sort=-miss | sed -n '1,17p;/^TOTAL/p'; exit $$status

.PHONY: test-lowest
test-lowest: .venv/.dev ## Run what needs no server with the oldest versions that pyproject.toml allows
	@mkdir -p build
	@$(BIN)/uv pip compile --quiet --resolution lowest-direct pyproject.toml --extra airflow --extra chat --extra lineage -o build/lowest.txt
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/lowest
	@$(BIN)/uv pip install --quiet --python build/lowest/bin/python -r build/lowest.txt --group dev
	@build/lowest/bin/python -m pytest -m 'not slow'

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

.PHONY: hooks
hooks: .venv/.dev ## Have git check style and types before each commit
	@$(BIN)/pre-commit install

.PHONY: check
check: lint types test-fast ## Everything to run before a commit

.PHONY: bench
bench: .venv/.dev ## Measure drift, quality and performance beside their peers (three quarters of an hour; benchmarks/README.md)
	@mkdir -p build
	@for size in '100000 30 --peers' '1000000 30 --peers --kept' '5000000 30 --kept' '200000 500'; do \
		set -- $$size; $(BIN)/python -m benchmarks.drift --rows $$1 --columns $$2 $$3 $$4 --limit 1500 \
			--output build/drift-$$1x$$2.md || exit 1; \
	done
	@for size in '1000000' '5000000' '5000000 --patterns'; do \
		set -- $$size; $(BIN)/python -m benchmarks.quality --rows $$1 $$2 --repeat 2 --output build/quality-$$1.md || exit 1; \
	done
	@for rows in 1000000 5000000; do \
		$(BIN)/python -m benchmarks.performance --rows $$rows --output build/performance-$$rows.md || exit 1; \
	done

COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --custom-compile-command 'make lock'
.PHONY: lock
lock: .venv/.dev ## Pin what pyproject.toml asks for in the three requirements.txt; pins that fit stay (UPGRADE=-U renews)
	@$(COMPILE) $(UPGRADE) --python-version 3.11 pyproject.toml --extra airflow --extra chat --extra lineage --group build -o requirements.txt
	@$(COMPILE) $(UPGRADE) --python-version 3.11 --group dev -c requirements.txt -o requirements-dev.txt
	@$(COMPILE) $(UPGRADE) --python-version 3.12 --group server -c requirements.txt -o deploy/requirements.txt

.PHONY: wheel
wheel: .venv/.runtime ## Build the package into dist/
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .

.PHONY: clean
clean: ## Remove the environment, the demo's data and all results
	rm -rf .venv var data build dist tests/browser/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
