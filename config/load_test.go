package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
)

const smallest = `
vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "http" { port = 8080 }
}
upstream "orders" {
  vpc      = vpc.main
  protocol = "http"
  node "127.0.0.1:9001" {}
}
service "shop" {
  instance = instance.edge
  api "all" {
    backend { upstream = upstream.orders }
  }
}
`

func TestLoadOfWhatIsNotThere(t *testing.T) {
	r, err := Load(filepath.Join(t.TempDir(), "none"), Options{})
	if !errors.Is(err, fs.ErrNotExist) || r != nil {
		t.Errorf("Load = %v, %v", r, err)
	}
}

// TestLoadNamesFilesAsTheyCanBeOpened is about the PATH that the operator gave.
func TestLoadNamesFilesAsTheyCanBeOpened(t *testing.T) {
	root := writeFiles(t, map[string][]byte{"conf/sub/a.hcl": []byte("vpc \"a-b\" {}\n")})
	t.Chdir(root)
	for path, want := range map[string]string{
		"conf":                                "conf/sub/a.hcl",
		"./conf/":                             "conf/sub/a.hcl",
		"conf/sub/a.hcl":                      "conf/sub/a.hcl",
		filepath.Join(root, "conf"):           filepath.ToSlash(filepath.Join(root, "conf/sub/a.hcl")),
		filepath.Join(root, "conf/sub/a.hcl"): filepath.ToSlash(filepath.Join(root, "conf/sub/a.hcl")),
	} {
		r, err := Load(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Diagnostics[0].Subject.Filename; got != want {
			t.Errorf("%s: the file is called %q, not %q", path, got, want)
		}
	}
}

// TestRead holds that what a configuration reads is known, also what could not be read, so that it can be watched.
func TestRead(t *testing.T) {
	root := writeFiles(t, map[string][]byte{"weir.hcl": []byte(`
vpc "main" {
  description = "${file("note.txt")}${join(",", fileset("parts", "*.txt"))}"
}
instance "edge" {
  vpc = vpc.main
  listener "https" {
    port = 8443
    tls {
      certificate_file = "tls/edge.crt"
      private_key_file = "tls/missing.key"
    }
  }
}
upstream "orders" {
  vpc      = vpc.main
  protocol = "https"
  tls {
    ca_file = "tls/ca.crt"
  }
  node "orders.internal:443" {}
}
`), "note.txt": []byte("hello")})
	r := fromDir(t, root)
	for _, name := range []string{"note.txt", "parts", "tls/ca.crt", "tls/edge.crt", "tls/missing.key"} {
		if !slices.Contains(r.Read, filepath.Join(root, name)) {
			t.Errorf("%s is not in %q", name, r.Read)
		}
	}
	if !slices.IsSorted(r.Read) {
		t.Errorf("not sorted: %q", r.Read)
	}
}

func TestEmpty(t *testing.T) {
	for text, want := range map[string]bool{
		"# nothing\n":           true,
		"\n":                    true,
		"locals { a = 1 }\n":    true,
		"vpc \"main\" {}\n":     false,
		"vpc \"no-good\" {}\n":  false,
		"upstream \"main\" {\n": false,
	} {
		if r := FromText("weir.hcl", []byte(text), t.TempDir(), Options{}); r.Empty != want {
			t.Errorf("%q: Empty = %v", text, r.Empty)
		}
	}
}

// TestInUseAcrossTwoSaves walks through rule 5 as an operator does, one save after the other.
func TestInUseAcrossTwoSaves(t *testing.T) {
	network := `
vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "http" { port = 8080 }
}
`
	orders := "upstream \"orders\" {\n  vpc = vpc.main\n  protocol = \"http\"\n  node \"10.0.0.1:80\" {}\n}\n"
	shop := "service \"shop\" {\n  instance = instance.edge\n  api \"all\" {\n    backend { upstream = upstream.orders }\n  }\n}\n"
	root := writeFiles(t, map[string][]byte{"network.hcl": []byte(network), "orders.hcl": []byte(orders), "shop.hcl": []byte(shop)})
	if r := fromDir(t, root); r.HasErrors() {
		t.Fatal(r.Diagnostics)
	}
	if err := os.Remove(filepath.Join(root, "orders.hcl")); err != nil {
		t.Fatal(err)
	}
	r := fromDir(t, root)
	if len(r.Diagnostics) != 1 || lang.RuleOf(r.Diagnostics[0]) != ruleInUse || !strings.Contains(r.Diagnostics[0].Detail, "shop/all (shop.hcl:3)") {
		t.Fatalf("removing an upstream that is in use: %v", r.Diagnostics)
	}
	if err := os.Remove(filepath.Join(root, "shop.hcl")); err != nil {
		t.Fatal(err)
	}
	if r := fromDir(t, root); r.HasErrors() {
		t.Fatal(r.Diagnostics)
	}
}

// TestManyUsesAreCut keeps one message readable where thousands of APIs use an upstream.
func TestManyUsesAreCut(t *testing.T) {
	text := "vpc \"main\" {}\ninstance \"edge\" {\n  vpc = vpc.main\n  listener \"http\" { port = 80 }\n}\nservice \"shop\" {\n  instance = instance.edge\n"
	for i := range 30 {
		name := string(rune('a'+i%26)) + string(rune('a'+i/26))
		text += "  api \"" + name + "\" {\n    path = \"/" + name + "\"\n    backend { upstream = upstream.gone }\n  }\n"
	}
	r := FromText("weir.hcl", []byte(text+"}\n"), t.TempDir(), Options{})
	if len(r.Diagnostics) != 30 || !strings.Contains(r.Diagnostics[0].Detail, "used by 30 APIs: ") || !strings.Contains(r.Diagnostics[0].Detail, " and 10 more;") {
		t.Errorf("%d diagnostics, the first: %v", len(r.Diagnostics), r.Diagnostics[0])
	}
}

// TestEqualFilesGiveEqualConfigurations is what unchanged edits rest on.
func TestEqualFilesGiveEqualConfigurations(t *testing.T) {
	root := t.TempDir()
	a := FromText("weir.hcl", []byte(smallest), root, Options{})
	b := FromText("weir.hcl", []byte(smallest), root, Options{})
	if a.HasErrors() || cmp.Diff(a.Configuration, b.Configuration, cmp.Comparer(func(x, y model.Listener) bool { return x.Address == y.Address && x.Port == y.Port })) != "" {
		t.Errorf("they differ: %v", a.Diagnostics)
	}
}

func TestAssociated(t *testing.T) {
	r := FromText("weir.hcl", []byte(smallest+`
service "admin" {
  instance = instance.edge
  domains  = ["b.test", "a.test"]
  api "put" {
    methods     = ["PUT", "DELETE"]
    path_prefix = "/orders/"
    backend { upstream = upstream.orders }
  }
  api "get" {
    path = "/orders/{id}"
    backend { upstream = upstream.orders }
  }
  api "ping" {
    path = "/ping"
    backend {
      mock {}
    }
  }
  api "split" {
    path = "/split"
    backend {
      split {
        target { upstream = upstream.orders }
        target { upstream = upstream.copies }
      }
    }
  }
  api "mirrored" {
    path = "/mirrored"
    backend {
      url = "https://api.test"
      mirror { upstream = upstream.orders }
    }
  }
}
upstream "copies" {
  vpc      = vpc.main
  protocol = "http"
  node "127.0.0.1:1" {}
}
`), t.TempDir(), Options{})
	if r.HasErrors() {
		t.Fatal(r.Diagnostics)
	}
	got := Associated(r.Configuration, "orders")
	for i := range got {
		if got[i].Place.Line() == 0 {
			t.Errorf("%s/%s has no place", got[i].Service, got[i].API)
		}
		got[i].Place = model.Place{}
	}
	domains, none := []string{"a.test", "b.test"}, []string{}
	want := []AssociatedAPI{
		{Service: "admin", API: "get", Instance: "edge", Domains: domains, Methods: none, Path: "/orders/{id}"},
		{Service: "admin", API: "mirrored", Instance: "edge", Domains: domains, Methods: none, Path: "/mirrored"},
		{Service: "admin", API: "put", Instance: "edge", Domains: domains, Methods: []string{"DELETE", "PUT"}, Path: "/orders/*"},
		{Service: "admin", API: "split", Instance: "edge", Domains: domains, Methods: none, Path: "/split"},
		{Service: "shop", API: "all", Instance: "edge", Domains: none, Methods: none, Path: "/*"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(- expected, + found):\n%s", diff)
	}
	for _, name := range []string{"none", ""} {
		if got := Associated(r.Configuration, name); got == nil || len(got) > 0 {
			t.Errorf("Associated(%q) = %#v", name, got)
		}
	}
}
