# make            builds build/weir
# make run        the whole gateway on examples/quickstart, with three demo nodes
# make test       every test; fetches Envoy, and starts a Docker engine, where they are missing
# make bench      how fast it is, beside what no control plane can be faster than; docs/benchmarks.md
# make help       the rest

MAKEFLAGS += --no-print-directory
export CGO_ENABLED ?= 0

.PHONY: build run test soak reliability bench lint tools clean help

build: ## build/weir
	@mkdir -p build
	go build -o build/weir ./cmd/weir

run: build ## three demo nodes, weir and its Envoy on examples/quickstart, until Ctrl-C
	@go build -o build/backend ./e2e/backend
	@go build -o build/demo ./e2e/demo
	@envoy="$$(e2e/setup/envoy.sh)" && WEIR_ENVOY_PATH="$$envoy" exec build/demo

# -count=1: Envoy, the engine and the clock are no inputs that go's test cache knows of. -p 2: packages start Envoys and
# wait for them with deadlines, so more of them at once than a small machine has cores would not be faster.
test: lint build ## every test, those with Envoy and in containers too
	@envoy="$$(e2e/setup/envoy.sh)" && WEIR_ENVOY_PATH="$$envoy" e2e/setup/docker.sh go test -count=1 -p 2 -timeout 20m ./...

# The tests of faults and the soak run in `make test` too, at sizes that fit into minutes.
SOAK ?= 10m
soak: ## ten minutes of edits, restarts, faults and load; SOAK=1h for more
	@envoy="$$(e2e/setup/envoy.sh)" && WEIR_ENVOY_PATH="$$envoy" WEIR_E2E_SOAK=$(SOAK) e2e/setup/docker.sh \
		go test -count=1 -v -timeout 24h -run '^(TestSoak|TestFaults)$$' ./e2e

reliability: ## the table in docs/reliability.md, from a run of the faults at full size
	@envoy="$$(e2e/setup/envoy.sh)" && WEIR_ENVOY_PATH="$$envoy" WEIR_E2E_SOAK=1m e2e/setup/docker.sh \
		go test -count=1 -v -timeout 1h -run '^TestFaults$$' ./e2e -update

bench: build ## tables of times, memory and bytes beside their floors; make bench ARGS="-n 1,100 -o markdown", ARGS=-help
	@go build -o build/bench ./e2e/bench
	@envoy="$$(e2e/setup/envoy.sh)" && build/bench -envoy "$$envoy" $(ARGS)
	@go test ./xds -run '^$$' -bench '^BenchmarkFleet$$' -benchtime 30x

lint: ## gofmt and go vet
	@unformatted="$$(find . -name '.?*' -prune -o -path ./build -prune -o -name '*.go' -exec gofmt -l {} +)" && \
		if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:"; echo "$$unformatted"; exit 1; fi
	@go vet ./...

tools: ## Envoy, from WEIR_ENVOY_PATH, the PATH, or fetched into .tools
	@e2e/setup/envoy.sh

clean: ## away with build/; .tools stays, since it takes a download
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 18
