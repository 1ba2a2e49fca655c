#!/bin/sh
# images.sh TAG: builds the images of the end-to-end tests, weir-e2e/weir, /backend, /resolver and /envoy. No image
# registry is needed where the Envoy of this machine is a Linux one: all are made from nothing, with what the binaries need.
set -eu
tag=$1
cd "$(dirname "$0")/../.."
contexts=build/images
export DOCKER_BUILDKIT=0

say() { echo "images: $*" >&2; }

# image NAME: an image of its context. What docker prints is only of interest when it fails.
image() {
    docker build --tag "weir-e2e/$1:$tag" "$contexts/$1" >"$contexts/$1.log" 2>&1 || {
        cat "$contexts/$1.log" >&2
        say "weir-e2e/$1 could not be built"
        exit 1
    }
}

# static PACKAGE NAME: a static binary of ours, for the machine of the engine, alone in its context.
static() {
    mkdir -p "$contexts/$2"
    CGO_ENABLED=0 GOOS=linux GOARCH="$arch" go build -o "$contexts/$2/$2" "$1"
    printf 'FROM scratch\nCOPY %s /%s\nENTRYPOINT ["/%s"]\n' "$2" "$2" "$2" >"$contexts/$2/Dockerfile"
}

# libraries BINARY: the shared libraries of a glibc program, with its loader, and those that glibc opens by itself to
# resolve names.
libraries() {
    loaded=$(ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p')
    echo "$loaded"
    libc=$(echo "$loaded" | grep '/libc\.so\.6$')
    for name in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
        [ ! -e "${libc%/*}/$name" ] || echo "${libc%/*}/$name"
    done
}

# ca_bundle: the CAs of this machine, where Debian keeps them.
ca_bundle() {
    for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt; do
        [ ! -r "$file" ] || { cat "$file"; return; }
    done
}

# envoy_from BINARY: Envoy and everything that it needs of a system.
envoy_from() {
    root=$contexts/envoy/root
    rm -rf "$root"
    mkdir -p "$root/etc/ssl/certs" "$root/tmp" "$root/usr/local/bin"
    chmod 1777 "$root/tmp"
    cp "$1" "$root/usr/local/bin/envoy"
    libraries "$1" | sort -u | while read -r library; do
        mkdir -p "$root${library%/*}"
        cp -L "$library" "$root$library"
    done
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
    echo 'root:x:0:0:root:/:/' >"$root/etc/passwd"
    ca_bundle >"$root/etc/ssl/certs/ca-certificates.crt"
    printf 'FROM scratch\nCOPY root /\nENTRYPOINT ["/usr/local/bin/envoy"]\n' >"$contexts/envoy/Dockerfile"
    image envoy
}

arch=$(docker version --format '{{.Server.Arch}}')
static ./cmd/weir weir
static ./e2e/backend backend
static ./e2e/resolver resolver
image weir
image backend
image resolver
envoy=$(e2e/setup/envoy.sh)
if [ "$(uname -s)" = Linux ] && ldd "$envoy" >/dev/null 2>&1; then
    envoy_from "$envoy"
else
    say "the Envoy of this machine is none for a Linux container: taking the official image"
    docker pull --quiet envoyproxy/envoy:v1.40.0 >/dev/null
    docker tag envoyproxy/envoy:v1.40.0 "weir-e2e/envoy:$tag"
fi
say "built the images of $tag"
