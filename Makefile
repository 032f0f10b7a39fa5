# Two commands on a fresh machine with Python 3.11, git and make: `make demo` and `make test`. Each sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.weighbridge-installed
FUZZ ?= 3600
MINUTES ?= 60
PYTEST_ARGS ?= -n 2 --dist loadgroup

ifdef UV
export UV
endif
# A caller's own environment must not decide what is imported.
unexport PYTHONPATH VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help demo test fuzz fuzz-pickles fuzz-parsers strangers test-bare cluster check format bench lock tools clean

help: ## Say what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml tools/environment.py tools/uv.txt
	@$(PYTHON) tools/environment.py $(VENV)
	@touch $@

demo: $(STAMP) ## Show the whole path on real data: four models, four endings, one report (DEMO=DIR names the place).
	@$(BIN)/weighbridge demo $(if $(DEMO),-o "$(DEMO)")

test: $(STAMP) ## Run every test that this machine can run, and say which it cannot.
	$(BIN)/pytest $(PYTEST_ARGS)

test-bare: ## Run the two commands in a bare Debian without user namespaces (root, debootstrap; BARE="demo again" runs a part).
	@$(PYTHON) -m tests.places.bare $(BARE)

fuzz: $(STAMP) ## Feed changed records, policies, trust documents and verdicts to the gate for an hour (FUZZ=seconds).
	@$(BIN)/python -m tests.fuzz.documents --seconds $(FUZZ)

fuzz-pickles: $(STAMP) ## Load what the model scan calls clean under watch, with several versions of the libraries (MINUTES=60).
	@$(BIN)/python -m tests.fuzz.pickles --minutes $(MINUTES)

fuzz-parsers: $(STAMP) ## Feed the parsers of the model scan bytes by coverage, with atheris (MINUTES=60).
	@$(BIN)/python -m tests.fuzz.parsers --minutes $(MINUTES)

strangers: $(STAMP) ## Write model folders with the tools that people use, and run one command on each (7 GB, once).
	@$(BIN)/python -m tests.strangers

cluster: $(STAMP) ## Open a shell beside a real Kubernetes cluster with Weighbridge installed (root; programs by `make tools`).
	@$(BIN)/python -m tests.cluster

check: $(STAMP) ## Check format, lint, types, layers, dependencies and docstrings.
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/interrogate --quiet src
	$(BIN)/python -m tools.lock check

format: $(STAMP) ## Format the code and fix what can be fixed.
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(STAMP) ## Measure against other tools on this machine, ratios in the same run.
	$(BIN)/python benchmarks/run.py $(BENCH)

lock: $(STAMP) ## Resolve the lock again, from releases that are at least seven days old.
	$(BIN)/python -m tools.lock write

tools: ## Build the programs that interop lanes test against (Go; about fifteen minutes, once).
	$(PYTHON) tools/go_tools.py

clean: ## Remove what was built or cached in the checkout; keep demos, and the tools built outside it.
	rm -rf $(VENV) .cache dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks tools -name __pycache__ -type d -prune -exec rm -rf {} +
