# One command for each thing that is done to weir; `make help` lists them.

# SwiftPM alone lets a target import what it does not declare: this makes it an error.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
# The Swift runtime linked in saves a jump at each of its calls. Exclusive access is checked in every debug build and
# test; in release the checks cost 1 to 2 % on live streams.
RELEASE_FLAGS := -c release --product weir --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked
# Most of a test is waiting, so two files run at a time; each worker has its own weirs, origins and applications.
PYTEST = .venv/bin/pytest Tests/EndToEnd --numprocesses $(PYTEST_WORKERS) --dist loadfile $(PYTEST_FLAGS)
PYTEST_WORKERS ?= 2
PYTEST_FLAGS ?=
# The bench tools are kept outside of this repository: make bench BENCH=/path/to/bench
BENCH ?=
BENCH_FLAGS ?= --rounds 3 --pin-proxy 0 --pin-load 1
# The rival peers that compare.py runs beside weir.
BENCH_PEERS ?= nginx,haproxy

# For the measurements in Benchmarks/: make bench-pace MEASURE_FLAGS='--seconds 60 --markdown'
MEASURE_FLAGS ?=

# How long make soak runs, and what it draws from: make soak SOAK_SECONDS=3600 SOAK_FLAGS='--seed 7'
SOAK_SECONDS ?= 600
SOAK_FLAGS ?=
SOAK = .venv/bin/python Tests/Soak/soak --seconds $(SOAK_SECONDS) $(SOAK_FLAGS)

# How long make fuzz searches in each target.
FUZZ_SECONDS ?= 60

# How long make wire-fuzz searches, and how many generated cases make wire runs.
WIRE_SECONDS ?= 3600
WIRE_SEEDS ?= 1000

.PHONY: help run test test-unit test-end-to-end test-conformance wire wire-fuzz check lint format bench bench-pace \
	bench-slow-readers bench-crowd bench-flap bench-polling bench-reloads bench-secured bench-hostile bench-keys \
	bench-instructions \
	test-soak soak soak-address test-thread test-address \
	fuzz screenshot image clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' Makefile

run: ## builds weir and runs its demo: a proxy and a small upstream, with curl lines to try
	scripts/setup build
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	exec .build/release/weir demo

test: test-unit test-end-to-end test-conformance wire test-soak ## every test; installs what they need

test-unit: ## the Swift tests
	scripts/setup build
	swift test $(SWIFT_FLAGS)

test-end-to-end: ## the tests over real sockets, in front of real upstreams
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir $(PYTEST)

test-conformance: ## what RFC 9110, 9112 and 9113 ask of a proxy, by varnishtest
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir Tests/Conformance/run

wire: ## generated connections through weir to four other parsers: every hop must see the same requests
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir .venv/bin/python Tests/Wire --seeds $(WIRE_SEEDS)

wire-fuzz: ## searches on from a random seed: make wire-fuzz WIRE_SECONDS=600
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir .venv/bin/python Tests/Wire --seconds $(WIRE_SECONDS)

test-soak: ## a minute of make soak
	$(MAKE) soak SOAK_SECONDS=60

soak: ## clients and upstreams that act at random, reloads and drains; then nothing may be left: make soak SOAK_SECONDS=3600
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	$(SOAK) --weir .build/debug/weir

soak-address: ## the same on a binary built with the address and leak sanitizers
	scripts/setup test
	swift build --sanitize=address --scratch-path .build-address --product weir $(SWIFT_FLAGS)
	ASAN_OPTIONS=detect_leaks=1 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/scripts/sanitizers/leak.supp:print_suppressions=0 $(SOAK) --weir .build-address/debug/weir

check: lint test ## what CI checks: format, imports, Dockerfile, build, test

lint: ## format, banned calls, Dockerfile
	scripts/setup tools
	swift format lint --strict --parallel --recursive Sources Tests Package.swift
	scripts/check-imports
	scripts/check-folders
	.venv/bin/hadolint Dockerfile

format: ## rewrites the sources to the project's format
	swift format --in-place --parallel --recursive Sources Tests Package.swift

bench: ## measures weir beside other proxies: make bench BENCH=/path/to/bench
	@test -n "$(BENCH)" || { echo "make bench BENCH=/path/to/bench (the folder that holds compare.py)" >&2; exit 2; }
	scripts/setup bench
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	scripts/bench "$(BENCH)" --peers $(BENCH_PEERS) $(BENCH_FLAGS)

bench-pace: ## how well a thousand metered streams keep their pace: make bench-pace MEASURE_FLAGS=--markdown
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/pace $(MEASURE_FLAGS)

bench-slow-readers: ## what clients that never read cost, and how much is fetched for them
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/slow_readers $(MEASURE_FLAGS)

bench-crowd: ## 500 slow clients beside 50 fast ones, for eleven minutes
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/crowd $(MEASURE_FLAGS)

bench-flap: ## what is left of clients that come and go a thousand times
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/flap $(MEASURE_FLAGS)

bench-polling: ## what polling health and metrics costs, over half an hour
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/polling $(MEASURE_FLAGS)

bench-reloads: ## 200 reloads in a minute under a thousand streams
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/reloads $(MEASURE_FLAGS)

bench-secured: ## what TLS and HTTP/2 cost beside other proxies
	scripts/setup bench
	scripts/setup test
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	Benchmarks/secured $(MEASURE_FLAGS)

bench-hostile: ## what clients that send and read slowly take from others
	scripts/setup measure
	swift build -c release --product weir $(SWIFT_FLAGS)
	Benchmarks/hostile $(MEASURE_FLAGS)

bench-instructions: ## the instructions of a request and a record: fails if they are above Benchmarks/instructions.json
	scripts/setup measure
	swift build $(RELEASE_FLAGS) $(SWIFT_FLAGS)
	Benchmarks/instructions $(MEASURE_FLAGS)

bench-keys: ## what it costs to find the key of a record
	scripts/setup measure
	swift run -c release --package-path Benchmarks/keys

# The sanitizers run in a build of their own, and only on what the proxy does with real sockets: the decisions have no
# threads and no memory of their own to get wrong.
test-thread: ## the end-to-end tests on a binary built with the thread sanitizer
	scripts/setup test
	swift build --sanitize=thread --scratch-path .build-thread --product weir $(SWIFT_FLAGS)
	SANITIZED=1 WEIR=.build-thread/debug/weir TSAN_OPTIONS=suppressions=$(CURDIR)/scripts/sanitizers/thread.supp $(PYTEST)

test-address: ## the end-to-end tests on a binary built with the address and leak sanitizers
	scripts/setup test
	swift build --sanitize=address --scratch-path .build-address --product weir $(SWIFT_FLAGS)
	SANITIZED=1 WEIR=.build-address/debug/weir ASAN_OPTIONS=detect_leaks=1 \
	LSAN_OPTIONS=suppressions=$(CURDIR)/scripts/sanitizers/leak.supp:print_suppressions=0 $(PYTEST)

fuzz: ## searches for inputs that break the readers of strangers' bytes: make fuzz FUZZ_SECONDS=600
	scripts/setup build
	scripts/fuzz $(FUZZ_SECONDS)

screenshot: ## makes docs/live-view.png anew: five minutes of a small fleet, good clients and bad ones
	scripts/setup test
	swift build --product weir $(SWIFT_FLAGS)
	WEIR=.build/debug/weir .venv/bin/python scripts/screenshot $(SCREENSHOT_FLAGS)

image: ## the container image weir:local
	docker build --tag weir:local .

clean: ## removes what was built or installed here
	rm -rf .build .build-thread .build-address .build-fuzz .venv
