# Two commands matter to a newcomer: `make demo` and `make test`.
# Python 3.11 or newer; set PYTHON=python3.12 to choose one.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
CORPORA := $(VESTNIK_CORPORA)

.PHONY: help demo run test test-fast check format lock bench eval-lists eval-classify bench-politeness bench-deliver bench-fanout clean

help: ## Show this help
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: $(VENV)/.run ## Install and show the main job offline: pages, feeds, a simulated Telegram chat
	$(BIN)/vestnik demo

run: $(VENV)/.run ## Install and run the service with ./config.yaml
	$(BIN)/vestnik run

test: $(VENV)/.dev ## Install and run all tests
	$(BIN)/python -m pytest

test-fast: $(VENV)/.dev ## Run the core tests only (seconds)
	$(BIN)/python -m pytest -m "not slow and not corpora" -q

check: $(VENV)/.dev ## Lint, format, types, import contracts, message catalogues
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_locales.py

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev bench-politeness bench-deliver bench-fanout ## Run all benchmarks and evaluations
ifdef VESTNIK_CORPORA
	$(MAKE) eval-lists eval-classify
endif

bench-politeness: $(VENV)/.dev ## A scripted world of hosts over virtual days: is every one treated politely?
	$(BIN)/python bench/politeness.py

bench-deliver: $(VENV)/.dev ## Delivery against a strict Bot API server: share of the cap, refusals, CPU
	$(BIN)/python bench/deliver.py

bench-fanout: $(VENV)/.dev ## One story for 100,000 followers in one transaction
	$(BIN)/python bench/fanout.py

eval-lists: $(VENV)/.dev ## Evaluate list pages (needs VESTNIK_CORPORA)
	$(BIN)/python bench/eval_lists.py "$(CORPORA)/listpages"

eval-classify: $(VENV)/.dev ## Evaluate the classifier (needs VESTNIK_CORPORA)
	$(BIN)/python bench/eval_classify.py "$(CORPORA)/items/dev.jsonl"

# The lock has hashes and no index addresses; it fits every platform and Python from 3.11 on.
lock: $(VENV)/bin/python ## Renew requirements/*.lock from pyproject.toml
	$(PIP) install "uv>=0.9"
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--extra postgres pyproject.toml -o requirements/run.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
		--extra postgres --group dev pyproject.toml -o requirements/dev.lock

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Vestnik needs Python 3.11 or newer; set PYTHON=python3.12 or the like."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python requirements/run.lock pyproject.toml
	$(PIP) install --require-hashes -r requirements/run.lock
	$(PIP) install --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.lock
	$(PIP) install --require-hashes -r requirements/dev.lock
	@touch $@

clean: ## Remove what was installed and generated
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache var
