package translate

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/config/source"
	"github.com/weirproxy/weir/model"
)

var update = flag.Bool("update", false, "write what the translation gives into testdata")

// TestGolden translates the files of each archive in testdata and compares the resources of each instance with the
// archive's "INSTANCE.json". The real Envoy accepts each of them. A line "# certificate NAME HOST..." of the archive's
// comment asks for a fresh NAME.crt and NAME.key; "# parts N" has sockets cut into parts of N routes.
func TestGolden(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives in testdata: %v", err)
	}
	for _, file := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	inputs := &txtar.Archive{Comment: archive.Comment}
	want := map[string]string{}
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".hcl") {
			inputs.Files = append(inputs.Files, f)
		} else {
			want[f.Name] = string(f.Data)
		}
	}
	c, generated := load(t, inputs)
	got := map[string]string{}
	written := *inputs
	for _, instance := range sortedKeys(c.Instances) {
		resources := instanceOf(c, instance, sizeOf(t, archive))
		accepted(t, resources)
		name := instance + ".json"
		got[name] = render(t, resources, generated)
		written.Files = append(written.Files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(&written), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the resources differ from %s (write them with -update):\n%s", file, diff)
	}
}

// sizeOf is the size of parts that an archive asks for.
func sizeOf(t *testing.T, archive *txtar.Archive) int {
	t.Helper()
	size := partSize
	for line := range strings.Lines(string(archive.Comment)) {
		if rest, found := strings.CutPrefix(line, "# parts "); found {
			var err error
			if size, err = strconv.Atoi(strings.TrimSpace(rest)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return size
}

// load reads an archive as weir reads a directory. What it generated is returned as base64, with a word in its place.
func load(t *testing.T, archive *txtar.Archive) (*model.Configuration, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	generated := map[string]string{}
	for line := range strings.Lines(string(archive.Comment)) {
		if words := strings.Fields(line); len(words) > 2 && words[1] == "certificate" {
			certificate, key := selfSigned(t, words[3:]...)
			for name, data := range map[string][]byte{words[2] + ".crt": certificate, words[2] + ".key": key} {
				generated[base64.StdEncoding.EncodeToString(data)] = "<" + name + ">"
				write(t, filepath.Join(dir, name), data)
			}
		}
	}
	for _, f := range archive.Files {
		write(t, filepath.Join(dir, f.Name), f.Data)
	}
	snapshot, err := source.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	result := config.FromSnapshot(snapshot, config.Options{})
	if result.HasErrors() {
		t.Fatal(result.Diagnostics)
	}
	return result.Configuration, generated
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// render prints resources with stable white space.
func render(t *testing.T, resources []Resource, generated map[string]string) string {
	t.Helper()
	var out []json.RawMessage
	for _, r := range resources {
		data, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(r.Message)
		if err != nil {
			t.Fatal(err)
		}
		line, err := json.Marshal(map[string]any{"name": r.Name, "place": r.Place.String(), "resource": json.RawMessage(data), "type": r.Type})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	data, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		t.Fatal(err)
	}
	text := b.String() + "\n"
	for data, word := range generated {
		text = strings.ReplaceAll(text, data, word)
	}
	return text
}

// TestDeterministic holds that equal input gives byte-identical output, however its maps are walked and its blocks ordered.
func TestDeterministic(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/paths.txtar")
	if err != nil {
		t.Fatal(err)
	}
	c, _ := load(t, archive)
	want := wire(t, Instance(c, "edge"))
	for range 20 {
		for _, u := range c.Upstreams {
			u.Nodes = append(u.Nodes[1:], u.Nodes[0])
		}
		if !bytes.Equal(want, wire(t, Instance(c, "edge"))) {
			t.Fatal("the resources differ from one translation to the next")
		}
	}
}

func wire(t *testing.T, resources []Resource) []byte {
	t.Helper()
	var out []byte
	for _, r := range resources {
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.Message)
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, r.Type+" "+r.Name+"\n"...), data...)
	}
	return out
}

// selfSigned is a certificate, which is its own CA, for names and addresses, and its key.
func selfSigned(t *testing.T, hosts ...string) (certificate, key []byte) {
	t.Helper()
	return selfSignedUntil(t, time.Now().Add(24*time.Hour), hosts...)
}

// selfSignedUntil is selfSigned, valid from two days ago to a time.
func selfSignedUntil(t *testing.T, end time.Time, hosts ...string) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"weir's tests"}, SerialNumber: serial.String()},
		NotBefore:    time.Now().Add(-48 * time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
