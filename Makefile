# Everything here works on a fresh clone with Go, make, git and a package
# manager; `make` alone lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# One setting for all builds, so that they share the build cache. The race
# detector alone needs cgo.
export CGO_ENABLED ?= 0

VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
STACK_DIR ?= .closeloop
POLICY    ?=
DEMO_EXIT ?=
# Test results as JSON lines, one file per module.
RESULTS   ?= bin/test-results
# More arguments for go test, for example: make test TESTFLAGS='-run TestApproval'
TESTFLAGS ?=

CLOSELOOP := $(CURDIR)/bin/closeloop
DEVSTACK  := $(CURDIR)/bin/devstack

# Tools are pinned in a module of their own: their dependencies are many, and
# none of them is the product's.
TOOL          := go tool -modfile=$(CURDIR)/tools/go.mod
GOTESTSUM     := $(TOOL) gotestsum --format pkgname-and-test-fails
GOLANGCI_LINT := $(TOOL) golangci-lint
WORKFLOWCHECK := $(TOOL) workflowcheck -test=false -config $(CURDIR)/tools/workflowcheck.yaml
GOFUMPT       := $(TOOL) gofumpt

DEVSTACK_SOURCES := $(shell find devstack -name '*.go' -not -name '*_test.go') devstack/go.mod devstack/go.sum

.PHONY: help
help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z\/_-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## build bin/closeloop
	go build -ldflags "-X main.version=$(VERSION)" -o bin/closeloop ./cmd/closeloop

# The first build compiles a whole Temporal server, which takes some minutes.
bin/devstack: $(DEVSTACK_SOURCES) ## build the development stack (Temporal, Web UI, PostgreSQL)
	cd devstack && go build -ldflags "-s -w" -o ../bin/devstack .

# Scripts wait for the env file. One that a killed stack left behind must not
# be there while we build.
.PHONY: forget-env
forget-env:
	@kill -0 "$$(head -n 1 "$(STACK_DIR)/lock" 2>/dev/null)" 2>/dev/null || rm -f "$(STACK_DIR)/env"

.PHONY: dev
dev: forget-env build bin/devstack ## run everything in the foreground; STACK_DIR=DIR, POLICY=FILE
	@policy=$$([ -z "$(POLICY)" ] || realpath -- "$(POLICY)") || exit 1; \
	exec $(DEVSTACK) up --with-parent --dir "$(STACK_DIR)" \
		--before "'$(CLOSELOOP)' migrate" \
		--listen CLOSELOOP_LISTEN=8480 --secret CLOSELOOP_LINK_KEYS=dev: \
		--export 'CLOSELOOP_PUBLIC_URL=http://$${CLOSELOOP_LISTEN}' \
		--child "'$(CLOSELOOP)' worker" --child "'$(CLOSELOOP)' serve" \
		--export CLOSELOOP_TASK_QUEUE=closeloop \
		--export CLOSELOOP_NEXUS_ENDPOINT=closeloop \
		$${policy:+--export "CLOSELOOP_POLICY=$$policy"}

.PHONY: demo
demo: build bin/devstack ## watch a few requirements live through their life
	@DEMO_EXIT=$(DEMO_EXIT) scripts/demo

.PHONY: test
test: build bin/devstack ## run all tests, those that need the stack too
	@mkdir -p $(RESULTS); rm -f $(RESULTS)/*.json; status=0; \
	CLOSELOOP_BIN=$(CLOSELOOP) $(DEVSTACK) run --before "'$(CLOSELOOP)' migrate" -- \
		$(GOTESTSUM) --jsonfile $(abspath $(RESULTS))/closeloop.json -- -count=1 $(TESTFLAGS) ./... || status=1; \
	cd devstack && $(GOTESTSUM) --jsonfile $(abspath $(RESULTS))/devstack.json -- -count=1 $(TESTFLAGS) ./... || status=1; \
	exit $$status

.PHONY: test-short
test-short: ## run the tests that need nothing running
	go test -short $(TESTFLAGS) ./...

.PHONY: race
race: build bin/devstack ## run the product's tests with the race detector (needs a C compiler)
	CLOSELOOP_BIN=$(CLOSELOOP) $(DEVSTACK) run --before "'$(CLOSELOOP)' migrate" -- \
		env CGO_ENABLED=1 $(GOTESTSUM) -- -race -count=1 $(TESTFLAGS) ./...

.PHONY: lint
lint: ## check the code: vet, golangci-lint, workflow determinism, format
	@status=0; \
	check() { echo "$$*"; "$$@" || status=1; }; \
	check go vet ./...; \
	check $(GOLANGCI_LINT) run ./...; \
	check $(WORKFLOWCHECK) ./workflows/...; \
	unformatted=$$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 $(GOFUMPT) -l); \
	[ -z "$$unformatted" ] || { printf 'not formatted, run make fmt:\n%s\n' "$$unformatted"; status=1; }; \
	cd devstack; \
	check go vet ./...; \
	check $(GOLANGCI_LINT) run ./...; \
	exit $$status

.PHONY: fmt
fmt: ## format all Go code
	@git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 $(GOFUMPT) -w

.PHONY: generate
generate: ## run all code generators
	go generate ./...

.PHONY: clean
clean: ## remove what was built; state in STACK_DIR stays
	rm -rf bin
