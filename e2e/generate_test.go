package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Where the search for a configuration that weir takes and Envoy does not starts, and how long it goes on. A longer
// one: WEIR_E2E_CONFIGURATIONS=20000 WEIR_E2E_SEED=2 go test -run Generated ./e2e
const (
	defaultSeed           = 1
	defaultConfigurations = 400
	perCall               = 100
)

// What weir takes, Envoy takes: random configurations that look right, none of which may pass weir and be refused by
// Envoy.
func TestGeneratedConfigurationsAreTakenByEnvoy(t *testing.T) {
	t.Parallel()
	envoy := envoyPath(t)
	seed, total := number(t, "WEIR_E2E_SEED", defaultSeed), number(t, "WEIR_E2E_CONFIGURATIONS", defaultConfigurations)
	authority := newAuthority(t, "generated")
	certificate, key := authority.issue(t, "shop.example.com")
	client, clientKey := authority.issueClient(t, "edge")
	shared := files{"client.crt": client, "client.key": clientKey, "ca.pem": authority.pem, "edge.crt": certificate, "edge.key": key}
	shared["other.crt"], shared["other.key"] = authority.issue(t, "*.shop.example.com", "w*.example.com", "Other.Example.com", "192.0.2.1")
	taken, made := 0, 0
	for first := 0; first < total; first += perCall {
		draw := func(number int) generator {
			return generator{rand.New(rand.NewPCG(uint64(seed), uint64(number))), number}
		}
		shared["edge.hcl"] = draw(-1 - first).instance()
		dir := newDirectory(t, shared)
		for i := first; i < min(first+perCall, total); i++ {
			writeFile(t, filepath.Join(dir, fmt.Sprintf("c%d.hcl", i)), draw(i).configuration())
			made++
		}
		taken += dropRefused(t, dir)
		if c := weir(t, "validate", "--with-envoy", "--envoy-path", envoy, dir); c.status != 0 {
			t.Errorf("seed %d, configurations %d on: weir accepts what Envoy refuses:\n%s", seed, first, errorsOf(c))
			blame(t, dir, shared, envoy)
		}
	}
	t.Logf("%d of %d configurations are taken by weir and by Envoy", taken, made)
	if taken < made/2 {
		t.Errorf("weir takes only %d of %d: the generator shows too little", taken, made)
	}
}

// number reads a whole number from a variable.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

// dropRefused removes the files in which weir finds mistakes, and returns how many are left.
func dropRefused(t *testing.T, dir string) int {
	t.Helper()
	for range 3 {
		c := weir(t, "validate", "-o", "json", dir)
		wrong := mistaken(t, c.stdout)
		if c.status == 0 {
			left, err := filepath.Glob(filepath.Join(dir, "c*.hcl"))
			must(t, err)
			return len(left)
		}
		if len(wrong) == 0 {
			t.Fatalf("weir validate ends with %d and names no file:\n%s%s", c.status, c.stdout, c.stderr)
		}
		for name := range wrong {
			must(t, os.Remove(filepath.Join(dir, name)))
		}
	}
	t.Fatal("files that stand alone were refused three times over")
	return 0
}

// mistaken are the files that have errors, out of the JSON of `weir validate`.
func mistaken(t *testing.T, document string) map[string]bool {
	t.Helper()
	var report struct {
		Diagnostics []struct {
			Severity string
			Range    struct{ Filename string }
		}
	}
	if err := json.Unmarshal([]byte(document), &report); err != nil {
		t.Fatalf("weir validate -o json: %v:\n%s", err, document)
	}
	wrong := make(map[string]bool)
	for _, d := range report.Diagnostics {
		if d.Severity == "error" {
			wrong[filepath.Base(d.Range.Filename)] = true
		}
	}
	return wrong
}

// blame finds the files that Envoy refuses, one by one, and shows them.
func blame(t *testing.T, dir string, shared files, envoy string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "c*.hcl"))
	must(t, err)
	for _, path := range left {
		text, err := os.ReadFile(path)
		must(t, err)
		alone := newDirectory(t, shared)
		writeFile(t, filepath.Join(alone, filepath.Base(path)), string(text))
		if c := weir(t, "validate", "--with-envoy", "--envoy-path", envoy, alone); c.status != 0 {
			t.Errorf("this one:\n%s\n%s", text, errorsOf(c))
		}
	}
}

// errorsOf is the text of `weir validate` without its warnings.
func errorsOf(c command) string {
	if at := strings.Index(c.stdout, "Error: "); at >= 0 {
		return c.stdout[at:] + c.stderr
	}
	return c.stdout + c.stderr
}

// generator writes one random configuration. Everything that it draws looks right to somebody; some of it is wrong.
type generator struct {
	*rand.Rand
	number int // makes names unique, so that many configurations can be asked about at once
}

// one of the choices.
func (g generator) one(choices ...string) string { return choices[g.IntN(len(choices))] }

// either draws from what weir takes, as far as its author knew, and seldom from what is a little odd: one refused word
// refuses the whole configuration, and then it shows nothing about the rest.
func (g generator) either(usual, odd []string) string {
	if g.IntN(60) == 0 {
		return g.one(odd...)
	}
	return g.one(usual...)
}

// often is true four times out of five, seldom once out of five.
func (g generator) often() bool  { return g.IntN(5) != 0 }
func (g generator) seldom() bool { return g.IntN(5) == 0 }

// name is unique for a kind and near the limits of what a name may be.
func (g generator) name(prefix string) string {
	name := prefix + strconv.Itoa(g.number)
	if g.seldom() {
		name = strconv.Itoa(g.number) + "_" + strings.Repeat(prefix+"_", 60)
		name = name[:49-g.IntN(10)] // the number comes first, so that cutting keeps it unique
	}
	return name
}

// configuration is an upstream and a service that uses it, on the instance that the whole batch shares.
func (g generator) configuration() string {
	upstream := g.name("u")
	var b strings.Builder
	b.WriteString(g.upstream(upstream))
	fmt.Fprintf(&b, "service %q {\n  instance = instance.edge\n", g.name("s"))
	if g.number%perCall != 0 || g.often() {
		fmt.Fprintf(&b, "  domains = [%s]\n", g.domains())
	}
	if g.seldom() {
		b.WriteString("  listeners = [\"l0\"]\n")
	}
	b.WriteString(g.policies("  ", true))
	for i := range 1 + g.IntN(5) {
		b.WriteString(g.api(i, upstream))
	}
	b.WriteString("}\n")
	return b.String()
}

// instance is what a batch shares: Envoy is asked instance by instance, and that is what takes the time.
func (g generator) instance() string {
	text := "vpc \"main\" {}\ninstance \"edge\" {\n  vpc = vpc.main\n"
	for i := range 1 + g.IntN(4) {
		text += fmt.Sprintf("  listener \"l%d\" {\n    address = %q\n    port = %d\n", i, g.one("0.0.0.0", "127.0.0.1", "::", "::1", "192.0.2.7"), 1+i*10000+g.IntN(10000))
		text += g.listenerSettings() + "  }\n"
	}
	text += g.observation() + "}\n"
	for i := range 2 {
		text += fmt.Sprintf("upstream \"shared%d\" {\n  vpc = vpc.main\n  protocol = \"http\"\n  host_header = \"shared%d.internal\"\n  node \"10.0.0.%d:80\" {}\n}\n", i, i, 1+i)
	}
	return text
}

func (g generator) upstream(name string) string {
	protocol := g.one("http", "https", "http", "https", "grpc", "grpcs")
	secure := strings.HasSuffix(protocol, "s")
	text := fmt.Sprintf("upstream %q {\n  vpc = vpc.main\n  protocol = %q\n", name, protocol)
	if g.seldom() {
		text += "  description = \"Ünïcode, \\\"quotes\\\",\\nlines and a %{ if true }template%{ endif }\"\n"
	}
	if !g.often() || secure && g.often() {
		text += fmt.Sprintf("  host_header = %q\n", g.either(
			[]string{"a.internal", "A.Internal:8443", "under_score.internal", "10.0.0.1", "10.0.0.1:80", "[::1]:80", "[2001:db8::1]", "x",
				"xn--bcher-kva.example", strings.Repeat("a", 63) + ".internal"},
			[]string{"a.internal.", "a b", "ü.internal", "a:b", "*.internal", "1.2.3", "a..b", "-a.internal", "a/b", strings.Repeat("a.", 130)}))
	}
	if g.seldom() {
		text += fmt.Sprintf("  retries = %d\n", 1+g.IntN(100))
	}
	if secure && g.seldom() {
		text += "  tls {\n    " + g.one(`ca_file = "ca.pem"`, `sni = "a.internal"`, `sni = "under_score.internal"`, "insecure_skip_verify = true", `min_version = "1.3"`,
			"client_certificate_file = \"client.crt\"\n    client_key_file = \"client.key\"",
			"ca_file = \"ca.pem\"\n    sni = \"A.Internal\"") + "\n  }\n"
	}
	return text + g.upstreamSettings() + g.nodes() + "}\n"
}

func (g generator) nodes() string {
	text, said := "", g.often()
	kinds := 1 + g.IntN(3) // all of one kind, or a mixture
	for i := range 1 + g.IntN(8) {
		host := []string{fmt.Sprintf("10.%d.0.%d", g.IntN(256), i+1), fmt.Sprintf("[2001:db8::%x]", i+1),
			g.one("node", "NODE", "no_de", "n-1", strings.Repeat("n", 60)) + strconv.Itoa(i) + g.either([]string{"", ".internal"}, []string{".internal.", ".0.1", "%"})}[(i+g.number)%kinds]
		weight := ""
		if said {
			weight = fmt.Sprintf(" weight = %d ", []int{1, 0, 50, 100, 65535}[min(i, 1)*g.IntN(5)])
		}
		text += fmt.Sprintf("  node \"%s:%d\" {%s}\n", host, 1+g.IntN(65535), weight)
	}
	return text
}

// domains are of this configuration alone.
func (g generator) domains() string {
	var all []string
	for i := range 1 + g.IntN(3) {
		form := g.one("d%d.c%d.example.com", "D%d.C%d.Example.Com", "*.w%d.c%d.example.com", "*.w%d.c%d", "x_%d.c%d.internal", "xn--%d-kva%d.example", "h%d-c%d", "10.%d.%d.example", "*.%d-%d.example")
		all = append(all, strconv.Quote(fmt.Sprintf(form, i, g.number)))
	}
	return strings.Join(all, ", ")
}
