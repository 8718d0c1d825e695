# `make run`, `make serve` and `make test` set up all that they need in .tools, .venv and ui/node_modules.
# Python 3.11 or later and make are enough to run; the page is built with node 20.19 or later, and tested in a browser.

PYTHON ?= python3
UV := .tools/bin/uv
BIN := .venv/bin
PIP := $(UV) pip
INTO := --quiet --python $(BIN)/python --compile-bytecode
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" pyproject.toml

# what the page is made from: a folder counts too, so that a file taken away is noticed
PAGE := src/monazite/server/page/index.html
# (the catalogue has the sentences that the page must have when no server answers)
UI := $(shell find ui/src ui/public) ui/index.html $(wildcard ui/*.ts ui/*.js) src/monazite/core/text/en.toml
NPM := cd ui && NO_UPDATE_NOTIFIER=1 npm --no-audit --no-fund --no-update-notifier --loglevel=error
# the tests, on as many processes as there are cores, four at most; one after the other: make test ARGS="-n 0"
CORES := $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
PYTEST := $(BIN)/pytest --numprocesses $(CORES) --maxprocesses 4 --dist loadfile --no-loadscope-reorder
CHROMIUM := $(shell command -v chromium || command -v chromium-browser)
# a stamp whose work is no longer there is made again
gone = $(if $(wildcard $(1)),,again)

# Bytecode is written even where the shell says otherwise: without it every command compiles its libraries anew.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

.PHONY: run serve page test check accept bench study pictures screens wheel format lock clean again
.DEFAULT_GOAL := run

run: .stamps/run
	@$(BIN)/monazite brief IND USA --to out/brief.html

# the web page, on this machine alone: make serve ARGS="--port 9000"
serve: .stamps/run .stamps/page
	@$(BIN)/monazite serve $(ARGS)

page: .stamps/page

test: .stamps/all .stamps/page .stamps/browser .stamps/compiled
	$(PYTEST) $(ARGS)

# pytest comes last: its closing line is what CI reads
check: .stamps/all .stamps/page .stamps/browser .stamps/compiled
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NPM) run --silent check
	$(PYTEST)

# every line that the issues ask for, run again and compared: docs/acceptance.toml
accept: .stamps/all .stamps/page .stamps/browser
	$(BIN)/python tools/accept.py $(ARGS)

# what a user waits for, and the kernel beside other solvers on a few scenarios each: minutes
bench: .stamps/all
	$(BIN)/python bench/run.py $(ARGS)
	$(BIN)/python -m bench.market --cases 3 --peers piqp,osqp,highs_warm,linopy_loop
	$(BIN)/python -m bench.report

# every scenario with every solver, growth, a cluster, ten thousand severe scenarios: hours
study: .stamps/all
	$(BIN)/python bench/run.py
	$(BIN)/python -m bench.market
	$(BIN)/python -m bench.growth
	$(BIN)/python -m bench.spread
	@test ! -f bench/severe.py || $(BIN)/python -m bench.severe
	$(BIN)/python -m bench.report

# the README's picture, after a change of the facts
pictures: .stamps/all
	$(BIN)/python tools/pictures.py

# the pictures of the page in docs/page.md, in both themes, wide and narrow
screens: .stamps/all .stamps/page .stamps/browser
	$(BIN)/python tools/screens.py

# wheel and sdist with the page in them, into dist/
wheel: .stamps/all .stamps/page
	$(BIN)/python -m hatchling build -d dist

format: .stamps/all .stamps/ui-deps
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(NPM) run --silent format

# after a change of the dependencies in pyproject.toml or ui/package.json; the second file is a part of the first
lock: .stamps/uv .stamps/node
	@$(NPM) install --package-lock-only --ignore-scripts >/dev/null
	@$(PYTHON) tools/plain_lock.py ui/package-lock.json
	$(COMPILE) --all-extras --group build --group dev --output-file requirements.txt
	$(COMPILE) --extra report --extra server --group build --constraint requirements.txt --output-file requirements-run.txt

clean:
	rm -rf .stamps .venv .tools out dist ui/node_modules src/monazite/server/page .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

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

.stamps/node:
	@mkdir -p .stamps
	@command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
		|| { echo "The page is built with node 20.19 or later and npm, and they are not here. make run, and an installed monazite serve, need neither." >&2; exit 1; }
	@touch $@

.stamps/ui-deps: ui/package.json ui/package-lock.json ui/.npmrc .stamps/node $(call gone,ui/node_modules/.package-lock.json)
	@echo "fetching what builds the page (first time: under a minute)" >&2
	@$(NPM) ci --ignore-scripts >/dev/null
	@touch $@

.stamps/page: .stamps/ui-deps $(UI) $(call gone,$(PAGE))
	@$(NPM) run --silent build -- --logLevel error >&2
	@touch $@

# the loops of the market, compiled by one process before several want them: some twenty seconds, after a change of them
.stamps/compiled: .stamps/all $(wildcard src/monazite/market/*.py)
	@echo "compiling the loops of the market (first time: under a minute)" >&2
	@MONAZITE_CACHE=.stamps/cache $(BIN)/monazite stress --chain toy --by CHN --on toy_metal --quiet >/dev/null
	@rm -rf .stamps/cache
	@touch $@

# Debian's own browser: none is fetched from anywhere else
.stamps/browser: $(if $(CHROMIUM),,again)
	@mkdir -p .stamps
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
		as=; [ "$$(id -u)" = 0 ] || as="sudo -n"; \
		echo "installing chromium for the tests of the page" >&2; \
		command -v apt-get >/dev/null && $$as apt-get update -qq >&2 && \
		DEBIAN_FRONTEND=noninteractive $$as apt-get install -yqq --no-install-recommends chromium fonts-dejavu-core >&2; \
	} || { echo "The tests of the page need a browser: install chromium (Debian: apt-get install chromium) and run this again." >&2; exit 1; }
	@touch $@
