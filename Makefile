# Everything runs in a virtual environment of its own; `make demo` and `make test` need nothing else
# but Python 3.11 and pip.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest $(if $(JOBS),-n $(JOBS) --dist loadfile)
CODE := src tests scripts bench examples

.PHONY: help demo test test-vm lint format bench corpus fuzz coverage clean

help:
	@echo "make demo     build the firewall, run it over a capture, and (as root) in the kernel"
	@echo "make test     all everyday tests (JOBS=4: in four processes)"
	@echo "make test-vm  the kernel tests on Linux 6.12 and 6.1, in virtual machines (needs root)"
	@echo "make lint     ruff, mypy, and generated files that are out of date"
	@echo "make bench    times and ratios, each measured beside something known"
	@echo "make corpus   the kernel's own BPF tests, opened and loaded by ebee and by libbpf, and"
	@echo "              judged by ebee's verifier and the kernel's"
	@echo "make fuzz     the long random tests"

$(VENV)/.c $(VENV)/.test: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(EXTRAS)]'
	@touch $@

$(VENV)/.c: EXTRAS := c,view
$(VENV)/.test: EXTRAS := c,view,test,lint

demo: $(VENV)/.c
	@$(BIN)/python scripts/demo.py

test: $(VENV)/.test
	$(PYTEST)

test-vm: $(VENV)/.test
	$(BIN)/python scripts/vm.py test --record

lint: $(VENV)/.test
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/mypy
	$(BIN)/python scripts/gen_coverage.py --check
	$(BIN)/python scripts/gen_stubs.py --check

format: $(VENV)/.test
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

bench: $(VENV)/.test
	$(BIN)/python -m bench

corpus: $(VENV)/.test
	$(BIN)/python scripts/corpus.py
	$(BIN)/python scripts/corpus_verifier.py

fuzz: $(VENV)/.test
	EBEE_FUZZ=1 $(PYTEST) -m 'unit or differential' -k fuzz
	$(BIN)/python scripts/fuzz.py --jobs $$(nproc)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
