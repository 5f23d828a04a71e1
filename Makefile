# Every verb installs what it needs itself, below .tools.
.PHONY: help build test integration integration-kubernetes check format bench demo clean

help:  ## show this
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 26

build:  ## build the release binary bin/cortex
	@dev/build

test:  ## run the tests: Swift, the Python worker, and the binary from outside
	@dev/test

integration: build  ## run what `make test` leaves out: slow tests, the worker's own, all of it against bin/cortex
	@dev/worker-tests -m integration
	@dev/integration

integration-kubernetes: build  ## run the tests on a real Kubernetes, built from Debian's packages: docs/test-cluster.md
	@dev/integration-kubernetes

check:  ## check formatting, warnings, imports, types, shell scripts and links
	@dev/check

format:  ## format the sources in place
	@dev/format

bench: build  ## compare with other servers on this machine
	@dev/bench

demo:  ## build, serve the examples, ask them, and leave them live
	@dev/demo

clean:  ## remove what was built
	@swift package clean
	@rm -rf bin .tools
