# The front door. `make` alone prints what there is.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# One line after the other: they share one target folder and two servers.
.NOTPARALLEL:

BIN := $(or $(CARGO_TARGET_DIR),target)/debug
# All binaries and tests at once: cargo then builds every dependency with one set of features, once.
BUILD := cargo build --locked --workspace --bins
WITH_SERVERS := $(BIN)/with-servers --

.PHONY: help
help: ## print this
	@echo "make run     is where to begin; make test tells whether all is well"
	@echo
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

.PHONY: run
run: tools-servers build ## start the suite, walk the sample feedback round the loop, print the audit
	$(BIN)/huiyin tour

.PHONY: build
build: ## build every binary
	$(BUILD)

.PHONY: test
test: tools-servers tools-nextest tools-e2e previous ## run every test, with a private Postgres and Redis
	$(BUILD) --tests
	$(WITH_SERVERS) cargo nextest run --locked --workspace

.PHONY: e2e
e2e: tools-servers tools-nextest tools-e2e previous ## run the end-to-end tests only
	$(BUILD) --tests
	$(WITH_SERVERS) cargo nextest run --locked --workspace -E 'package(huiyin-e2e)'

.PHONY: previous
previous: ## build the version that clusters run now (tests/upgrade-from), once: the test of an upgrade begins with it
	@tools/previous

.PHONY: bench
bench: tools-servers ## measure, beside the floor that the same machine sets
	cargo run --locked --release -p huiyin -- bench

.PHONY: bench-classifier
bench-classifier: tools-servers ## train and try a model on each set of ../shared/data/dev
	cargo run --locked --release -p huiyin -- bench-classifier

.PHONY: lint
lint: tools-servers tools-buf ## check the format, clippy, the protos, the rules of a room, what may not change any more
	cargo fmt --all --check
	tools/room-rules
	.tools/bin/buf lint proto
	tools/history-rules
	cargo clippy --locked --workspace --all-targets -- -D warnings

.PHONY: chart
chart: tools-chart ## check the images' recipe, the Helm chart and k8s/, offline: render, hold against Kubernetes, break and notice
	$(BUILD) --tests # as `make test` does: otherwise dependencies are built twice, with other features
	BIN=$(BIN) .tools/venv/bin/python tools/chart/check.py

.PHONY: chart-files
chart-files: tools-chart ## make the chart's values.schema.json and README.md anew
	$(BUILD)
	BIN=$(BIN) .tools/venv/bin/python tools/chart/generate.py

.PHONY: fmt
fmt: ## format the code
	cargo fmt --all

.PHONY: tools
tools: tools-servers tools-nextest tools-buf tools-e2e tools-chart ## install what is missing of the tools

.PHONY: tools-servers
tools-servers: ## … Postgres and Redis (apt-get)
	@tools/install servers

.PHONY: tools-nextest
tools-nextest: ## … cargo-nextest, which runs the tests
	@tools/install nextest

.PHONY: tools-buf
tools-buf: ## … buf, which checks the protos (in .tools)
	@tools/install buf

.PHONY: tools-e2e
tools-e2e: ## … Python and grpcurl for the end-to-end tests (in .tools)
	@tools/install python

.PHONY: tools-chart
tools-chart: ## … Helm's engine, Kubernetes' schemas, kubectl, hadolint and promtool (in .tools)
	@tools/install chart
