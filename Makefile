# Everything a fresh machine needs is Python 3.11+ and make. With npm the local cloud keeps its data in a file.
PYTHON ?= python3
UV     := .venv/bin/uv
SAM    := SAM_CLI_TELEMETRY=0 $(UV) tool run --quiet --from aws-sam-cli==1.170.0 sam
STAGE  ?= dev
N      ?= 10000
SEED   ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test slow coverage histories dev check build deploy

help:            ## list the targets
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

.venv/installed: pyproject.toml uv.lock
	@test -x $(UV) || ($(PYTHON) -m venv .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.8)
	@$(UV) sync --frozen --inexact --quiet
	@touch $@

demo: .venv/installed  ## play a day at the market on the local cloud
	@.venv/bin/cauri demo

dev: .venv/installed   ## leave the local cloud running
	@.venv/bin/cauri dev

check: .venv/installed ## lint, types, imports, templates
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/cfn-lint template.yaml
	@$(SAM) validate --lint --region us-east-1

test: .venv/installed  ## check, then run the tests
	@$(MAKE) --no-print-directory check
	@.venv/bin/pytest -m "not slow" -n auto --dist worksteal --ignore tests/local --ignore tests/e2e
	@.venv/bin/pytest -m "not slow" -n 2 --dist loadfile tests/local tests/e2e

slow: .venv/installed  ## the tests that `make test` has no time for: 1,000 buyers at once, every saga whole, more kills
	@.venv/bin/pytest -m slow -n auto --dist worksteal --ignore tests/e2e --deselect tests/saga/test_histories.py
	@.venv/bin/pytest -m slow tests/e2e

coverage: .venv/installed ## which lines of the product its tests run
	@.venv/bin/pytest -m "not slow" -n auto --dist worksteal --ignore tests/local --ignore tests/e2e --cov cauri --cov-branch --cov-report term:skip-covered

histories: .venv/installed ## play N random histories of orders, refunds, outages and late news, from a SEED
	@.venv/bin/pytest tests/saga/test_histories.py -k very_many --histories $(N) --hypothesis-seed=$(SEED)

build: .venv/installed ## make the packages that AWS runs, in .aws-sam/build
	@$(SAM) build

deploy: build ## put a STAGE of samconfig.toml on AWS: docs/deploying.md
	@$(SAM) deploy --config-env $(STAGE)
