# Requirements: Python 3.11 or later, make and git. "make" without a target lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON ?= python3
UV_VERSION := 0.13.9
# The machine's Python creates the environments; uv installs into them.
export UV_PYTHON_DOWNLOADS := never
export SAM_CLI_TELEMETRY := 0

BIN := .venv/bin
UV := $(BIN)/uv pip
# Tools whose dependencies conflict with the project's have a separate environment.
PARTS := .venv/.installed .venv-sam/.installed .venv-emulator/.installed .venv-checkov/.installed

# sam runs src/Makefile, which needs a Python with pip: that of sam's environment.
SAM := PATH="$(CURDIR)/.venv-sam/bin:$$PATH" sam

# Provider of "make up"; the defaults are those of "examhook simulate".
BASE_URL ?= http://127.0.0.1:8100
CODE ?= simulated-code

# Minutes of faults in "make soak", and number of bodies in "make fuzz".
MINUTES ?= 30
BODIES ?= 1000000

# PYTEST_ADDOPTS comes last, so that PYTEST_ADDOPTS=-n0 runs all tests in one process.
# Python writes bytecode; otherwise each worker and each command of a test would compile everything again.
PYTEST := PYTHONDONTWRITEBYTECODE= PYTEST_ADDOPTS="-n auto --maxprocesses 8 $$PYTEST_ADDOPTS" $(BIN)/pytest

# Gates of "make check", the longest first; each is also a target.
GATES := check-secrets check-checkov check-mypy check-sam check-cfn-lint check-deptry check-imports check-format check-ruff check-complexity check-language
# make 4.0 or later prints the output of each gate in one piece.
WHOLE_OUTPUTS := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: help install test test-fast check $(GATES) fix bench demo up down deploy lock licences sbom package faults soak fuzz upgrade cost receivers

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(PARTS) ## Install the project and its pinned tools into .venv

test: install $(if $(shell command -v npm),tests/node/node_modules/.installed) ## Run all tests in parallel
	$(PYTEST)

test-fast: install ## Run the fast unit and contract tests
	$(PYTEST) -m "not slow" tests/unit tests/contract

check: install ## Run all gates in parallel; they change nothing
	@$(MAKE) --no-print-directory --keep-going -j 4 $(WHOLE_OUTPUTS) $(GATES)

check-ruff:
	$(BIN)/ruff check
check-format:
	$(BIN)/ruff format --check
check-mypy:
	$(BIN)/mypy
check-imports:
	$(BIN)/lint-imports
check-deptry:
	$(BIN)/deptry src
check-cfn-lint:
	$(BIN)/cfn-lint
check-sam:
	$(SAM) validate --lint --region us-east-1
check-checkov:
	.venv-checkov/bin/checkov --config-file .checkov.yaml
check-complexity:
	$(BIN)/complexipy --quiet --failed --max-complexity-allowed 15 src tools
check-language:
	$(BIN)/python tools/check_language.py
check-secrets:
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

fix: .venv/.installed ## Format the code and apply automatic fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: install .venv-bench/.installed ## Run the benchmarks and write docs/benchmarks.md
	$(BIN)/python -m tools.bench

demo: install ## Run a scenario on a local stack and compare its events
	$(BIN)/python -m examhook_cli.demo

up: install ## Start the local stack (BASE_URL=… CODE=… set the provider)
	@EXAMHOOK_ACCOUNT_CODE="$(CODE)" $(BIN)/examhook local up --base-url "$(BASE_URL)"

down: install ## Stop the local stack and delete its data
	@$(BIN)/examhook local down

deploy: install ## Deploy to AWS; asks for each setting
	$(SAM) build
	$(SAM) deploy --guided

faults: install .venv-faults/.installed ## Run the fault matrix and write docs/faults.md
	$(BIN)/python -m tools.faults

soak: install .venv-faults/.installed ## Run the soak test for MINUTES (30); write docs/soak.md
	$(BIN)/python -m tools.faults.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

upgrade: install ## Test the update from the version FROM=commit to this one
	$(BIN)/python -m tools.faults.upgrade --from $(FROM)

fuzz: install ## Give BODIES (1000000) hostile bodies to every reader
	$(BIN)/python -m tools.faults.fuzz --bodies $(BODIES)

receivers: install .venv-receivers/.installed $(if $(shell command -v npm),tools/receivers/node/node_modules/.installed) ## Send events to web frameworks and write docs/receivers.md
	$(BIN)/python -m tools.receivers

cost: install ## Measure AWS usage and write the costs to docs/cost.md
	$(BIN)/python -m tools.generate.cost
	$(BIN)/python -m tools.generate.readme

licences: install ## Write the licences of all packages to docs/licences.md
	$(BIN)/python -m tools.generate.licences

sbom: .venv-sbom/.installed ## Write the SBOM of the functions (CycloneDX) to sbom.json
	.venv-sbom/bin/cyclonedx-py requirements src/requirements.txt --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file sbom.json

package: install ## Write package size and import times to docs/package.md
	$(BIN)/python -m tools.generate.package

lock: .venv/.installed ## Update all pinned versions to the newest allowed ones
	$(COMPILE) --group dev pyproject.toml -o tools/requirements/dev.txt
	$(COMPILE) --generate-hashes tools/requirements/lambda.in -o src/requirements.txt
	$(COMPILE) tools/requirements/sam.in -o tools/requirements/sam.txt
	$(COMPILE) tools/requirements/emulator.in -o tools/requirements/emulator.txt
	$(COMPILE) tools/requirements/checkov.in -o tools/requirements/checkov.txt
	$(COMPILE) tools/requirements/bench.in -o tools/requirements/bench.txt
	$(COMPILE) tools/requirements/sbom.in -o tools/requirements/sbom.txt
	$(COMPILE) tools/requirements/faults.in -o tools/requirements/faults.txt
	$(COMPILE) tools/requirements/receivers.in -o tools/requirements/receivers.txt

COMPILE := $(UV) compile --quiet --universal --upgrade --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

.venv/.installed: tools/requirements/dev.txt pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or later is needed, but $(PYTHON) is " + sys.version.split()[0] + ". Set PYTHON=.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(UV) install --quiet --compile-bytecode --python $(BIN)/python -r tools/requirements/dev.txt
	$(UV) install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.venv-%/.installed: tools/requirements/%.txt | .venv/.installed
	$(PYTHON) -m venv .venv-$*
	$(UV) install --quiet --compile-bytecode --python .venv-$*/bin/python -r $<
	@touch $@

# npm omits the address of a package that comes from the default registry.
%/node_modules/.installed: %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@
