# What a newcomer and a developer do, one target each. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup chat serve cluster test eval lint typecheck check studio lock

VENV ?= .venv
UV ?= uv
# The first interpreter that is new enough: the system's python3 may be older than a python3.11 beside it.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

DATA ?= examples/energy
OUT ?= out
# A goal is a person's text. Taken by `value` and handed over in the environment, neither make nor the shell reads
# its quotes, apostrophes and dollar signs.
override GOAL := $(value GOAL)
override DATA := $(value DATA)
override OUT := $(value OUT)
export GOAL DATA OUT

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.ready ## Create the environment and install Understudy in it

chat: $(VENV)/.ready ## Chat in the terminal; GOAL="..." does one goal and exits (DATA and OUT name the folders)
	@if [ -n "$$GOAL" ]; then exec $(VENV)/bin/understudy run --data "$$DATA" --out "$$OUT" -- "$$GOAL"; \
	else exec $(VENV)/bin/understudy chat --data "$$DATA" --out "$$OUT"; fi

serve: $(VENV)/.ready ## Serve the API and the console on this machine (DATA and OUT name the folders)
	UNDERSTUDY_DATA="$$DATA" UNDERSTUDY_OUT="$$OUT" $(VENV)/bin/understudy serve $(ARGS)

cluster: $(VENV)/.ready ## Run servers, API processes and workers on this machine (ARGS="..." goes to understudy)
	$(VENV)/bin/understudy cluster $(ARGS)

test: $(VENV)/.ready-dev ## Run all tests (ARGS="..." goes to pytest)
	$(VENV)/bin/python -m pytest -n 2 $(ARGS)

eval: $(VENV)/.ready ## Replay the recorded tasks strictly; fails on a regression (ARGS="..." goes to understudy)
	$(VENV)/bin/understudy eval run --strict --gate evals/baseline.json $(ARGS)

lint: $(VENV)/.ready-dev ## Check style and format
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

typecheck: $(VENV)/.ready-dev ## Check the types of code and tests
	$(VENV)/bin/mypy

check: lint typecheck eval test ## Everything that must pass before a commit

studio: $(VENV)/.ready-dev ## Open the graph in LangGraph Studio's local server
	LANGGRAPH_STRICT_MSGPACK=true LANGGRAPH_CLI_NO_ANALYTICS=1 $(VENV)/bin/langgraph dev $(ARGS)

# Each lock also pins setuptools, which builds the project itself, so that nothing unpinned is ever fetched.
# The runtime is locked under the constraints of the larger set: both environments run the same versions.
COMPILE = printf 'setuptools>=77\n' | $(UV) pip compile pyproject.toml - --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
	--custom-compile-command 'make lock (UPGRADE=--upgrade takes newer releases)' $(UPGRADE)
lock: ## Renew the hash-pinned locks; needs uv (UPGRADE=--upgrade takes newer releases)
	$(COMPILE) --extra dev --output-file requirements-dev.lock
	$(COMPILE) --constraints requirements-dev.lock --output-file requirements.lock
	printf 'uv\n' | $(UV) pip compile - --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(UPGRADE) \
		--output-file requirements-install.lock

$(VENV)/bin/pip:
	@test -n "$(PYTHON)" || { echo "Understudy needs Python 3.11 or newer; name one with: make setup PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot create environments; on Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# A lock is complete, so nothing need be resolved (--no-deps), and Python compiles what it imports when it first does
# (--no-compile). uv takes a fifth of pip's time; where it cannot, because only pip knows the index, pip does it.
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --no-compile
define install
	@echo "Installing Understudy $(2)into $(VENV): about a minute the first time ..." >&2
	@{ $(PIP) --require-hashes --requirement requirements-install.lock && $(VENV)/bin/uv pip install --quiet \
		--python $(VENV)/bin/python --no-deps --require-hashes --requirement $(1); } 2>/dev/null || \
		$(PIP) --require-hashes --requirement $(1)
	@$(PIP) --no-build-isolation --editable .
endef

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/pip
	$(call install,requirements.lock,)
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock requirements.lock pyproject.toml | $(VENV)/bin/pip
	$(call install,requirements-dev.lock,and its test tools )
	@# The tests start many processes, on machines where none of them may keep what it compiles.
	@$(VENV)/bin/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $(VENV)/.ready $@
