package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A machine that never saw weir starts with the file of `weir serve --state-dir`. Its own file then holds the keys of its
// own instance only, and nothing that it writes holds any.
func TestStandbyIsGivenTheFile(t *testing.T) {
	t.Parallel()
	trusted := newAuthority(t, "trusted")
	content, other := files{}, strings.NewReplacer(`"edge"`, `"back"`, "instance.edge", "instance.back", `"shop"`, `"back"`)
	for _, name := range []string{"shop", "other"} {
		content["tls/"+name+".crt"], content["tls/"+name+".key"] = trusted.issue(t, name+".example.com")
	}
	port := freePort(t)
	content["gateway.hcl"] = fill(tlsText, "port", port)
	_, second, _ := strings.Cut(fill(tlsText, "port", freePort(t)), "vpc \"main\" {}\n")
	content["back.hcl"] = other.Replace(second)

	folder, address := t.TempDir(), loopback(freePort(t)) // one for both: they do not write the same file
	kept, given := filepath.Join(folder, "last-good.state"), filepath.Join(folder, "edge.state")
	g := serveWeir(t, newDirectory(t, content), "--state-dir", folder)
	g.awaitListening(t)
	eventually(t, startBound, "both instances are kept", func() error { return holdsInstances(kept, "edge", "back") })
	g.kill(t)
	file, err := os.ReadFile(kept)
	must(t, err)
	must(t, os.WriteFile(given, file, 0o600))

	b := startStandby(t, g.xds, address, folder)
	envoy := startEnvoy(t, "edge", "late", g.xds, "--standby-address", address)
	eventually(t, startBound, "the new Envoy is ready", envoy.ready)
	client := newClient(clientTLS("shop.example.com", trusted))
	defer client.CloseIdleConnections()
	if got, err := (request{port: port, path: "/"}).send(client, "https"); err != nil || got.body != "over TLS" {
		t.Errorf("without weir: %v, %v", got, err)
	}

	g.process = startWeirAt(t, g, "serve")
	eventually(t, startBound, "Envoy is with weir", func() error { return g.hasProxy("edge") })
	eventually(t, startBound, "the standby keeps what is its own", func() error {
		return hold(holdsInstances(given, "back") != nil && holdsInstances(given, "edge") == nil, "the file is of others too")
	})
	if strings.Contains(b.output.String(), "PRIVATE") {
		t.Error("the standby writes keys to its log")
	}
	if got, err := (request{port: port, path: "/"}).send(client, "https"); err != nil || got.body != "over TLS" {
		t.Errorf("with weir: %v, %v", got, err)
	}
}

// holdsInstances is nil when a file of state is of instances: the names of their secrets stand in it.
func holdsInstances(path string, names ...string) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := hold(bytes.Contains(file, []byte("tls/"+name+"/")), "%s holds nothing of %s", path, name); err != nil {
			return err
		}
	}
	return nil
}
