package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// defaultXDSAddress is where weir serves Envoys, and where bootstraps look for it.
const defaultXDSAddress = "127.0.0.1:18000"

// unixScheme marks an address that is a socket's path.
const unixScheme = "unix://"

// listenXDS opens the address that Envoys come to. Whoever reaches it can read private keys, so without TLS it has
// to be this machine's own, unless the operator says that the network is trusted.
func listenXDS(ctx context.Context, flag, address string, insecure bool) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, unixScheme); ok {
		return listenUnix(ctx, flag, path)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--%s %q: want HOST:PORT or unix:///PATH: %w", flag, address, err)
	}
	if !isLoopback(host) && !insecure {
		return nil, fmt.Errorf("--%s %s is open to other machines, and weir serves there without TLS: whoever reaches it "+
			"can read the private keys of listeners. Use a loopback address or unix:///PATH, "+
			"or say --insecure if everyone on that network may", flag, address)
	}
	return listenTCP(ctx, flag, address)
}

func listenTCP(ctx context.Context, flag, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("--%s %s is taken: another program listens there, perhaps another weir; choose another with --%s or %s",
			flag, address, flag, variableOf(flag))
	}
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return l, nil
}

// listenUnix opens a socket; the umask decides who may connect, by default weir's own user only. A socket that nobody answers at was left by a weir
// that was killed, and is replaced.
func listenUnix(ctx context.Context, flag, path string) (net.Listener, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("--%s %s%s: the path must be absolute, as in unix:///run/weir.sock", flag, unixScheme, path)
	}
	if most := len(syscall.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return nil, fmt.Errorf("--%s %s%s: the path of a socket has at most %d bytes, and this one has %d", flag, unixScheme, path, most, len(path))
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", path)
	if errors.Is(err, syscall.EADDRINUSE) && abandoned(ctx, path) {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("--%s: remove the socket of an earlier weir: %w", flag, err)
		}
		l, err = config.Listen(ctx, "unix", path)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("--%s %s%s is taken: another weir listens there, or it is no socket", flag, unixScheme, path)
	case err != nil:
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return l, nil
}

// abandoned says whether a path is a socket at which nobody listens.
func abandoned(ctx context.Context, path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return false
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	_ = connection.Close()
	return false
}

// isLoopback says whether only this machine reaches a host. A name other than localhost may mean anything.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// addressOf is a listener's address as flags have it, with the port that was chosen for port 0.
func addressOf(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return unixScheme + l.Addr().String()
	}
	return l.Addr().String()
}
