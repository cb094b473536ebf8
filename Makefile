# Each target is one plain command that also works without make; see README.md.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# Python compiles what is imported when it is first imported, which is a tenth of what pip would compile, and must then be
# allowed to keep it: compiled anew, each start of a worker takes twice as long.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
# Each file of a lock is checked against its hash. What the second step adds is torch, whose build is that of the machine.
CHECKED := $(PIP) --require-hashes --no-deps --requirement
INSTALL := $(PIP) --constraint constraints.txt --no-build-isolation --editable

# PyTorch's index of CPU builds. A machine without an NVIDIA GPU takes torch from it where it answers; another index, such
# as a mirror, can be named: make TORCH_INDEX=https://...
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

# npm writes it when it has installed what package-lock.json lists.
NODE_STAMP := node_modules/.package-lock.json

# Zensical, which builds the guide.
DOCS ?= $(VENV)-docs

# Tools that need other versions of what ActLab needs, or much that it does not.
TOOLS ?= $(VENV)-tools
# The wheel that lint builds and checks.
WHEEL := $(TOOLS)/wheel
COMPILE := $(TOOLS)/bin/pip-compile --quiet --generate-hashes --strip-extras --no-annotate --no-header --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
OWN := --constraint constraints.txt --all-build-deps --unsafe-package torch

.PHONY: setup demo up test docs nightly lint audit sbom bench vendor types lock

setup: $(VENV)/.worker  ## Make the virtual environment with what serving and training need, and build the guide

demo: setup  ## Compare five activations over five seeds, and print the table: ARGS='--dataset mnist'
	$(BIN)/actlab demo $(ARGS)

up: setup  ## Serve the API with one worker, until Ctrl-C
	$(BIN)/actlab up $(ARGS)

test: $(VENV)/.dev $(DOCS)/.installed  ## Run every test that this machine allows: ARGS='-m "not slow"' for the quick ones
	$(BIN)/pytest $(ARGS)

docs: $(DOCS)/.installed  ## Build the guide from docs/, which the API serves at /guide
	$(DOCS)/bin/python scripts/guide.py

nightly: $(VENV)/.dev $(DOCS)/.installed $(NODE_STAMP)  ## Run what takes too long for every change: random kills, and each guard removed in turn
	$(BIN)/pytest -m nightly $(ARGS)

lint: $(VENV)/.dev $(NODE_STAMP) $(TOOLS)/.installed audit  ## Check style and types, of Python, of the image, of the wheel and of the pages' JavaScript (Node 20.19 or newer)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	npm run --silent lint
	$(TOOLS)/bin/hadolint Dockerfile
	$(TOOLS)/bin/validate-pyproject pyproject.toml
	rm -rf $(WHEEL) && $(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir $(WHEEL) .
	$(TOOLS)/bin/twine check --strict $(WHEEL)/*.whl
	$(TOOLS)/bin/check-wheel-contents $(WHEEL)/*.whl

audit: $(TOOLS)/.installed  ## Ask the advisory database about every locked version; say so where the network does not allow it
	$(PYTHON) scripts/audit.py $(TOOLS)/bin/pip-audit locks/worker.txt

sbom: $(VENV)/.worker $(TOOLS)/.installed  ## Write the bill of materials of what is installed: sbom.json, in CycloneDX's format
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file sbom.json $(BIN)/python

bench: $(VENV)/.dev  ## Print figures of docs/performance.md: NAME=live, ARGS='--rounds 3'
	$(BIN)/python -m benchmarks.$(or $(NAME),epoch_time) $(ARGS)

vendor:  ## Fetch the browser libraries of vendor.json again and check them
	$(PYTHON) scripts/vendor.py

types: $(VENV)/.dev  ## Write the types of what the API sends, for the pages' modules and the client, and docs/api.md
	$(BIN)/python scripts/api_types.py
	$(BIN)/python scripts/client_types.py

lock: $(VENV)/.dev $(TOOLS)/.installed  ## Write constraints.txt from what is installed, and from it the locks with hashes
	{ head -1 constraints.txt; $(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new
	mv constraints.new constraints.txt
	$(COMPILE) --constraint constraints.txt --output-file locks/client.txt pyproject.toml
	$(COMPILE) $(OWN) --extra server --output-file locks/api.txt pyproject.toml
	$(COMPILE) $(OWN) --extra worker --output-file locks/worker.txt pyproject.toml
	$(COMPILE) $(OWN) --extra dev --output-file locks/dev.txt pyproject.toml
	$(COMPILE) --allow-unsafe --output-file locks/tools.txt locks/tools.in
	$(COMPILE) --allow-unsafe --output-file locks/docs.txt locks/docs.in
	$(COMPILE) --allow-unsafe --output-file locks/mlflow.txt locks/mlflow.in

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ActLab needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.worker: $(VENV)/bin/python pyproject.toml constraints.txt locks/worker.txt
	$(BIN)/python scripts/cpu_torch.py '$(TORCH_INDEX)'
	$(CHECKED) locks/worker.txt
	$(INSTALL) '.[worker]'
	@touch $@
	-@$(MAKE) --no-print-directory docs  # ActLab runs without its guide, too

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt locks/dev.txt
	$(BIN)/python scripts/cpu_torch.py '$(TORCH_INDEX)'
	$(CHECKED) locks/dev.txt
	$(INSTALL) '.[dev]'
	@touch $@ $(VENV)/.worker

$(TOOLS)/.installed: locks/tools.txt
$(DOCS)/.installed: locks/docs.txt
$(TOOLS)/.installed $(DOCS)/.installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-compile --require-hashes --no-deps --requirement $<
	@touch $@

$(NODE_STAMP): package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@
