#!/bin/sh
# docker.sh COMMAND...: runs a command with a Docker engine at hand. Where none runs, and we are root on a Debian-like
# system, the engine is installed if it is missing, started for the command alone, and stopped again afterwards.
set -eu
cd "$(dirname "$0")/../.."

# Images are built without the buildx plug-in, and tests clean up by themselves: testcontainers' own cleaner is an image
# that would have to be pulled. Published ports are on loopback, also where the machine looks like a container itself.
export DOCKER_BUILDKIT=0 TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1

say() { echo "docker: $*" >&2; }

give_up() {
    say "$1"
    say "the end-to-end test in containers needs a Docker engine; start one, or point DOCKER_HOST at one"
    exit 1
}

install_engine() {
    command -v apt-get >/dev/null || give_up "no engine answers, and dockerd or docker is not installed"
    say "installing docker.io"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install --yes --no-install-recommends docker.io iptables; } >&2 ||
        give_up "docker.io could not be installed (see above)"
    # Newer Debians have the command line client in a package of its own.
    command -v docker >/dev/null || apt-get install --yes --no-install-recommends docker-cli >&2 ||
        give_up "docker-cli could not be installed (see above)"
}

start_engine() {
    mkdir -p build .tools/docker
    run=$(mktemp -d /tmp/weir-docker.XXXXXX) # a short path: names of sockets are limited to 107 characters
    trap stop_engine EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    export DOCKER_HOST="unix://$run/docker.sock"
    # The data is in a folder whose name starts with a dot: go looks for packages in all others.
    dockerd --host "$DOCKER_HOST" --data-root "$PWD/.tools/docker" --exec-root "$run/exec" --pidfile "$run/pid" \
        --group "$(id -gn)" >build/docker.log 2>&1 &
    engine=$!
    tries=0
    until docker info >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 120 ] || ! kill -0 "$engine" 2>/dev/null; then
            tail -n 20 build/docker.log >&2
            give_up "dockerd does not start; its last lines are above, all are in build/docker.log"
        fi
        sleep 0.5
    done
    echo "$DOCKER_HOST" >build/docker.host
    say "started an engine for this run, its log is build/docker.log"
}

# shellcheck disable=SC2329 # called by the trap
stop_engine() {
    if [ -n "${engine:-}" ] && kill "$engine" 2>/dev/null; then
        wait "$engine" || true
    fi
    rm -rf "$run" build/docker.host
}

# An engine that a run before this one could not stop, because it was killed itself, is used and left as it is.
left=$(cat build/docker.host 2>/dev/null || true)
if ! docker info >/dev/null 2>&1 && [ -n "$left" ] && DOCKER_HOST=$left docker info >/dev/null 2>&1; then
    export DOCKER_HOST="$left"
    say "using the engine at $left"
elif ! docker info >/dev/null 2>&1; then
    [ -z "${DOCKER_HOST:-}" ] || give_up "no engine answers at DOCKER_HOST=$DOCKER_HOST"
    [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] || give_up "no engine answers, and only root on Linux may start one"
    PATH=$PATH:/usr/sbin:/sbin # dockerd and iptables
    { command -v dockerd && command -v docker; } >/dev/null || install_engine
    start_engine
fi

status=0
"$@" || status=$?
exit $status
