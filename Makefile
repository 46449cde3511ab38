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

GO ?= go
PULUMI_VERSION := $(shell awk '$$1 == "github.com/pulumi/pulumi/pkg/v3" { print $$2 }' tools/pulumi/go.mod)

.PHONY: help setup tools demo test lint types unit mutation bench schemas clean

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
	@$(UV) sync --quiet --locked --inexact --extra local --extra portal --no-dev
	@touch $@

$(VENV)/.developer: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --locked --inexact --extra local --extra portal
	@touch $@ $(VENV)/.runtime

setup: $(VENV)/.developer ## Make the virtual environment (.venv) with everything

# Built from their Go modules, whose versions tools/*/go.mod and go.sum fix. Optional: without them the tests of Pulumi's own
# engine and of the workflows are skipped, and say so.
tools: ## Build the Pulumi CLI and actionlint into .tools/bin, where Go is there and they are not
	@$(call build,pulumi,github.com/pulumi/pulumi/pkg/v3/cmd/pulumi,-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=$(PULUMI_VERSION))
	@$(call build,actionlint,github.com/rhysd/actionlint/cmd/actionlint,-s -w)

define build
if command -v $(1) >/dev/null || test -x .tools/bin/$(1); then echo "$(1): there already"; \
elif ! command -v $(GO) >/dev/null; then \
  echo "$(1): not built, since there is no Go on PATH. Install Go, or $(1) itself, and run make tools again." >&2; \
else echo "$(1): building from its Go module (Pulumi's takes some minutes the first time) …"; mkdir -p .tools/bin; \
  cd tools/$(1) && $(GO) build -ldflags "$(3)" -o ../../.tools/bin/$(1) $(2); fi
endef

demo: $(VENV)/.runtime ## Deploy the sample mesh to a local AWS and prove who can read what
	@$(BIN)/lakemesh demo $(ARGS)

test: lint types unit ## All checks: style, types, import rules, every test

lint: $(VENV)/.developer ## Style and the rules of who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@PYTHONPATH=policies $(BIN)/lint-imports --no-cache
	@$(BIN)/yamllint --strict .
	@$(BIN)/zizmor --offline --no-progress --quiet .github

types: $(VENV)/.developer ## mypy, strict
	@$(BIN)/mypy

unit: $(VENV)/.developer ## Every test, in random order on two workers
	@$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

mutation: $(VENV)/.developer ## Break every condition of the policy pack in turn and see whether a test notices
	@$(BIN)/python -W ignore tests/policies/mutate.py

bench: $(VENV)/.developer ## Print the figures of benchmarks/stacks.py; the others say in their first lines how they are run
	@$(BIN)/python benchmarks/stacks.py

schemas: $(VENV)/.runtime ## Write schemas/ anew from the models
	@$(BIN)/python -m lakemesh.declarations.schemas

clean: ## Remove the environment and everything made
	@rm -rf $(VENV) .tools .lakemesh .pytest_cache .mypy_cache .ruff_cache
