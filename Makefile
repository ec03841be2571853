# Two commands from a bare checkout: `make demo` and `make test`. Each creates .venv and installs what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# One process more than there are cores, since tests of servers wait; SCALE=full makes the benchmarks use the published sizes.
JOBS   ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
TEST_EXTRAS := dev,train,control,sdn,ray,gurobi
# What `make test` does as well while kernels compile: continuous integration has it build the site.
BESIDE ?=

.PHONY: demo test docs docs-without-examples docs-look check check-tests system-packages lint kernels smoke smoke-aside tests-in-parallel fuzz simulate-faults bench wheel install install-test clean help simulate-faults-nightly

help:
	@echo "make demo   the whole story on a shipped scenario, in seconds"
	@echo "make check  for daily work, two minutes: lint, type check, the tests that your change touches"
	@echo "make test   lint, type check, every test, and both publications at smoke scale: ten minutes on two cores"
	@echo "make lint   ruff, mypy --strict, import contracts"
	@echo "make smoke  both publications reproduced with little data: about two minutes, report in build/reproduction"
	@echo "make fuzz   ten thousand odd requests against each HTTP API, the control plane's and a city's: no 500, no exit"
	@echo "make simulate-faults  the control plane in simulated worlds where everything fails, until stopped: prints the seed of a broken promise"
	@echo "make simulate-faults-nightly  a hundred thousand of them, other ones every night; goes on where it was stopped"
	@echo "make docs   the documentation in build/site, with every example run; a warning is an error"
	@echo "make docs-look  every page of it in a browser: desktop and phone, light and dark, links, search"
	@echo "make wheel  a wheel in dist, with compiled kernels for every supported Python found here; each checked in an environment of its own"
	@echo "make bench  the figures of the project, printed as ratios measured in one run"

demo: $(VENV)/.kernels
	$(BIN)/slicewright demo

# Bytecode is made of what is imported, when it is, and kept: pip would make it of all that it installs (300 MB of sources,
# most of them never loaded), and hundreds of processes that tests start would each make it anew.
export PYTHONDONTWRITEBYTECODE :=

test:
	$(MAKE) -j3 --output-sync system-packages kernels lint $(BESIDE)
	# What measures time runs by itself, everything else in parallel; nothing is asked twice.
	# A test that is skipped though all it needs was installed has failed.
	$(MAKE) -j2 tests-in-parallel smoke-aside
	SLICEWRIGHT_TESTS_WHOLE=1 $(BIN)/python -m pytest -m timing $$(grep -rlw timing tests --include='test_*.py')

# Neighbours go to one process until another has nothing to do: what a file's tests share (a server, a model, a report)
# is made once, not once a process.
tests-in-parallel: $(VENV)/.test
	SLICEWRIGHT_TESTS_WHOLE=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not timing" --junitxml build/tests.xml

# With what processors have left beside tests, which wait for servers now and then. That both publications can be
# reproduced does not depend on how busy a machine is; the times in these reports do: `make smoke` has those of a quiet one.
smoke-aside: $(VENV)/.test
	@mkdir -p build
	@nice -n 19 $(MAKE) smoke > build/smoke.log 2>&1 || { cat build/smoke.log; exit 1; }
	@echo "both publications are reproduced at smoke scale: build/reproduction, build/smoke.log"

# Lint on one processor, tests on the other. Tests are those that import what changed since this branch left main (or
# since the last commit), the nearest first, until the two minutes are over; the last one may take some seconds more.
check: $(VENV)/.test
	@export SLICEWRIGHT_TESTS_UNTIL=$$(($$(date +%s) + 110)); \
	$(MAKE) --no-print-directory -j2 --output-sync lint check-tests

check-tests: $(VENV)/.test kernels
	@tests=$$($(BIN)/python -m tests.touched); \
	if [ -n "$$tests" ]; then $(BIN)/python -m pytest -q -n $(JOBS) -m "not timing and not slow" $$tests; fi

# Compiled first, so that first plans, tests which start servers and those which count seconds do not wait for it.
$(VENV)/.kernels: $(VENV)/.core
	@echo "compiling kernels, once: two to four minutes"
	$(BIN)/python scripts/compile_kernels.py src/slicewright/ready_kernels --cache build/kernel_cache --or-here
	touch $@

# And what was changed since, as far as first plans need it.
kernels: $(VENV)/.kernels
	$(BIN)/slicewright plan paper-slicing --show 0 --method exact --budget 5s > /dev/null
	$(BIN)/slicewright place paper-placement --method auto --budget 50ms --json - > /dev/null

# Waits for the network rather than for a processor, where anything is missing.
system-packages:
	bash scripts/install-system-packages.sh

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Side by side: each times solvers on one core for a minute, which the other one uses.
smoke: $(VENV)/.test
	rm -rf build/reproduction
	$(MAKE) -j2 smoke-slicing smoke-placement

smoke-%: $(VENV)/.test
	$(BIN)/slicewright reproduce $* --scale smoke --output build/reproduction/$*

# A short version is among the tests.
fuzz: $(VENV)/.test
	$(BIN)/python -m tests.control.fuzz --calls 10000
	$(BIN)/python -m tests.control.fuzz --calls 10000 --city

simulate-faults: $(VENV)/.test
	$(BIN)/python -m tests.control.simulation

# Every night others: a hundred thousand, some two hours on two cores. What ends it early goes on where it was.
NIGHT ?= $(shell date +%Y%m%d)
simulate-faults-nightly: $(VENV)/.test
	$(BIN)/python -m tests.control.simulation --first $(NIGHT)00000 --schedules 100000 --progress build/faults-$(NIGHT).json

# Needs no network. Examples that nothing has changed for since they ran are not run again.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	$(BIN)/python -m documentation.look --links-only

# Words, links, equations and references alone.
docs-without-examples: export SLICEWRIGHT_DOCS_RUN := none
docs-without-examples: docs

docs-look: docs
	$(BIN)/python -m documentation.look --pictures build/pictures

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

wheel: $(VENV)/.core
	$(BIN)/python scripts/build_wheel.py

install: $(VENV)/.kernels
install-test: $(VENV)/.test

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# pip would compile kernels in an environment of its own (hatch_build.py), which has to be installed first.
PIP := SLICEWRIGHT_READY_KERNELS=none $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

$(VENV)/.core: $(VENV)/bin/python pyproject.toml
	$(PIP) -e .
	touch $@

# The project is there by then and stays as it is: its kernels compile meanwhile, which need nothing of this.
$(VENV)/.test: $(VENV)/.core
	$(PIP) 'slicewright[$(TEST_EXTRAS)]'
	touch $@

$(VENV)/.docs: $(VENV)/.test
	$(PIP) 'slicewright[docs]'
	touch $@

clean:
	rm -rf $(VENV) src/slicewright/ready_kernels build/kernel_cache .pytest_cache .mypy_cache .ruff_cache
