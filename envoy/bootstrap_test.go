package envoy

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// throwawayCAFile is a file of CAs.
func throwawayCAFile(t *testing.T) string {
	t.Helper()
	pem, err := throwawayCA()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(path, pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBootstrap compares bootstraps with their golden files, and has Envoy take each.
func TestBootstrap(t *testing.T) {
	const testdata = "testdata/bootstrap"
	tests := []struct {
		dir, name string
		options   BootstrapOptions
	}{
		{testdata, "address", BootstrapOptions{
			Instance: "edge", NodeID: "edge-1", XDSAddress: "127.0.0.1:18000", AdminAddress: "127.0.0.1:9901",
			CAFile: "/etc/ssl/certs/ca-certificates.crt",
		}},
		{testdata, "name", BootstrapOptions{Instance: "edge", NodeID: "n", XDSAddress: "weir.internal:18000"}},
		// compose.yaml gives it to an official Envoy.
		{"../examples/compose", "envoy", BootstrapOptions{
			Instance: "edge", NodeID: "compose", XDSAddress: "weir:18000", AdminAddress: "127.0.0.1:9901",
			CAFile: "/etc/ssl/certs/ca-certificates.crt",
		}},
		{testdata, "socket", BootstrapOptions{Instance: "on", NodeID: "1", XDSAddress: "unix:///run/weir.sock", AdminAddress: "[::1]:0"}},
		{testdata, "heap", BootstrapOptions{Instance: "edge", NodeID: "n", XDSAddress: "127.0.0.1:18000", MaxHeapSize: 512 << 20}},
		{testdata, "standby", BootstrapOptions{
			Instance: "edge", NodeID: "n", XDSAddress: "weir.internal:18000", StandbyAddress: "127.0.0.1:18002",
		}},
		{testdata, "standby-name", BootstrapOptions{
			Instance: "edge", NodeID: "n", XDSAddress: "10.0.0.1:18000", StandbyAddress: "standby.internal:18002",
		}},
		{testdata, "standby-socket", BootstrapOptions{
			Instance: "edge", NodeID: "n", XDSAddress: "10.0.0.1:18000", StandbyAddress: "unix:///run/standby.sock",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, err := Bootstrap(test.options)
			if err != nil {
				t.Fatal(err)
			}
			got, err := MarshalJSON(b)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(test.dir, test.name+".json")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			acceptedByEnvoy(t, test.options)
		})
	}
}

// acceptedByEnvoy has Envoy itself check the bootstrap, with a CA file that exists on this machine.
func acceptedByEnvoy(t *testing.T, o BootstrapOptions) {
	t.Helper()
	if o.CAFile != "" {
		o.CAFile = throwawayCAFile(t)
	}
	b, err := Bootstrap(o)
	if err != nil {
		t.Fatal(err)
	}
	data, err := MarshalJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bootstrap.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := askEnvoy(t.Context(), envoyPath(t), path); err != nil {
		t.Error(err)
	}
}

func TestBootstrapRefusesWhatCannotWork(t *testing.T) {
	good := BootstrapOptions{Instance: "edge", NodeID: "n", XDSAddress: "127.0.0.1:18000"}
	tests := []struct {
		name   string
		change func(*BootstrapOptions)
		want   string
	}{
		{"no instance", func(o *BootstrapOptions) { o.Instance = "" }, "the instance and the node id must be said"},
		{"no node id", func(o *BootstrapOptions) { o.NodeID = "" }, "the instance and the node id must be said"},
		{"no xDS address", func(o *BootstrapOptions) { o.XDSAddress = "" }, `xDS address "": missing port in address`},
		{"no port", func(o *BootstrapOptions) { o.XDSAddress = "weir" }, `xDS address "weir": address weir: missing port`},
		{"port 0", func(o *BootstrapOptions) { o.XDSAddress = "weir:0" }, "needs a host and a port"},
		{"no host", func(o *BootstrapOptions) { o.XDSAddress = ":18000" }, "needs a host and a port"},
		{"named port", func(o *BootstrapOptions) { o.XDSAddress = "weir:http" }, `port "http" is not a number from 0 to 65535`},
		{"relative socket", func(o *BootstrapOptions) { o.XDSAddress = "unix://weir.sock" }, "an absolute path"},
		{"relative socket of a standby", func(o *BootstrapOptions) { o.StandbyAddress = "unix://s" }, `standby address "unix://s": a socket is unix:// and an absolute path`},
		{"a name and a socket", func(o *BootstrapOptions) {
			o.XDSAddress, o.StandbyAddress = "weir:18000", "unix:///run/standby.sock"
		}, "the standby cannot be a socket"},
		{"weir as standby", func(o *BootstrapOptions) { o.StandbyAddress = o.XDSAddress }, `standby address "127.0.0.1:18000": weir is there`},
		{"admin by name", func(o *BootstrapOptions) { o.AdminAddress = "localhost:9901" }, `"localhost" is not an IP address`},
		{"admin port", func(o *BootstrapOptions) { o.AdminAddress = "127.0.0.1:70000" }, `port "70000" is not a number`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := good
			test.change(&o)
			_, err := Bootstrap(o)
			check(t, "", err, "", test.want)
		})
	}
}

func TestSystemCAFile(t *testing.T) {
	dir := t.TempDir()
	second := throwawayCAFile(t)
	places := []string{filepath.Join(dir, "missing"), dir, second, throwawayCAFile(t)}
	tests := []struct {
		name, said string
		places     []string
		want       string
	}{
		{"said", "/elsewhere/ca.pem", places, "/elsewhere/ca.pem"},
		{"first file of the usual places", "", places, second},
		{"none", "", places[:2], ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := systemCAFile(test.said, test.places); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
