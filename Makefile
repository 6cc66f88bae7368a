# On a new machine: Python 3.11 or later, make and git are enough. "make" alone lists what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON ?= python3
UV_VERSION := 0.13.9
# Environments are made by the machine's own Python; uv only fills them.
export UV_PYTHON_DOWNLOADS := never
export SAM_CLI_TELEMETRY := 0

BIN := .venv/bin
UV := $(BIN)/uv pip
# One environment for each tool whose own dependencies would quarrel with the project's.
PARTS := .venv/.installed .venv-sam/.installed .venv-emulator/.installed .venv-checkov/.installed

# sam packs by src/Makefile, which needs a Python with pip: that of sam's own environment.
SAM := PATH="$(CURDIR)/.venv-sam/bin:$$PATH" sam

# Where "make up" looks for the provider; the defaults are those of "examhook simulate".
BASE_URL ?= http://127.0.0.1:8100
CODE ?= simulated-code

# How long "make soak" lets things go wrong, and how many bodies "make fuzz" makes up.
MINUTES ?= 30
BODIES ?= 1000000

# The number of workers stands before PYTEST_ADDOPTS, so that PYTEST_ADDOPTS=-n0 runs all tests in one process.
# Bytecode is written, because the workers and the commands that tests start would compile everything again.
PYTEST := PYTHONDONTWRITEBYTECODE= PYTEST_ADDOPTS="-n auto --maxprocesses 8 $$PYTEST_ADDOPTS" $(BIN)/pytest

# What make check runs, the longest first; each is a target too.
GATES := check-secrets check-checkov check-mypy check-sam check-cfn-lint check-deptry check-imports check-format check-ruff
# The output of each gate in one piece, where make is new enough (4.0).
WHOLE_OUTPUTS := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: help install test test-fast check $(GATES) fix bench demo up down deploy lock licences sbom package faults soak fuzz upgrade cost

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(PARTS) ## Set up .venv with the project and its tools, pinned

test: install $(if $(shell command -v npm),tests/node/node_modules/.installed) ## Run all tests, several at a time
	$(PYTEST)

test-fast: install ## Run the quick unit and contract tests, without the emulator
	$(PYTEST) -m "not slow" tests/unit tests/contract

check: install ## Run the gates, several at a time; they only read
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
check-secrets:
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

fix: .venv/.installed ## Format, and repair what can be repaired
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: install .venv-bench/.installed ## Measure, beside other ways to do the work, and write docs/benchmarks.md
	$(BIN)/python -m tools.bench

demo: install ## Play a scenario on a local stack and compare what came with what was expected
	$(BIN)/python -m examhook_cli.demo

up: install ## Start the local stack (BASE_URL=… CODE=… for another provider than examhook simulate)
	@EXAMHOOK_ACCOUNT_CODE="$(CODE)" $(BIN)/examhook local up --base-url "$(BASE_URL)"

down: install ## Stop it and remove what it kept
	@$(BIN)/examhook local down

deploy: install ## Deploy to AWS, asking for each setting
	$(SAM) build
	$(SAM) deploy --guided

faults: install .venv-faults/.installed ## Run the fault matrix and write docs/faults.md
	$(BIN)/python -m tools.faults

soak: install .venv-faults/.installed ## Faults at random for MINUTES (30), then ledger against receivers; docs/soak.md
	$(BIN)/python -m tools.faults.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

upgrade: install ## Deploy the version FROM=commit locally, use it, deploy this one over it, and compare
	$(BIN)/python -m tools.faults.upgrade --from $(FROM)

fuzz: install ## Give BODIES (1000000) hostile bodies to every reader
	$(BIN)/python -m tools.faults.fuzz --bodies $(BODIES)

cost: install ## Work out what an installation costs, from units measured now, in docs/cost.md
	$(BIN)/python -m tools.generate.cost
	$(BIN)/python -m tools.generate.readme

licences: install ## List the licences of what comes with the project in docs/licences.md
	$(BIN)/python -m tools.generate.licences

sbom: .venv-sbom/.installed ## Write a bill of materials of the functions (CycloneDX) to sbom.json
	.venv-sbom/bin/cyclonedx-py requirements src/requirements.txt --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file sbom.json

package: install ## Weigh the functions' package and time what starting them costs, in docs/package.md
	$(BIN)/python -m tools.generate.package

lock: .venv/.installed ## Choose the newest allowed versions anew and write them down
	$(COMPILE) --group dev pyproject.toml -o tools/requirements/dev.txt
	$(COMPILE) --generate-hashes tools/requirements/lambda.in -o src/requirements.txt
	$(COMPILE) tools/requirements/sam.in -o tools/requirements/sam.txt
	$(COMPILE) tools/requirements/emulator.in -o tools/requirements/emulator.txt
	$(COMPILE) tools/requirements/checkov.in -o tools/requirements/checkov.txt
	$(COMPILE) tools/requirements/bench.in -o tools/requirements/bench.txt
	$(COMPILE) tools/requirements/sbom.in -o tools/requirements/sbom.txt
	$(COMPILE) tools/requirements/faults.in -o tools/requirements/faults.txt

COMPILE := $(UV) compile --quiet --universal --upgrade --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

.venv/.installed: tools/requirements/dev.txt pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"Python 3.11 or later is needed: $(PYTHON) is " + sys.version.split()[0] + ". Name another by PYTHON=.")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(UV) install --quiet --compile-bytecode --python $(BIN)/python -r tools/requirements/dev.txt
	$(UV) install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

.venv-%/.installed: tools/requirements/%.txt | .venv/.installed
	$(PYTHON) -m venv .venv-$*
	$(UV) install --quiet --compile-bytecode --python .venv-$*/bin/python -r $<
	@touch $@

# npm leaves out the addresses of packages where they are the registry's own.
tests/node/node_modules/.installed: tests/node/package-lock.json
	cd tests/node && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
