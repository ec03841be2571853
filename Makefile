# Two commands from a bare checkout: `make demo` and `make test`. Each creates .venv and installs what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Tests may use every core; SCALE=full makes the benchmarks use the published sizes.
JOBS   ?= auto
TEST_EXTRAS := dev,train,control,sdn,ray,gurobi

.PHONY: demo test lint smoke bench install install-test clean help

help:
	@echo "make demo   the whole story on a shipped scenario, in seconds"
	@echo "make test   lint, type check, every test, and both publications at smoke scale"
	@echo "make lint   ruff, mypy --strict, import contracts"
	@echo "make smoke  both publications reproduced with little data: about five minutes, report in build/reproduction"
	@echo "make bench  the figures of the project, printed as ratios measured in one run"

demo: $(VENV)/.core
	$(BIN)/slicewright demo

test: $(VENV)/.test
	bash scripts/install-system-packages.sh
	$(MAKE) lint
	# Compile the kernels first: tests that start servers must not wait for it.
	$(BIN)/slicewright plan paper-slicing --devices 0
	$(BIN)/slicewright plan paper-slicing --devices 0 --method exact --budget 5s
	$(BIN)/slicewright plan paper-slicing --devices 0 --method bipartite-raw
	$(BIN)/slicewright place paper-placement --method auto --budget 50ms --json - > /dev/null
	$(BIN)/python -m pytest -n $(JOBS) -m "not timing"
	$(BIN)/python -m pytest -m timing
	$(MAKE) smoke

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

smoke: $(VENV)/.test
	rm -rf build/reproduction
	$(BIN)/slicewright reproduce slicing --scale smoke --output build/reproduction/slicing
	$(BIN)/slicewright reproduce placement --scale smoke --output build/reproduction/placement

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

install: $(VENV)/.core
install-test: $(VENV)/.test

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(TEST_EXTRAS)]'
	touch $@ $(VENV)/.core

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
