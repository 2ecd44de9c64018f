# Everything bootstraps .venv by itself, and again only when pyproject.toml or constraints.txt change.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
BENCH  := .venv-bench
BROWSER := .venv-browser
SPARK  := .venv-spark
# Empty, it takes the newest of everything: make test CONSTRAINTS=
CONSTRAINTS ?= -c constraints.txt
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet install $(CONSTRAINTS)
DEPS   := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check unit functional fmt notebooks badges constraints templates
.PHONY: spark environment colab architecture translate drawings site browser colab-freeze lowest
.PHONY: catalogue release bench bench-answers clean

help:  ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(VENV)/.demo  ## run the seven notebooks, compare their answers; leaves them in out/
	$(BIN)/tgpipeline demo
	$(BIN)/python -m tools.pages out
	$(BIN)/python -m tools.compare out

test: check  ## everything CI runs: lint, types, unit, functional, notebooks
	$(BIN)/python -m pytest --durations=20

check: $(VENV)/.dev  ## lint, types, and how much code there is
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cfn-lint lambda_src/*.yaml
	$(BIN)/python -m tools.size

unit: $(VENV)/.dev  ## the fast tests and the docstrings' examples: no servers
	$(BIN)/python -m pytest tests/unit tgpipeline telegram_standin

functional: $(VENV)/.dev  ## the tests against the local stack
	$(BIN)/python -m pytest tests/functional

fmt: $(VENV)/.dev  ## format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

notebooks: $(VENV)/.dev  ## run the series and store its outputs in notebooks/
	$(BIN)/python -m tools.notebooks

translate: $(VENV)/.dev  ## renew the Portuguese catalogues, and make the Portuguese notebooks
	$(BIN)/python -m tools.translate

drawings: $(VENV)/.dev  ## draw the notebooks' drawings again
	$(BIN)/python -m tools.drawings

site: $(VENV)/.dev  ## the series as a static site in out/site, checked
	$(BIN)/python -m tools.site

browser: $(BROWSER)/.installed  ## run notebooks in JupyterLab in a real browser (needs chromium)
	$(BROWSER)/bin/python -m tools.browser

architecture: $(VENV)/.dev  ## draw the README's picture again
	$(BIN)/python -m tools.architecture

badges: $(VENV)/.dev  ## rewrite badges and setup cells from [project.urls], or git's origin
	$(BIN)/python -m tools.badges

templates: $(VENV)/.dev  ## fill in what lambda_src/*.yaml takes from code: columns, a hash
	$(BIN)/python -m tools.templates

environment: $(VENV)/.dev  ## write environment.yml from pyproject.toml
	$(BIN)/python -m tools.environment

catalogue: $(VENV)/.dev  ## extract and compile the report's sentences in other languages
	$(BIN)/python -m tools.catalogue

colab: $(VENV)/.dev  ## all notebooks with Colab's versions (needs python3.13)
	$(BIN)/python -m tools.environments colab

colab-freeze: $(VENV)/.dev  ## renew the list of Colab's versions
	$(BIN)/python -m tools.environments freeze

lowest: $(VENV)/.dev  ## unit tests and notebooks with the lowest versions (needs python3.11)
	$(BIN)/python -m tools.environments lowest

release: check  ## see that version, tag and CHANGELOG agree
	$(BIN)/python -m tools.release

bench: $(BENCH)/.installed  ## measure against named peers; writes benchmarks/results.md
	$(BENCH)/bin/python -m benchmarks

bench-answers: $(VENV)/.dev  ## how often intervals of answers hold, and the bias from texts on
	$(BIN)/python benchmarks/bench_answers.py
	$(BIN)/python benchmarks/bench_texts.py

spark: $(SPARK)/.installed  ## the ETL on Spark against the function's, row for row (needs Java 17)
	$(SPARK)/bin/python -m pytest tests/spark -p no:cacheprovider

constraints: $(VENV)/.dev  ## write the versions installed now into constraints.txt
	$(BIN)/python -m tools.constraints

clean:  ## remove what was made
	rm -rf $(VENV) $(VENV)-* out build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"tgpipeline needs Python 3.11 or newer; {sys.executable} is {v.major}.{v.minor}. Try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python $(DEPS)
	$(PIP) -e '.[notebooks]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python $(DEPS)
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.demo

$(BROWSER)/.installed: pyproject.toml
	test -d $(BROWSER) || $(PYTHON) -m venv $(BROWSER)
	$(BROWSER)/bin/python -m pip --disable-pip-version-check --quiet install -e '.[browser]'
	@touch $@

$(SPARK)/.installed: pyproject.toml
	test -d $(SPARK) || $(PYTHON) -m venv $(SPARK)
	$(SPARK)/bin/python -m pip --disable-pip-version-check --quiet install -e '.[spark]' \
		'hypothesis>=6.100' 'moto[server]>=5.1' 'pytest>=8.2' 'pytest-socket>=0.7'
	@touch $@

# The peers live apart: awswrangler does not run with the pandas that everything else is tested with.
$(BENCH)/.installed: pyproject.toml
	test -d $(BENCH) || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip --disable-pip-version-check --quiet install -e '.[bench]'
	@touch $@
