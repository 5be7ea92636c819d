# Two words for users: `make demo` and `make test`. One for developers: `make check`.
# They make .venv, install what is missing with the versions hubsync was tested with, and run.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
INSTALL := $(RUN) pip install --disable-pip-version-check --quiet --constraint config/constraints.txt

.PHONY: help demo test check bench docs pictures clean

help:
	@echo 'make demo   try hubsync in a sandbox (opens the TUI; without a terminal it walks the whole job once)'
	@echo 'make test   run the tests'
	@echo 'make check  formatting, lint, types, import contracts, dead code'
	@echo 'make bench  measure downloads beside curl, aria2c and hf, renders beside diffusers (CASES="sheet rows" for some of it)'
	@echo 'make docs   write the pages of docs/ that are made from the code; make pictures draws its pictures'
	@echo 'make clean  remove what these made'

demo: $(VENV)/render.stamp
	@$(VENV)/bin/hubsync demo

test: $(VENV)/dev.stamp
	$(RUN) pytest -n auto

check: $(VENV)/dev.stamp
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(VENV)/bin/lint-imports --no-cache
	$(RUN) vulture

bench: $(VENV)/dev.stamp
	@$(RUN) tests.benchmarks $(CASES)

docs: $(VENV)/dev.stamp
	@$(RUN) tests.docs

pictures: $(VENV)/dev.stamp
	@$(RUN) tests.docs.pictures

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/render.stamp: $(VENV)/bin/python pyproject.toml config/constraints.txt
	@echo 'installing hubsync with its renderer (torch, diffusers): about 1.4 GB on disk, several with CUDA'
	@# --group, for the development tools, is known to pip from 25.1 on
	$(RUN) pip install --disable-pip-version-check --quiet --upgrade 'pip>=25.1'
	$(INSTALL) --editable '.[render,images,web]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/render.stamp
	$(INSTALL) --group dev
	@touch $@

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo 'hubsync needs Python 3.11 or newer and there is no $(PYTHON):'; \
	  echo '  sudo apt-get install python3 python3-venv'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "hubsync needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1):"; \
	  echo '  sudo apt-get install python3.11 python3.11-venv && make PYTHON=python3.11 $(MAKECMDGOALS)'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'Python is here, but its venv and pip are not:'; \
	  echo "  sudo apt-get install python$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
