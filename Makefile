# make quickstart   install, run the quickstart notebook, write everything to results/quickstart/
# make test         install, lint, run all tests, and those of networks, losses and metrics on JAX as well
# make test-torch   install PyTorch and kornia; compare networks with theirs
# make test-export  install ONNX and LiteRT; compare exported models with Keras
# make check        lint and the fast tests: four minutes, for development
# make lint         ruff and the layers of the package; make format fixes style
# make notebooks    run every notebook except the ninth and save its outputs: 4 hours
# make book         build all lessons, pages and the API reference as a site: 30 seconds
# make benchmark    time the benchmark against the plain official algorithm: 10 minutes
# make campaign     damage, kill and flip: what the files of others and interruptions can do: 45 minutes;
#                   a piece of it: make campaign OPTIONS="kills --pieces training"
# make lock         requirements-lock.txt: exact versions with checksums, for courses (needs a network)
# make audit        look for known vulnerabilities in the locked versions (needs a network)
# make scale        data at its real size, and batches: 15 minutes, 15 GB of disk

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 3
BIN = $(VENV)/bin
NOTEBOOKS = $(shell ls notebooks/[1-8]-*.ipynb | sed 's/.*[0-9]-//; s/.ipynb//')
export TF_CPP_MIN_LOG_LEVEL ?= 2
# TensorFlow trains faster on a CPU (benchmarks/tensorflow_settings.py).
export TF_CPU_ALLOCATOR_USE_BFC ?= 1
export TF_ENABLE_ONEDNN_OPTS ?= 1

# What must give the same results on another backend.
ON_JAX = tests/models tests/losses tests/metrics tests/callbacks/test_resume.py --ignore=tests/models/test_registration.py

.PHONY: quickstart test test-torch test-export check lint format notebooks book benchmark campaign lock audit scale clean
quickstart: $(VENV)/installed
	$(BIN)/python notebooks/run.py quickstart

# One process more than the two cores of most machines for tests: TensorFlow waits after each epoch.
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal
# Compiling takes longer than running: without optimisation the tests take three quarters of the time.
JAX = KERAS_BACKEND=jax JAX_DISABLE_MOST_OPTIMIZATIONS=1

test: lint
	$(PYTEST); status=$$?; echo "Once more on JAX:"; $(JAX) $(PYTEST) -m "not one_backend" tests/test_backends.py $(ON_JAX) && exit $$status

test-torch: lint
	$(BIN)/python -m pip install --quiet --editable '.[test,torch]'
	$(PYTEST) tests/_support/test_torch_files.py tests/models/test_from_torch.py tests/models/test_to_torch.py

test-export: lint
	$(BIN)/python -m pip install --quiet --editable '.[test,export]'
	$(PYTEST) tests/models/test_export.py tests/models/test_with_resize.py

check: lint
	$(PYTEST) -m "not slow" --durations=0 --durations-min=5

lint: $(VENV)/installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

format: $(VENV)/installed
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

notebooks: $(VENV)/installed
	for name in $(NOTEBOOKS); do $(BIN)/python notebooks/run.py $$name --save || exit 1; done

# Built from scratch: the gallery needs all pages. -W: a warning is an error.
# With a network, `python docs/book/check_links.py results/book --external` asks other sites as well.
book: $(VENV)/installed-book
	rm -rf results/book
	$(BIN)/python -m sphinx -E -W --keep-going -q -c docs/book -d results/book-cache . results/book
	$(BIN)/python docs/book/check_links.py results/book

benchmark: $(VENV)/installed
	$(BIN)/python benchmarks/evaluation.py

campaign: $(VENV)/installed
	PYTHONPATH=benchmarks TQDM_DISABLE=1 $(BIN)/python -m campaigns --save $(if $(SMALL_DISK),--small-disk $(SMALL_DISK)) $(OPTIONS)

# The first two lines of the file stay. The same versions are resolved for Python 3.13.
lock: $(VENV)/installed
	$(BIN)/python -m pip install --quiet uv
	head -2 requirements-lock.txt > $(VENV)/lock.txt
	$(BIN)/uv pip compile requirements.txt --quiet --upgrade --generate-hashes --no-header --no-emit-index-url \
	  --python-version 3.12 --python-platform x86_64-manylinux_2_28 >> $(VENV)/lock.txt
	mv $(VENV)/lock.txt requirements-lock.txt

# --strict: fail if the service does not know a package, or does not answer.
audit: $(VENV)/installed
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --requirement requirements-lock.txt --require-hashes --disable-pip --strict

scale: $(VENV)/installed
	$(BIN)/python benchmarks/data.py
	$(BIN)/python benchmarks/batches.py

$(VENV)/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11 to 3.13 is needed; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "Installing the packages in requirements.txt: a few minutes, about 2 GB."
	$(BIN)/python -m pip install --quiet --quiet --editable '.[test]'
	@touch $@

$(VENV)/installed-book: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --quiet --editable '.[book]'
	@touch $@

clean:
	rm -rf $(VENV) data/mini data/mini-original data/mini-extra-* data/photos data/photos-original data/photos-extra-* data/tasks data/denoised
