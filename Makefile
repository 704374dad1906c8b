# Search by Meaning. Every target builds .venv first when it is missing or stale. The work itself is done by `python -m helpers`, so that
# Windows, which has no make, runs the same steps.
PYTHON ?= python3
LAB    ?=
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help lab test run exercises check lint format bench models preflight env clean

help:       ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab:        ## everything, then JupyterLab on the first lesson (LAB="--no-browser --port 8889" for servers)
	@$(PYTHON) -m helpers lab $(LAB)

test:       ## everything, then all tests and all notebooks (ARGS="-k search" for some of them)
	@$(PYTHON) -m helpers test $(ARGS)

run:        ## execute the notebooks again and store their outputs (ARGS=notebooks/03_semantic_search.ipynb for one)
	@$(PYTHON) -m helpers run $(ARGS)

exercises:  ## make exercises/ from solutions/, where they have parted
	@$(PYTHON) -m helpers exercises

check:      ## judge notebooks handed in (ARGS="folder --html report.html"); no sandbox: see python -m helpers check --help
	@$(PYTHON) -m helpers check $(ARGS)

lint:       ## ruff: rules and formatting, notebooks included
	@$(PYTHON) -m helpers lint

format:     ## let ruff mend what it can
	@$(PYTHON) -m helpers lint --fix

bench:      ## how fast this machine loads, encodes and searches
	@$(PYTHON) -m helpers bench

models:     ## which models are here and verified
	@$(PYTHON) -m helpers models

preflight:  ## is this machine ready? Each line says ok or what to do
	@$(PYTHON) -m helpers preflight

env:        ## only build the environment and fetch the models
	@$(PYTHON) -m helpers setup

clean:      ## remove the environment and caches inside this folder (models stay in the user cache)
	@rm -rf .venv .pytest_cache .ruff_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +
