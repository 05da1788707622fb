# Everything a newcomer needs: `make demo`, `make test`. Nothing but Python 3.11, make and git has to be installed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# Bytecode is kept, whatever the machine's default: compiling all that is imported costs each process 2 s of a core more.
export PYTHONDONTWRITEBYTECODE :=
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
FILE ?= tests/scenarios/scenarios.yaml
SEED ?= 1
ORDERS ?= 600
CALLBACKS ?= 10000
RATE ?= 100
FOR ?= 300
SIGNALS ?= 30000
SENDERS ?= 64
WORKERS ?= 3
RUNS ?= 20000
AGAIN ?=
GO ?= $(shell command -v go || echo /usr/local/go/bin/go)

# $(call timed,what,command): runs it, says how long it took, keeps its exit code.
timed = began=$$(date +%s); code=0; { $(2); } || code=$$?; echo "make $(1): $$(( $$(date +%s) - began )) s, exit code $$code"; exit $$code

# $(call tests,which,how): the tests. Where AGAIN is set (CI), what failed beside others is run once more, alone, and told:
# on two full cores a bound of real seconds may slip. What fails again has failed.
tests = $(PY) -m pytest -q $(1) $(2) -o cache_dir=.pytest_cache/$@ || { was=$$?; \
	  if test -n "$(AGAIN)" -a $$was -eq 1; then echo "== once more, alone: what failed beside others"; \
	  $(PY) -m pytest -v $(1) -o cache_dir=.pytest_cache/$@ --last-failed --last-failed-no-failures none; \
	  else (exit $$was); fi; }

# Options of make: two targets at the same time, both to their ends, failing when either did.
beside := -j2 --keep-going

.PHONY: help venv demo up down links status test check scenarios bench faults lives lostday burst conserve sizes longlives proxy sbom lock
.PHONY: units system polling storm browser madeup walls cluster rolling typescript golang oracles

help: ## this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

demo: venv ## start everything, play real orders to their ends, show what happened
	@$(call timed,demo,$(PY) -m bench.demo)

up: venv ## start the local stack in the background (harmless when it runs)
	@$(PY) -m deploy.local up

down: venv ## stop the local stack; its data stays in .local/
	@$(PY) -m deploy.local down

links: venv ## links with which the people of the local stack sign in to the console
	@$(PY) -m deploy.local links

status: venv ## what of the local stack runs
	@$(PY) -m deploy.local status || true

# Three processes keep two cores busy: a test waits for its servers a third of its time. Tests that bring up the whole
# system get processes of their own, since they point the environment at it: two for `system`, one for `polling`. They
# wait until the cores are free, since they watch real seconds; what they leave idle, `check` takes with the least right.
# The scenario file is among the tests (tests/scenarios/test_the_file.py): every block is played and compared there.
test: venv ## everything CI runs: lint, types, import contracts, tests, scenarios
	@$(call timed,test,$(MAKE) units && $(MAKE) $(beside) system polling check && $(MAKE) storm && $(MAKE) browser)

# Without a Chromium, and where none can be installed, the last lines say so and nothing has failed.
browser: venv ## the pages of the web console in a headless Chromium, as each role; pictures into .local/shots/
	@if $(PY) -m tests.browser.chromium; then $(call timed,$@,$(call tests,tests/browser --browser,--durations=5)); fi

units: venv ## the tests that bring up no whole system, in WORKERS processes
	@$(call timed,$@,$(call tests,--ignore=tests/e2e --ignore=tests/pull,-n $(WORKERS) --dist worksteal --durations=25 --durations-min=2))

system: venv
	@$(call timed,$@,$(call tests,tests/e2e,-n 2 --dist worksteal --durations=10 --durations-min=2))

polling: venv
	@$(call timed,$@,$(call tests,tests/pull,--durations=10 --durations-min=2))

storm: venv
	@$(call timed,$@,$(PY) -m bench.faults --callbacks 300 --rate 40 --outage 5)

check: venv ## the part of `make test` that runs no product code
	@echo "== ruff"; $(PY) -m ruff check . && $(PY) -m ruff format --check .
	@echo "== mypy"; nice -n 19 $(PY) -m mypy .
	@echo "== import contracts"; PYTHONPATH=. $(VENV)/bin/lint-imports
	@echo "== compose file"; $(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec deploy/temporal-compose.yml

walls: ## Go's own tests of the walls in front of Temporal (needs Go; minutes at the first time)
	@cd deploy/server && GOFLAGS=-p=2 nice -n 10 $(GO) test ./...

cluster: venv ## a real Temporal server with PostgreSQL, certificates and walls: orders play, everybody else is refused (needs Go)
	@$(call timed,cluster,$(PY) -m bench.cluster)

# Where npm is not there, or reaches no registry, the last line says so and nothing has failed.
typescript: ## the example of a backend in TypeScript: types, and the contract's own examples (needs npm)
	@if command -v npm >/dev/null && npm ci --silent --no-audit --no-fund --prefix examples/typescript; \
	then npm --silent --prefix examples/typescript test; else echo "make typescript: not checked: npm could install nothing"; fi

golang: ## the example of a backend in Go: types, and the contract's own examples (needs Go)
	@if command -v go >/dev/null && timeout 90 go -C examples/go mod download; \
	then go -C examples/go vet ./... && go -C examples/go test ./...; else echo "make golang: not checked: go could fetch nothing"; fi

oracles: venv ## public SDKs of WeChat Pay and Alipay, unchanged, against the sandboxes and the relay (installs what npm, pip, go and mvn reach)
	$(PY) -m tests.oracles

scenarios: venv ## every case of FILE (default tests/scenarios/scenarios.yaml), a line each
	@$(PY) -m bench.scenarios $(FILE)

bench: venv ## measure against the stack of this machine
	@$(call timed,bench,$(PY) -m bench $(ARGS))

faults: venv ## CALLBACKS signed callbacks under faults of SEED; ends in lost 0, unexpected 0, duplicated 0
	@$(call timed,faults,$(PY) -m bench.faults --seed $(SEED) --callbacks $(CALLBACKS))

rolling: venv ## seals are given to an installation that ran without, while callbacks flow: lost 0, doubled 0, none of ours refused
	@$(call timed,rolling,$(PY) -m bench.faults.rolling --seed $(SEED))

lives: venv ## ORDERS whole lives under faults of SEED, then every invariant
	@$(call timed,lives,$(PY) -m bench.faults.lives --seed $(SEED) --orders $(ORDERS))

lostday: venv ## a simulated day on which every payment callback is lost: all found, none cancelled
	@$(call timed,lostday,$(PY) -m bench.faults.lost_day --seed $(SEED))

burst: venv ## RATE events a second for FOR seconds onto open orders: nothing lost, visible within 2 s; ARGS=--rush: all at once
	@$(call timed,burst,$(PY) -m bench.load.burst --rate $(RATE) --seconds $(FOR) $(ARGS))

sizes: venv ## the largest orders and the largest return that the doors take, from placing to the end (10 minutes)
	@$(call timed,sizes,$(PY) -m bench.load.sizes)

conserve: venv ## RUNS orders from SEED on, to which anything may happen at any time: one owner for every unit and fen
	@$(call timed,conserve,$(PY) -m bench.conserve --runs $(RUNS) --seed $(SEED))

longlives: venv ## lives in as many runs as can be, SIGNALS signals of SENDERS senders onto one order, 1,000 scans of a return: each has its row
	@$(call timed,longlives,$(VENV)/bin/pytest -q tests/workflows/test_long_lives.py tests/workflows/test_bursts.py tests/returns/test_long_cases.py --long --signals $(SIGNALS) --senders $(SENDERS) --scans 1000 --timeout 1800)

proxy: venv ## the proxy's file holds: slow callers, floods, what is no callback (needs HAProxy)
	@$(VENV)/bin/pytest -q tests/deploy/test_proxy.py

sbom: venv ## what the image is made of, and under which licences: deploy/sbom.cdx.json, deploy/licences.md
	@$(PY) -m deploy.bill_of_materials

madeup: venv ## requests made up from the open API's document, for five minutes: no fault of ours, no undocumented answer
	@$(call timed,madeup,$(VENV)/bin/pytest -q tests/open_api/test_made_up_requests.py --long --timeout 900)

lock: venv ## resolve pyproject.toml into requirements.lock: hashes, no index lines
	$(VENV)/bin/uv pip compile pyproject.toml --extra local --extra dev --extra training --python-version 3.11 --universal \
	  --generate-hashes --no-emit-index-url --no-header -o requirements.lock
	$(VENV)/bin/uv pip compile pyproject.toml -c requirements.lock --python-version 3.11 --universal \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -o deploy/production.lock
	$(VENV)/bin/uv pip compile pyproject.toml --extra training -c requirements.lock --python-version 3.11 --universal \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate -o deploy/training.lock

venv: $(INSTALLED)

$(INSTALLED): requirements.lock deploy/installer.lock
	@test -n "$(PYTHON)" || { echo "no Python found: install Python 3.11 or newer, or run make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is older than Python 3.11: install 3.11 or run make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "installing into $(VENV) (once)"
	@test -x $(PY) || "$(PYTHON)" -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian: python3.11-venv)"; exit 1; }
	@if $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/installer.lock \
	  && $(VENV)/bin/uv pip sync --quiet --python $(PY) --require-hashes requirements.lock; then :; else \
	  echo "uv cannot install here (it ignores the settings of pip); installing with pip instead"; \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	fi
	@printf '%s\n' '#!/bin/sh' '# The oms command of this checkout, from any folder.' \
	  'here=$$(cd "$$(dirname "$$(readlink -f "$$0")")/../.." && pwd)' \
	  'PYTHONPATH="$$here" exec "$$here/.venv/bin/python" -m starter.cli "$$@"' > $(VENV)/bin/oms
	@chmod 755 $(VENV)/bin/oms
	@touch $@
