# The two commands are `make run` and `make test`; each sets up all that it needs in .tools and .venv.
# Python 3.11 or later and make are enough.

PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
PIP := $(UV) pip
INTO := --quiet --python $(BIN)/python --compile-bytecode
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" pyproject.toml

# Bytecode is written even where the shell says otherwise: without it every command compiles its libraries anew.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

.PHONY: run test check accept bench pictures format lock clean
.DEFAULT_GOAL := run

run: .stamps/run
	@$(BIN)/monazite brief IND USA --to out/brief.html

test: .stamps/all
	$(BIN)/pytest

check: .stamps/all
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

# every line that the issues ask for, run again and compared: docs/acceptance.toml
accept: .stamps/all
	$(BIN)/python tools/accept.py $(ARGS)

bench: .stamps/all
	$(BIN)/python bench/run.py $(ARGS)

# the README's picture, after a change of the facts
pictures: .stamps/all
	$(BIN)/python tools/pictures.py

format: .stamps/all
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# after a change of the dependencies in pyproject.toml; the second file is a part of the first
lock: .stamps/uv
	$(COMPILE) --all-extras --group build --group dev --output-file requirements.txt
	$(COMPILE) --extra report --extra server --group build --constraint requirements.txt --output-file requirements-run.txt

clean:
	rm -rf .stamps .venv .tools out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Debian ships venv apart from Python
.stamps/uv:
	@mkdir -p .stamps
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Monazite needs Python 3.11 or later; set PYTHON=")'
	@$(PYTHON) -m venv .tools || { apt-get update -q && apt-get install -yq python3-venv && $(PYTHON) -m venv .tools; }
	@.tools/bin/python -m pip install --quiet uv
	@touch $@

.stamps/venv: .stamps/uv
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@touch $@

.stamps/run: requirements-run.txt pyproject.toml .stamps/venv
	@echo "setting up .venv (first time: under a minute)" >&2
	@$(PIP) install $(INTO) --require-hashes --requirements requirements-run.txt
	@$(PIP) install $(INTO) --no-deps --no-build-isolation --editable .
	@touch $@

.stamps/all: requirements.txt pyproject.toml .stamps/venv
	@echo "setting up .venv for the tests (first time: a minute or two)" >&2
	@$(PIP) sync $(INTO) --require-hashes requirements.txt
	@$(PIP) install $(INTO) --no-deps --no-build-isolation --editable .
	@touch $@ .stamps/run
