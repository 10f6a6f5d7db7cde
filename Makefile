PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PO := src/actlab/locale/ko/LC_MESSAGES/actlab.po

.PHONY: help install study test test-all lint sbom format drill coverage mutants bench docs notebooks messages clean

help:            ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

install: $(STAMP) ## create .venv and install actlab with its development tools

$(STAMP): pyproject.toml constraints.txt hatch_build.py $(PO)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

study: $(STAMP)  ## the digits study, to its report
	$(BIN)/actlab study run digits

test: $(STAMP)   ## the test suite (minutes, no network)
	$(BIN)/python -m pytest

test-all: $(STAMP) ## the slow tests too
	$(BIN)/python -m pytest -m ''
	$(MAKE) docs
	$(BIN)/python benchmarks/drill.py --quick
	$(BIN)/python benchmarks/fuzz.py --inputs 1000 --commands 10

lint: $(STAMP)   ## ruff, its security rules too, strict mypy, and whether versions are as locked
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python benchmarks/locked.py

sbom: $(STAMP)   ## the software bill of materials of what is installed, in build/sbom.json
	$(BIN)/python benchmarks/locked.py
	@mkdir -p build
	$(BIN)/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible --output-format JSON -o build/sbom.json

format: $(STAMP) ## let ruff lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

drill: $(STAMP)  ## faults and bad input; writes docs/reliability.md; goes on where it was interrupted
	$(BIN)/python benchmarks/drill.py
	$(BIN)/python benchmarks/fuzz.py --page

coverage: $(STAMP) ## lines and branches that the test suite runs; a page in build/coverage
	$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest --timeout=900  # a tracer gets in the way of a few tests
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet --directory build/coverage
	$(BIN)/coverage report --skip-covered

mutants: $(STAMP) ## would the tests notice? hours; goes on where it was interrupted
	$(BIN)/python benchmarks/mutants.py --page

bench: $(STAMP)  ## the benchmarks
	$(BIN)/python benchmarks/run_all.py

docs: $(STAMP)   ## the documentation site, in site/; every link checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

notebooks: $(STAMP) ## run tutorials and examples, and keep their outputs
	$(BIN)/python docs/site_pages/notebooks.py

messages: $(STAMP) ## collect the messages into the Korean catalogue and compile it
	@mkdir -p build
	$(BIN)/pybabel --quiet extract -F babel.cfg --no-location --sort-output --project actlab --omit-header -o build/actlab.pot src/actlab
	$(BIN)/pybabel --quiet update --no-fuzzy-matching --omit-header --ignore-obsolete -D actlab -l ko -i build/actlab.pot -d src/actlab/locale
	$(BIN)/python -m pip install --quiet --no-deps --editable . # its build step compiles the catalogue

clean:           ## remove what is made, keep the sources
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
