package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Every way in which files change on real machines arrives, and no request fails meanwhile.
func TestWaysToSave(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	r := request{port: port, path: "/"}
	main := filepath.Join(g.path, "gateway.hcl")
	ping := request{port: port, path: "/ping"}
	l := startLoad(t, r)

	renameFile(t, main, shop(port, plain(nodes[1])))
	eventually(t, editBound, "an editor's rename is seen", answeredByAll(r, "n1"))

	writeFile(t, main, shop(port, plain(nodes[0])))
	eventually(t, editBound, "a truncating write is seen", answeredByAll(r, "n0"))

	// Cut after every block: each state on the way parses, and none of them may remove anything.
	pieces := strings.SplitAfter(shop(port, plain(nodes[1])), "\n}\n")
	writeSlowly(t, main, pieces, 150*time.Millisecond)
	eventually(t, editBound, "a slow write is seen", answeredByAll(r, "n1"))

	extra := filepath.Join(g.path, "extra.hcl")
	writeFile(t, extra, mock("extra", "/ping", "added"))
	eventually(t, editBound, "a file added is seen", answeredBy(ping, "added"))
	must(t, os.Remove(extra))
	eventually(t, editBound, "a file removed is seen", answeredByAll(ping, "n1"))

	deep := filepath.Join(g.path, "team", "shop", "extra.hcl")
	writeFile(t, deep, mock("extra", "/ping", "deep"))
	eventually(t, editBound, "a folder added is seen", answeredBy(ping, "deep"))
	renameFile(t, deep, mock("extra", "/ping", "deeper"))
	eventually(t, editBound, "an edit in the new folder is seen", answeredBy(ping, "deeper"))
	must(t, os.Rename(filepath.Join(g.path, "team"), filepath.Join(g.path, ".team")))
	eventually(t, editBound, "a folder hidden is seen", answeredByAll(ping, "n1"))

	writeFile(t, filepath.Join(g.path, "extra.hcl.json"), `{"service": {"extra": {"instance": "${instance.edge}", "api": {"fixed": {
		"path": "/ping", "backend": {"mock": {"body": "json"}}}}}}}`)
	eventually(t, editBound, "a JSON file is seen", answeredBy(ping, "json"))
	l.stop(t)
}

// A ConfigMap volume changes by one link that is renamed; the names that are read never change.
func TestConfigMapSwap(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	port := freePort(t)
	dir := filepath.Join(t.TempDir(), "conf")
	swapConfigMap(t, dir, "0", files{"gateway.hcl": shop(port, plain(nodes[0]))})
	g := runWeir(t, dir)
	awaitReady(t, g, port)
	l := startLoad(t, request{port: port, path: "/"})
	for version := 1; version <= 5; version++ {
		n := nodes[version%2]
		swapConfigMap(t, dir, fmt.Sprint(version), files{"gateway.hcl": shop(port, plain(n))})
		eventually(t, editBound, "the swap is seen", answeredByAll(request{port: port, path: "/"}, n.name))
	}
	l.stop(t)
}

// A single file as PATH, as a container with one bind-mounted file has it: it is written in place, never replaced.
func TestSingleFile(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	port := freePort(t)
	file := filepath.Join(newDirectory(t, files{"gateway.hcl": shop(port, plain(nodes[0])), "ignored.hcl": "not ours {"}), "gateway.hcl")
	g := runWeir(t, file)
	awaitReady(t, g, port)
	r := request{port: port, path: "/"}
	must(t, answeredByAll(r, "n0")())
	writeFile(t, file, shop(port, plain(nodes[1])))
	eventually(t, editBound, "a write in place is seen", answeredByAll(r, "n1"))
	renameFile(t, file, shop(port, plain(nodes[0])))
	eventually(t, editBound, "a rename over it is seen", answeredByAll(r, "n0"))
	writeFile(t, file, shop(port, plain(nodes[1])))
	eventually(t, editBound, "a write after the rename is seen", answeredByAll(r, "n1"))
}

// laterText is an instance on which other files mount services.
const laterText = `
instance "later" {
  type = "shared"
  listener "http" {
    address = "127.0.0.1"
    port    = <port>
  }
}
`

// badEdit is a save that must change nothing that serves, and what is said about it.
type badEdit struct {
	name    string
	spoil   func(t *testing.T, dir string)
	outcome string
	words   []string
	mend    func(t *testing.T, dir string)
}

// badEdits are the kinds of trouble, each with the cure that its victim would use.
func badEdits(good string, free int) []badEdit {
	put := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { t.Helper(); writeFile(t, filepath.Join(dir, name), text) }
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { t.Helper(); must(t, os.RemoveAll(filepath.Join(dir, name))) }
	}
	link := func(target, name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) { t.Helper(); must(t, os.Symlink(target, filepath.Join(dir, name))) }
	}
	return []badEdit{
		{"a syntax error", put("bad.hcl", "\n\nservice \"x\" {\n  instance = \n}\n"), "invalid", []string{"bad.hcl line 4"}, remove("bad.hcl")},
		{"an unknown attribute", put("gateway.hcl", strings.Replace(good, "vpc = vpc.main", "vcp = vpc.main", 1)), "invalid",
			[]string{"gateway.hcl line 4", "vcp"}, put("gateway.hcl", good)},
		{"a name that is mended in another file", put("later/uses.hcl", strings.ReplaceAll(mock("uses", "/", "x"), "instance.edge", "instance.later")),
			"invalid", []string{"uses.hcl line 3", "later"},
			put("later/later.hcl", fill(laterText, "port", free))},
		{"a binary file", put("binary.hcl", "\x7fELF\x02\x01\x01\x00\xff\xfe\x80\x00\x03>"), "invalid", []string{"binary.hcl"}, remove("binary.hcl")},
		{"a zero-byte file", put("empty.hcl", ""), "invalid", []string{"empty.hcl"}, remove("empty.hcl")},
		{"broken JSON", put("bad.hcl.json", "{\n  \"vpc\": {\n"), "invalid", []string{"bad.hcl.json"}, remove("bad.hcl.json")},
		{"a dangling link", link("nowhere.hcl.target", "dangling.hcl"), "failed", []string{"dangling.hcl"}, remove("dangling.hcl")},
		{"a link to itself", link("loop.hcl", "loop.hcl"), "failed", []string{"loop.hcl"}, remove("loop.hcl")},
		{"every file removed", func(t *testing.T, dir string) { remove("gateway.hcl")(t, dir); remove("after.hcl")(t, dir) }, "invalid", nil,
			put("gateway.hcl", good)},
		{"a certificate that is missing", put("tls.hcl", fill(laterText, "port", "1\n    tls {\n      certificate_file = \"none.crt\"\n      private_key_file = \"none.key\"\n    }")),
			"invalid", []string{"tls.hcl line 8", "none.crt"}, remove("tls.hcl")},
		{"the directory moved away", func(t *testing.T, dir string) { must(t, os.Rename(dir, dir+".away")) }, "failed", nil,
			func(t *testing.T, dir string) { must(t, os.Rename(dir+".away", dir)) }},
	}
}

// Whatever is wrong with the files, the last good configuration serves, the message points at the place, and the
// next good state is taken.
func TestBadEditsChangeNothing(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	good := shop(port, plain(n))
	r := request{port: port, path: "/"}
	l := startLoad(t, r)
	for i, bad := range badEdits(good, freePort(t)) {
		t.Run(bad.name, func(t *testing.T) {
			bad.spoil(t, g.path)
			g.awaitOutcome(t, bad.outcome, bad.words...)
			must(t, answeredByAll(r, "n0")())
			bad.mend(t, g.path)
			// The cure alone may leave things as they were; an edit on top shows that the watcher lives.
			path := fmt.Sprintf("/after-%d", i)
			writeFile(t, filepath.Join(g.path, "after.hcl"), mock("after", path, "alive"))
			eventually(t, editBound, "the next good edit is seen", answeredBy(request{port: port, path: path}, "alive"))
			if _, err := os.Stat(filepath.Join(g.path, "later")); err == nil {
				must(t, os.Rename(filepath.Join(g.path, "later"), filepath.Join(g.path, ".later")))
			}
		})
	}
	l.stop(t)
}

// SIGHUP and `weir reload` load now, and say how it ended.
func TestReload(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	dir := newDirectory(t, files{"gateway.hcl": fill(edgeText, "port", port) + mock("shop", "/", "x")})
	g := serveWeir(t, dir)
	g.awaitListening(t)
	g.awaitOutcome(t, "applied")
	first, err := g.status()
	must(t, err)

	must(t, g.cmd.Process.Signal(syscall.SIGHUP))
	eventually(t, editBound, "SIGHUP loads again", func() error {
		s, err := g.status()
		if err != nil {
			return err
		}
		return hold(s.LastAttempt.At.After(first.LastAttempt.At) && s.LastAttempt.Outcome == "unchanged", "the last attempt is %+v", s.LastAttempt)
	})
	weir(t, "reload", "--admin-address", g.admin).must(t)

	writeFile(t, filepath.Join(dir, "bad.hcl"), "nonsense = 1\n")
	if c := weir(t, "reload", "--admin-address", g.admin); c.status != 1 || containsAll(c.stdout+c.stderr, "bad.hcl") != nil {
		t.Errorf("weir reload over a bad file ends with %d, want 1 and a message:\n%s%s", c.status, c.stdout, c.stderr)
	}
	after, err := g.status()
	must(t, err)
	if after.Generation != first.Generation {
		t.Errorf("generation %q serves, want %q: a bad file changed it", after.Generation, first.Generation)
	}
}

// weir serves before there is anything to serve, says so, and takes the first good state.
func TestStartsWithBadFiles(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	good := fill(edgeText, "port", port) + mock("shop", "/", "at last")
	for name, content := range map[string]files{
		"broken": {"gateway.hcl": strings.Replace(good, "vpc.main", "vpc.mian", 1)},
		"empty":  {"gateway.hcl": ""},
		"none":   {"README": "no configuration here"},
	} {
		t.Run(name, func(t *testing.T) {
			g := runWeir(t, newDirectory(t, content))
			g.awaitListening(t)
			g.awaitOutcome(t, "invalid")
			if status, body, err := g.page("/readyz"); err != nil || status != 503 {
				t.Errorf("/readyz answers %d %q %v, want 503", status, body, err)
			}
			g.save(t, "gateway.hcl", good)
			awaitAnswer(t, startBound, port, "/", "at last")
			eventually(t, editBound, "weir is ready", func() error {
				status, body, err := g.page("/readyz")
				return errors.Join(err, hold(status == 200, "/readyz answers %d %q", status, body))
			})
			g.stop(t)
			must(t, refused(port))
		})
	}
}
