# One file of entry points. Each target does its own set-up, on a machine that has Python 3.11 or newer and nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .tools/uv/bin/uv
# uv writes into this environment, and never into one that happens to be active.
export UV_PROJECT_ENVIRONMENT := $(VENV)
export VIRTUAL_ENV :=

.PHONY: help setup demo test lint types unit e2e bench schemas clean

help: ## Say what there is to run
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "lakemesh needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Say which to use: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@$(PYTHON) -m venv .tools/uv
	@.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

# What `lakemesh --local` needs, without the developers' tools: enough for the demo.
$(VENV)/.runtime: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --locked --inexact --extra local --no-dev
	@touch $@

$(VENV)/.developer: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --locked --inexact --extra local
	@touch $@ $(VENV)/.runtime

setup: $(VENV)/.developer ## Make the virtual environment (.venv) with everything

demo: $(VENV)/.runtime ## Deploy the sample mesh to a local AWS and prove who can read what
	@$(BIN)/lakemesh demo $(ARGS)

test: lint types unit ## All checks: style, types, import rules, every test

lint: $(VENV)/.developer ## Style and the rules of who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/yamllint --strict .

types: $(VENV)/.developer ## mypy, strict
	@$(BIN)/mypy

unit: $(VENV)/.developer ## Every test, in random order on two workers
	@$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

bench: $(VENV)/.developer ## Print the figures of benchmarks/
	@$(BIN)/python benchmarks/stacks.py

schemas: $(VENV)/.runtime ## Write schemas/ anew from the models
	@$(BIN)/python -m lakemesh.declarations.schemas

clean: ## Remove the environment and everything made
	@rm -rf $(VENV) .tools .lakemesh .pytest_cache .mypy_cache .ruff_cache
