# Every way to use the course, from a fresh checkout. `make` alone says what there is.
#
# Settings: PYTHON (which Python makes the environment), VENV (where it stands), JOBS (processes for the tests).

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 3
BIN := $(VENV)/bin
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

export PATH := $(abspath $(BIN)):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1

INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt
BOOK_SOURCES := _config.yml _toc.yml $(shell find book chapters solutions -type f \
	-not -path '*/.ipynb_checkpoints/*' -not -path '*/__pycache__/*' -not -path 'book/_static/vendor/*' \
	-not -path 'book/exercises/*' 2>/dev/null)

.PHONY: help
help: ## Say what there is (the default)
	@echo 'Large Language Models, Worked Out'
	@echo
	@grep -hE '^[a-z]+:.*##' Makefile | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'
	@echo
	@echo 'Start with "make book"; then open _build/html/index.html.'

# ---------------------------------------------------------------- environment

$(BIN)/python:
	@echo '==> Making the environment $(VENV) with $(PYTHON)'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'The course needs Python 3.11 or newer; $(PYTHON) is' "$$($(PYTHON) --version 2>&1)." \
		'Name another: make PYTHON=python3.12 book'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo 'Python could not make a virtual environment. On Debian and Ubuntu: apt install python3-venv'; \
		rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=24'

# One stamp per set of extras; each holds what that way of use needs and no more.
$(VENV)/.installed-%: pyproject.toml constraints.txt | $(BIN)/python
	@echo '==> Installing the packages for "$*" (torch is the largest; minutes when nothing is cached)'
	@$(INSTALL) --editable '.[$*]' || { \
		echo 'The installation failed: see the message above. Without a network, fill the cache of pip first.'; exit 1; }
	@touch $@

# ---------------------------------------------------------------- ways of use

.PHONY: book
book: _build/html/index.html ## Build the HTML book, offline in itself
	@echo 'The book is built: open _build/html/index.html'

_build/html/index.html: $(BOOK_SOURCES) $(VENV)/.installed-book
	@$(MAKE) --no-print-directory rebuild

# `-W` counts on a build from nothing: a page that is not read again repeats none of its warnings.
.PHONY: rebuild
rebuild:
	@echo '==> Building the book'
	@rm -rf _build/html _build/.doctrees
	@$(BIN)/python book/_ext/vendor.py
	@$(BIN)/jupyter-book build . -W -n --keep-going --quiet || { rm -f _build/html/index.html; \
		echo 'The book did not build: each warning above is an error, and names its file and line.'; exit 1; }
	@touch _build/html/index.html

.PHONY: lab
lab: $(VENV)/.installed-grade ## Open JupyterLab on the exercises
	@$(BIN)/llmcourse release --output exercises --keep
	@$(BIN)/jupyter lab --notebook-dir exercises --KernelManager.transport_encryption=auto

.PHONY: grade
grade: $(VENV)/.installed-grade ## Grade submitted/ and print the report
	@[ -e gradebook.db ] || $(BIN)/llmcourse release
	@code=0; $(BIN)/llmcourse grade || code=$$?; $(BIN)/llmcourse report; exit $$code

# Stored outputs and everything that is compared with them come from the CPU.
execute test soak: export CUDA_VISIBLE_DEVICES :=

.PHONY: execute
execute: $(VENV)/.installed-test ## Run every notebook again and store its outputs
	@$(BIN)/python tests/execute.py

# ---------------------------------------------------------------- checks

.PHONY: test
test: $(VENV)/.installed-test ## Run everything that CI runs
	@$(BIN)/python tests/checks.py --jobs $(JOBS)

.PHONY: soak
soak: $(VENV)/.installed-test ## Run the tests that are too long for "make test"
	@$(BIN)/python -m pytest -m soak tests

.PHONY: clean
clean: ## Remove what was built; the environment and all student work stay
	@rm -rf _build build .pytest_cache .ruff_cache .hypothesis book/_static/vendor
	@find . -name __pycache__ -not -path './$(VENV)/*' -type d -prune -exec rm -rf {} +
	@echo 'Removed what was built. To remove the environment too: rm -rf $(VENV)'
