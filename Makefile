# make quickstart   install, run the quickstart notebook, leave everything in results/quickstart/
# make test         install, run the whole test suite, and networks, losses and metrics once more on JAX
# make notebooks    run every notebook and keep its outputs in notebooks/
# make benchmark    time the benchmark against the plain official algorithm: 10 minutes
# make scale        the data at its real size, and batches: 15 minutes, 15 GB of disk
# make lint         check style; make format mends it

PYTHON ?= python3
VENV ?= .venv
CORES ?= 2
BIN = $(VENV)/bin
NOTEBOOKS = $(shell ls notebooks/*.ipynb | sed 's/.*[0-9]-//; s/.ipynb//')
export TF_CPP_MIN_LOG_LEVEL ?= 2

# What has to give the same on another backend.
ON_JAX = tests/test_unets.py tests/test_models.py tests/test_losses.py tests/test_metrics.py tests/test_training.py tests/test_pretrained.py

.PHONY: quickstart test notebooks benchmark scale lint format clean
quickstart: $(VENV)/installed
	$(BIN)/python notebooks/run.py quickstart

# One core each: most of a test is Python and the compiling of small networks.
PYTEST = $(BIN)/python -m pytest --numprocesses $(CORES) --dist worksteal

test: $(VENV)/installed
	$(PYTEST); here=$$?; echo "Once more on JAX:"; KERAS_BACKEND=jax $(PYTEST) $(ON_JAX) && exit $$here

notebooks: $(VENV)/installed
	for name in $(NOTEBOOKS); do $(BIN)/python notebooks/run.py $$name --save || exit 1; done

benchmark: $(VENV)/installed
	$(BIN)/python benchmarks/evaluation.py

scale: $(VENV)/installed
	$(BIN)/python benchmarks/data.py
	$(BIN)/python benchmarks/batches.py

lint: $(VENV)/installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

format: $(VENV)/installed
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

$(VENV)/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11 to 3.13 is needed; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "Installing what requirements.txt names: a few minutes, about 2 GB."
	$(BIN)/python -m pip install --quiet --quiet --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) data/mini data/mini-original data/photos data/photos-original data/tasks data/denoised
