#!/bin/sh
# Runs every test. Called by `make test`, with WEIR_ENVOY_PATH set and an engine at hand.
set -eu
cd "$(dirname "$0")/../.."
e2e/setup/images.sh
# -count=1: Envoy, the images and the ports are no inputs that go's test cache knows of.
# -p 2: packages start Envoys and measure time; more at once than this makes a small machine miss deadlines.
exec go test -count=1 -p 2 -timeout 20m ./...
