# The two commands of a newcomer are `make run` and `make test`; everything else builds on the same environment.
PYTHON ?= python3
BIN := .venv/bin
# A development server keeps its data beside the checkout, never in the operator's data folder. Started by root, the
# database runs as an unprivileged user; where that user cannot reach the checkout (below /root, say), the data lies in
# /var/lib under a name of this checkout's own.
closed = $(shell d="$(CURDIR)"; while [ "$$(id -u)" = 0 ] && [ "$$d" != / ] && [ -n "$$d" ]; do \
	case "$$(stat -c %A "$$d")" in (*x|*t) d="$$(dirname "$$d")";; (*) echo closed; break;; esac; done)
ifndef LEADWRIGHT_DATA_DIR
LEADWRIGHT_DATA_DIR := $(if $(closed),/var/lib/leadwright-dev-$(shell printf %s "$(CURDIR)" | cksum | cut -d' ' -f1),$(CURDIR)/.data)
endif
export LEADWRIGHT_DATA_DIR
# The port of `make run`.
PORT ?= 8080
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal

.PHONY: setup run demo test test-slow test-search check bench lock where clean

setup: .venv/.dev-installed

.venv/.created:
	@$(PYTHON) -c 'import sys; sys.exit("Leadwright needs Python 3.11 or newer; set PYTHON=python3.x" if sys.version_info < (3, 11) else 0)'
	@echo "Making .venv"
	@$(PYTHON) -m venv .venv
	@touch $@

# pip refuses anything whose hash is not in the lock files.
.venv/.run-installed: .venv/.created requirements/run.txt requirements/build.txt pyproject.toml
	@echo "Installing what the server needs into .venv: once, about a minute"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev-installed: .venv/.run-installed requirements/dev.txt
	@echo "Installing what the tests need into .venv: once, about a minute"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

run: .venv/.run-installed
	@$(BIN)/leadwright serve --dev --port $(PORT)

demo: .venv/.run-installed
	@$(BIN)/leadwright demo

test: setup
	$(PYTEST) tests

test-slow: setup
	$(PYTEST) -m slow tests

# Looks for what no run has met yet: every property with other examples each time.
test-search: setup
	TEST_EXAMPLES=random $(PYTEST) -m "slow or not slow" tests

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(PYTEST) tests/docs

bench: setup
	$(BIN)/python -m bench

lock: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header requirements/build.in -c requirements/run.txt -o requirements/build.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev -c requirements/run.txt -c requirements/build.txt -o requirements/dev.txt

# Shows where the development server keeps its data.
where:
	@echo '$(LEADWRIGHT_DATA_DIR)'

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis dist build
