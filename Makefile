# The menu of the house: what a person and CI run, with the same words.
# Every target does its own set-up; none needs a cluster, a GPU or anything outside this folder.

SHELL := /bin/sh
.DEFAULT_GOAL := menu
.PHONY: menu demo test check prove cluster bench bench-extender lock clean run develop

BIN := .venv/bin
# One worker for each core; `make test WORKERS=1` for one process.
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
# What the linters and the type checker read: our rooms and their tests.
CODE := autoscaler gpu_fleet scheduler_extender service_runtime simulations synthscale tests
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --all-extras --generate-hashes \
	--fork-strategy fewest --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --quiet

menu: ## Print this menu
	@echo 'synthscale: make TARGET'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name help; do printf '  %-17s %s\n' "$$name" "$$help"; done

demo: run ## Run every experiment on bundled workloads; writes out/demo/report.html
	$(BIN)/synthscale demo --out out/demo

test: develop ## Run the tests, all but the long proofs
	$(BIN)/pytest tests -m 'not prove' -n $(WORKERS) --dist loadgroup --durations=15

check: develop ## Lint, format check, strict types, import law and the tests of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(BIN)/pytest tests/house -q -n $(WORKERS)

prove: develop ## Run the full counts, traces and statistics; writes docs/figures/
	$(BIN)/pytest tests -m prove -n $(WORKERS) --dist loadgroup --durations=15

cluster: develop ## Open a shell on a real Kubernetes (`make cluster WITH=karpenter,prometheus`)
	@$(BIN)/python -m tests.cluster.shell --with '$(WITH)'

bench: develop ## Print speed ratios, each measured in one run against a named baseline
	$(BIN)/python -m tests.bench

bench-extender: develop ## Time the extender at a Go client and beside a real kube-scheduler
	$(BIN)/python -m tests.bench_extender

lock: develop ## Resolve the pinned requirement files again (`make lock UPGRADE=--upgrade`)
	$(LOCK) $(UPGRADE) --group dev --output-file requirements/develop.txt
	$(LOCK) --group build --constraint requirements/develop.txt --output-file requirements/run.txt

clean: ## Remove results and caches (.venv stays; it is yours to remove)
	rm -rf out dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

run develop:
	@requirements/prepare $@
