# Each target is one plain command that also works without make; see README.md.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# Python compiles what is imported when it is first imported, which is a tenth of what pip would compile, and must then be
# allowed to keep it: compiled anew, each start of a worker takes twice as long.
unexport PYTHONDONTWRITEBYTECODE
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable

# npm writes it when it has installed what package-lock.json lists.
NODE_STAMP := node_modules/.package-lock.json

.PHONY: setup demo up test nightly lint bench vendor types lock

setup: $(VENV)/.worker  ## Make the virtual environment with what serving and training need

demo: setup  ## Compare five activations over five seeds, and print the table: ARGS='--dataset mnist'
	$(BIN)/actlab demo $(ARGS)

up: setup  ## Serve the API with one worker, until Ctrl-C
	$(BIN)/actlab up $(ARGS)

test: $(VENV)/.dev  ## Run every test that this machine allows: ARGS='-m "not slow"' for the quick ones
	$(BIN)/pytest $(ARGS)

nightly: $(VENV)/.dev  ## Run what takes too long for every change: random kills, and each guard removed in turn
	$(BIN)/pytest -m nightly $(ARGS)

lint: $(VENV)/.dev $(NODE_STAMP)  ## Check style and types, of Python and of the pages' JavaScript (Node 20.19 or newer)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	npm run --silent lint

bench: $(VENV)/.dev  ## Print figures of docs/performance.md: NAME=live, ARGS='--rounds 3'
	$(BIN)/python -m benchmarks.$(or $(NAME),epoch_time) $(ARGS)

vendor:  ## Fetch the browser libraries of vendor.json again and check them
	$(PYTHON) scripts/vendor.py

types: $(VENV)/.dev  ## Write the types of what the API sends, for the pages' modules
	$(BIN)/python scripts/api_types.py

lock: $(VENV)/.dev  ## Write constraints.txt from what is installed
	{ head -1 constraints.txt; $(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new
	mv constraints.new constraints.txt

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ActLab needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.worker: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) '.[worker]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) '.[worker,dev]'
	@touch $@ $(VENV)/.worker

$(NODE_STAMP): package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@
