# Two commands for everybody: `make play` and `make test`. The rest is for contributors.
# Every command sets up what it needs; a machine has to have Python 3.11, git and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 3
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url

.PHONY: play test check prove bench lock clean
.PHONY: check-static check-format check-lint check-imports check-types check-rules

play: $(VENV)/.to-play
	$(BIN)/sciclops play

test: $(VENV)/.to-develop
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile \
	  --no-loadscope-reorder

check: check-static check-rules

check-static: check-format check-lint check-imports check-types

check-format: $(VENV)/.to-develop
	$(BIN)/ruff format --check .

check-lint: $(VENV)/.to-develop
	$(BIN)/ruff check .

check-imports: $(VENV)/.to-develop
	$(BIN)/lint-imports --no-logo

check-types: $(VENV)/.to-develop
	$(BIN)/mypy
	for tests in tests/*/conftest.py; do $(BIN)/mypy "$$tests" || exit 1; done

check-rules: $(VENV)/.to-develop
	$(BIN)/python -m pytest --quiet tests/fast/test_house_*.py tests/fast/test_manifest.py

prove: $(VENV)/.to-develop
	$(BIN)/python -m pytest --prove tests/chaos tests/conversations tests/browser/test_ship_story.py \
	  tests/browser/test_story.py tests/fast/test_rendered_projects.py

bench: $(VENV)/.to-develop
	PYTHONPATH=tests $(BIN)/python benchmarks/run.py

# Keeps every pinned version that still fits; `make lock UPGRADE=--upgrade` takes the newest ones.
lock: $(VENV)/.to-develop
	$(BIN)/$(LOCK) $(UPGRADE) --all-extras --group dev pyproject.toml -o requirements.lock
	$(BIN)/$(LOCK) --extra playground --extra terraform --group build -c requirements.lock \
	  --no-annotate pyproject.toml -o requirements-play.lock

clean:
	rm -rf $(VENV) .play build

$(VENV)/.to-play: requirements-play.lock pyproject.toml .ci/install
	PYTHON="$(PYTHON)" bash .ci/install $(VENV) requirements-play.lock
	touch $@

$(VENV)/.to-develop: requirements.lock pyproject.toml .ci/install
	PYTHON="$(PYTHON)" bash .ci/install $(VENV) requirements.lock
	touch $@
