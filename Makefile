# Everything a person does with this checkout. Start with "make help".

GO         ?= go
SUDO       := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

# V=1 prints every test; T narrows go test, VM the VM run:
# make test T='-run TestFoo ./image/...', make test-vm VM='-packages cgroups', make broken ROWS=ATK-1.
T          ?= ./...
VERBOSE    := $(if $(V),-v)
PREFIX     ?= /usr/local
# Where the programs go; the tests build their own if RUNNEL_TEST_BIN names none.
BIN        ?= bin

# The shim is linked statically like the daemon, though it holds C: the dynamic
# loader would cost at every start of a container. Nothing of libcontainer's that
# restores checkpoints is in it: there is no such door.
SHIM_TAGS   = netgo,osusergo,runc_nocriu
SHIM_LINK   = -s -w -linkmode external -extldflags -static

# What V=1 prints of the tests stays there, for make contract.
HOST_LOG    = .cache/host/tests.log
# Of the VM run all logs, the last at the end: one that froze has left two.
VM_LOGS     = $(shell ls -tr .cache/vm/failed/*/tests.log .cache/vm/run/tests.log 2>/dev/null)
# The host's column is cgroup v1's: what a host with v2 says does not go there.
V2          = $(wildcard /sys/fs/cgroup/cgroup.controllers)

# What Debian has and the build and the demo need, beside Go and git; and what the
# tests need beside that.
PACKAGES    = busybox-static ca-certificates curl gcc libc6-dev libseccomp-dev make pkg-config
TEST_PACKAGES = docker-registry e2fsprogs kmod nginx python3 qemu-system-x86
# Google's client for Node.js is one of the tests' clients. npm comes with some
# packages of Node.js, and by itself with Debian's.
NODE        = $(shell command -v npm >/dev/null || echo nodejs npm)
NODE_CLIENT = integration/testdata/node
PEERS       = containernetworking-plugins docker.io haproxy iptables nginx podman runc

.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: help setup test-setup build build-test build-bench demo test test-unit test-race test-vm contract broken bench bench-setup lint fmt install clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

setup: ## install the Debian packages that are missing
	@contrib/setup.sh $(PACKAGES)

test-setup: ## and those that the tests need
	@contrib/setup.sh $(PACKAGES) $(TEST_PACKAGES) $(NODE)

.cache/node: $(NODE_CLIENT)/package-lock.json $(NODE_CLIENT)/package.json
	@rm -rf $@ && mkdir -p $@ && cp $^ $@
	@cd $@ && npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

build: ## bin/runnel, pure Go, and bin/runnel-shim, which holds libcontainer
	@mkdir -p $(BIN)
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '-s -w' -o $(BIN)/runnel ./cmd/runnel
	@CGO_ENABLED=1 $(GO) build -buildvcs=false -trimpath -tags $(SHIM_TAGS) -ldflags '$(SHIM_LINK)' -o $(BIN)/runnel-shim ./cmd/runnel-shim

build-test: ## bin/testserver and bin/inside, the programs that tests deploy
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '-s -w' -o $(BIN)/testserver ./internal/testserver
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '-s -w' -o $(BIN)/inside ./internal/inside

demo: setup build ## run a job and a service on images made on the spot
	@$(GO) build -buildvcs=false -o $(BIN)/mkimage ./internal/mkimage
	@$(SUDO) examples/demo/run.sh

test: test-setup build test-race test-vm ## every test: unit, privileged, integration, and the VM run

test-unit: ## what needs no root; the rest is skipped unless you are root
	$(GO) test $(VERBOSE) $(T)

# A pipe loses the exit status, unless the shell can keep it.
test-race: private SHELL = bash
test-race: private .SHELLFLAGS = -o pipefail -c
test-race: test-setup build build-test .cache/node ## all tests on this host, as root, with the race detector
	@mkdir -p $(dir $(HOST_LOG))
	RUNNEL_TEST_MUST_RUN=1 RUNNEL_TEST_BIN=$(CURDIR)/$(BIN) $(GO) test -race -count=1 -timeout 45m $(VERBOSE) $(if $(SUDO),-exec 'sudo -E') $(T) $(if $(V),2>&1 | tee $(HOST_LOG) || { $(GO) run -buildvcs=false ./internal/testlog/failures $(HOST_LOG); exit 1; })

test-vm: test-setup build build-test ## the privileged tests in a VM with cgroup v2 and every capability
	$(GO) run -buildvcs=false ./internal/vm -bin $(BIN) $(VERBOSE) $(VM)

contract: ## docs/contract.md, from the tests that name rows and the last make test V=1
	$(GO) run -buildvcs=false ./internal/contracttable $(if $(V2),,$(addprefix -host ,$(wildcard $(HOST_LOG)))) $(addprefix -vm ,$(VM_LOGS))

build-bench: ## bin/benchserver, the program of the services that are measured
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '-s -w' -o $(BIN)/benchserver ./internal/bench/server

broken: test-setup ## show that the tests of attacks fail on builds that break what they guard
	$(SUDO) env "PATH=$$PATH" $(GO) run -buildvcs=false ./internal/broken $(ROWS)

bench: build build-bench ## measure, beside runc, podman, docker, nginx and haproxy; needs make bench-setup
	$(SUDO) env "PATH=$$PATH" $(GO) run -buildvcs=false ./internal/bench $(BENCH)

bench-setup: test-setup ## install the peers that bench compares with
	@contrib/setup.sh $(PEERS)

lint: ## gofmt, go vet, staticcheck
	@test -z "$$(gofmt -l .)" || { echo "not formatted, run make fmt:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

fmt: ## format the Go code
	gofmt -w .

install: build ## put the programs and the systemd units in place
	$(SUDO) install -Dt $(DESTDIR)$(PREFIX)/bin $(BIN)/runnel $(BIN)/runnel-shim
	$(SUDO) install -m 644 -Dt $(DESTDIR)/etc/systemd/system contrib/runnel.service contrib/runnel-job@.service contrib/runnel-job@.timer

clean: ## remove what was built, and the cached kernel of the VM run
	rm -rf $(BIN) .cache
