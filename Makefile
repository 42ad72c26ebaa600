# The commands of the project; `make help` lists them.

# By default SwiftPM accepts imports of targets that are not declared as dependencies: this makes them errors.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
# Linking the Swift runtime statically saves a jump at each call of it. Exclusive access is checked in every debug build and
# test; in release builds the checks cost 1 to 2 % on live streams.
RELEASE_FLAGS := -c release --product weir --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked
# Tests mostly wait, so two files run at a time; each worker has its own weir processes, origins and applications.
PYTEST = scripts/end-to-end --numprocesses $(PYTEST_WORKERS) --dist loadfile $(PYTEST_FLAGS)
PYTEST_WORKERS ?= 2
PYTEST_FLAGS ?=
# The bench tools are not part of this repository: make bench BENCH=/path/to/bench
BENCH ?=
BENCH_FLAGS ?= --rounds 3 --pin-proxy 0 --pin-load 1
# The other proxies that compare.py measures.
BENCH_PEERS ?= nginx,haproxy

# For the measurements in Benchmarks/: make bench-pace MEASURE_FLAGS='--seconds 60 --markdown'
MEASURE_FLAGS ?=

# How long make soak runs, and its seed: make soak SOAK_SECONDS=3600 SOAK_FLAGS='--seed 7'
SOAK_SECONDS ?= 600
SOAK_FLAGS ?=
SOAK = .venv/bin/python Tests/Soak/soak --seconds $(SOAK_SECONDS) $(SOAK_FLAGS)

# Which seeds make simulation runs: 4,096 by default, or --first and --seeds; --fault plants one.
SIMULATION_FLAGS ?=

# How long make fuzz runs each target.
FUZZ_SECONDS ?= 60

# How long make wire-fuzz runs, and how many generated cases make wire runs.
WIRE_SECONDS ?= 3600
WIRE_SEEDS ?= 1000

.PHONY: help run test test-unit simulation test-end-to-end test-conformance wire wire-fuzz check lint format bench bench-pace \
	bench-slow-readers bench-crowd bench-flap bench-polling bench-reloads bench-secured bench-shared bench-hostile bench-smooth bench-plan bench-keys \
	bench-instructions bench-replicas \
	test-soak soak soak-address soak-thread test-thread test-address \
	fuzz screenshot deb check-deb image clean

help: ## lists the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

run: ## builds weir and runs its demo: a proxy and a small upstream, with curl commands to try
	scripts/setup build
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	exec .build/release/weir demo

test: test-unit simulation test-end-to-end test-conformance wire test-soak ## runs all tests; installs what they need

test-unit: ## runs the Swift tests
	scripts/setup build
	swift test $(SWIFT_FLAGS)

simulation: ## runs a fleet of weirs that share limits in virtual time: make simulation SIMULATION_FLAGS='--first 7 --seeds 1'
	scripts/setup build
	swift build $(subst --product weir,--product weir-simulation,$(RELEASE_FLAGS)) $(SWIFT_FLAGS)
	.build/release/weir-simulation $(SIMULATION_FLAGS)

test-end-to-end: ## runs the tests over real sockets, with real upstreams
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir $(PYTEST)

test-conformance: ## tests with varnishtest what RFC 9110, 9112 and 9113 require of a proxy
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir Tests/Conformance/run

wire: ## sends generated requests through weir to four other parsers; every hop must see the same requests
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir .venv/bin/python Tests/Wire --seeds $(WIRE_SEEDS)

wire-fuzz: ## the same with random seeds: make wire-fuzz WIRE_SECONDS=600
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir .venv/bin/python Tests/Wire --seconds $(WIRE_SECONDS)

test-soak: ## runs make soak for a minute
	$(MAKE) soak SOAK_SECONDS=60

soak: ## random clients, upstreams, reloads and drains; no resource may leak: make soak SOAK_SECONDS=3600
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	$(SOAK) --weir .build/debug/weir

soak-address: ## the same with the address and leak sanitizers
	scripts/setup test
	swift build --sanitize=address --scratch-path .build-address --product weir $(SWIFT_FLAGS)
	ASAN_OPTIONS=detect_leaks=1 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/scripts/sanitizers/leak.supp:print_suppressions=0 $(SOAK) --weir .build-address/debug/weir

soak-thread: ## the same with the thread sanitizer
	scripts/setup test
	swift build --sanitize=thread --scratch-path .build-thread --product weir $(SWIFT_FLAGS)
	TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/sanitizers/thread.supp $(SOAK) --weir .build-thread/debug/weir

check: lint test bench-instructions ## runs what CI runs: format, imports, Dockerfile, build, tests, instruction counts

lint: ## checks the format, imports, banned calls and the Dockerfile
	scripts/setup tools
	swift format lint --strict --parallel --recursive Sources Tests Package.swift
	scripts/check-imports
	scripts/check-folders
	.venv/bin/hadolint Dockerfile

format: ## formats the sources
	swift format --in-place --parallel --recursive Sources Tests Package.swift

bench: ## compares weir with other proxies: make bench BENCH=/path/to/bench
	@test -n "$(BENCH)" || { echo "make bench BENCH=/path/to/bench (the folder that holds compare.py)" >&2; exit 2; }
	scripts/setup bench
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	scripts/bench "$(BENCH)" --peers $(BENCH_PEERS) $(BENCH_FLAGS)

bench-pace: ## measures how exactly a thousand streams keep their pace: make bench-pace MEASURE_FLAGS=--markdown
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/pace $(MEASURE_FLAGS)

bench-slow-readers: ## measures memory and buffering for clients that never read
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/slow_readers $(MEASURE_FLAGS)

bench-crowd: ## 500 slow and 50 fast clients, for eleven minutes
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/crowd $(MEASURE_FLAGS)

bench-flap: ## clients that connect and disconnect a thousand times; no resource may leak
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/flap $(MEASURE_FLAGS)

bench-polling: ## measures the cost of polling health and metrics, for half an hour
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/polling $(MEASURE_FLAGS)

bench-reloads: ## 200 reloads in a minute with a thousand open streams
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/reloads $(MEASURE_FLAGS)

bench-secured: ## compares the cost of TLS and HTTP/2 with other proxies
	scripts/setup bench
	scripts/setup test
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	Benchmarks/secured $(MEASURE_FLAGS)

bench-shared: ## compares the cost of a record for many readers: shared, not shared, by Nchan
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/shared $(MEASURE_FLAGS)

bench-hostile: ## measures the effect of slow senders and readers on other clients
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/hostile $(MEASURE_FLAGS)

bench-smooth: ## measures the gaps between records of bursts, with and without a smooth pace
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/smooth $(MEASURE_FLAGS)

bench-plan: ## compares weir plan with real runs of three loads
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/plan $(MEASURE_FLAGS)

bench-replicas: ## measures record rates and breakers over three instances after HAProxy
	scripts/setup measure
	scripts/setup test
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/replicas $(MEASURE_FLAGS)

bench-instructions: ## counts instructions per request and record; fails above Benchmarks/instructions.json
	scripts/setup instructions
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	Benchmarks/instructions $(MEASURE_FLAGS)

bench-keys: ## measures finding the key of a record
	scripts/setup measure
	swift run -c release --package-path Benchmarks/keys

# The sanitizers have their own builds, and run the end-to-end tests only: the decisions in Flow use no threads and no
# unsafe memory.
test-thread: ## runs the end-to-end tests with the thread sanitizer
	scripts/setup test
	swift build --sanitize=thread --scratch-path .build-thread --product weir $(SWIFT_FLAGS)
	SANITIZED=1 WEIR=.build-thread/debug/weir TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/sanitizers/thread.supp $(PYTEST)

test-address: ## runs the end-to-end tests with the address and leak sanitizers
	scripts/setup test
	swift build --sanitize=address --scratch-path .build-address --product weir $(SWIFT_FLAGS)
	SANITIZED=1 WEIR=.build-address/debug/weir ASAN_OPTIONS=detect_leaks=1 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/scripts/sanitizers/leak.supp:print_suppressions=0 $(PYTEST)

fuzz: ## fuzzes the parsers of untrusted input: make fuzz FUZZ_SECONDS=600
	scripts/setup build
	scripts/fuzz $(FUZZ_SECONDS)

screenshot: SCREENSHOT_FLAGS ?= --incident
screenshot: ## regenerates docs/live-view.png, from five minutes with an incident
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir .venv/bin/python scripts/screenshot $(SCREENSHOT_FLAGS)

deb: ## builds .build/weir_VERSION_ARCHITECTURE.deb for the release of Debian on which it runs
	scripts/setup deb
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	packaging/debian/build .build/release/weir .build

check-deb: deb ## installs the package into a new Debian 12 and runs it there under systemd; needs root
	scripts/check-deb .build/weir_*.deb

image: ## builds the container image weir:local
	docker build --tag weir:local .

clean: ## removes build output and installed tools
	rm -rf .build .build-thread .build-address .build-fuzz .venv
