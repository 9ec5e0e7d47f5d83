# dergate: `make demo` shows it, `make test` is what CI runs.
.PHONY: demo test lint unit mutate test-maps bench setup venv lock

PY := .venv/bin/python

demo: venv
	@scripts/debian mosquitto:mosquitto
	@.venv/bin/dergate demo

setup: venv
	@scripts/debian mosquitto:mosquitto mbpoll:mbpoll chromium:chromium openssl:openssl

venv:
	@scripts/venv

test: setup unit

lint: venv
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache

unit: venv
	scripts/test

mutate: venv
	@env -u PYTHONDONTWRITEBYTECODE PYTHONHASHSEED=0 $(PY) tests/mutation/mutation_gate.py $(if $(ONLY),--only $(ONLY))

test-maps: venv
	$(PY) -m pytest tests/maps -q

bench: setup
	$(PY) -m benchmarks

lock:
	@scripts/lock
