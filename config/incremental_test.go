package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/config/source"
	"github.com/weirproxy/weir/model"
)

// TestLoaderEqualsFromScratch makes random edits and holds that a Loader tells the same as a load from scratch after
// each: values, positions, words; and that what did not change is the same pointer.
func TestLoaderEqualsFromScratch(t *testing.T) {
	base := writeFiles(t, nil)
	var good, bad, slow int
	rapid.Check(t, func(t *rapid.T) {
		root, err := os.MkdirTemp(base, "run")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(root)
		if err := os.Symlink(filepath.Join(base, "tls"), filepath.Join(root, "tls")); err != nil {
			t.Fatal(err)
		}
		d := &drawing{t: t, root: root, now: testNow}
		d.start()
		ld := NewLoader()
		var last *Result
		lastFiles, lastJSON, lastBeside, lastLinks := d.files, d.json, maps.Clone(d.beside), maps.Clone(d.links)
		for step := range 8 {
			what := "start"
			if step > 0 {
				what = d.edit()
			}
			s, o := d.snapshot(), d.options()
			want, got := FromSnapshot(s, o), ld.Load(s, o)
			if diff := cmp.Diff(told(t, want), told(t, got)); diff != "" {
				t.Fatalf("step %d: %s\n(- from scratch, + incremental):\n%s\n%s", step, what, diff, textsOf(s))
			}
			if ld.broken != nil {
				t.Fatalf("step %d: %s: %v\n%s", step, what, ld.broken, textsOf(s))
			}
			switch {
			case want.HasErrors():
				bad++
				if rapid.IntRange(0, 2).Draw(t, "back") > 0 { // as it was, and on from there
					d.files, d.json, d.now = maps.Clone(lastFiles), maps.Clone(lastJSON), testNow
					d.back(lastBeside, lastLinks)
				}
				continue
			case !got.built:
				slow++
				continue
			}
			good++
			if last != nil {
				if kept := changedInVain(last.Configuration, got.Configuration); kept != "" {
					t.Fatalf("step %d: %s: %s\n%s", step, what, kept, textsOf(s))
				}
			}
			last, lastFiles, lastJSON, lastBeside, lastLinks = got, maps.Clone(d.files), maps.Clone(d.json), maps.Clone(d.beside), maps.Clone(d.links)
		}
	})
	t.Logf("%d good loads, %d with mistakes, %d with unusual text", good, bad, slow)
	if slow > good/3 || good < bad/4 {
		t.Error("the edits do not test much")
	}
}

func textsOf(s *source.Snapshot) string {
	var out bytes.Buffer
	for _, f := range s.Files {
		out.WriteString("== " + f.Name + "\n")
		out.Write(f.Bytes)
	}
	return out.String()
}

// told is all that a Result tells.
func told(t interface{ Fatal(...any) }, r *Result) map[string]any {
	var text, document bytes.Buffer
	if err := r.WriteText(&text, false, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteJSON(&document); err != nil {
		t.Fatal(err)
	}
	configuration, err := json.MarshalIndent(r.Configuration, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"text": text.String(), "json": document.String(), "configuration": string(configuration), "empty": r.Empty, "read": r.Read,
		"since": r.Since, "until": r.Until,
	}
}

// changedInVain finds a noun that says the same as before, at the same place of its block, and is another pointer.
func changedInVain(before, now *model.Configuration) string {
	var found string
	compare := func(before, now any) {
		b, n := reflect.ValueOf(before), reflect.ValueOf(now)
		vain, changed := "", b.Len() != n.Len()
		for _, name := range b.MapKeys() {
			old, is := b.MapIndex(name), n.MapIndex(name)
			switch {
			case !is.IsValid():
				changed = true
			case old.Pointer() == is.Pointer():
			case reflect.DeepEqual(old.Interface(), is.Interface()):
				vain = name.String()
			default:
				changed = true
			}
		}
		if vain != "" {
			found = b.Type().String() + ": " + vain + " is another pointer in vain"
		}
		if !changed && b.Pointer() != n.Pointer() {
			found = b.Type().String() + " is another map in vain"
		}
	}
	compare(before.VPCs, now.VPCs)
	compare(before.CCNs, now.CCNs)
	compare(before.Instances, now.Instances)
	compare(before.Upstreams, now.Upstreams)
	compare(before.Services, now.Services)
	return found
}

// TestLoaderDecodesWhatChanged holds that an edit evaluates only what it must.
func TestLoaderDecodesWhatChanged(t *testing.T) {
	root := writeFiles(t, map[string][]byte{"note.txt": []byte("note")})
	d := &drawing{t: nil, root: root}
	d.files = map[string][]string{"a.hcl": {
		"variable \"x\" {\n  default = 1\n}\n", "locals {\n  a = var.x\n  b = local.a\n  c = local.b > 3 ? 1 : 2\n}\n",
		"vpc \"v\" {\n  cidr_blocks = [\"10.0.0.0/8\"]\n}\n", "vpc \"w\" {}\n",
		"instance \"e\" {\n  vpc = vpc.v\n  listener \"http\" {\n    port = 8080\n  }\n}\n",
		"upstream \"one\" {\n  vpc = vpc.v\n  protocol = \"http\"\n  retries = local.c\n  node \"10.0.0.1:80\" {}\n}\n",
		"upstream \"two\" {\n  vpc = vpc.v\n  protocol = \"http\"\n  description = file(\"note.txt\")\n  node \"10.0.0.1:80\" {\n    weight = 1\n  }\n}\n",
		"upstream \"far\" {\n  vpc = vpc[\"v\"]\n  protocol = \"http\"\n  node \"10.0.0.9:80\" {}\n}\n",
		"service \"s\" {\n  instance = instance.e\n  domains = [\"s.example.com\"]\n  api \"a\" {\n    backend {\n      upstream = upstream.one\n    }\n  }\n}\n",
		"service \"all\" {\n  instance = instance.e\n  api \"a\" {\n    backend {\n      upstream = upstream[sort(keys(upstream))[0]]\n    }\n  }\n}\n",
	}}
	ld := NewLoader()
	load := func() []string {
		r := ld.Load(d.snapshot(), Options{Now: testNow})
		if r.HasErrors() || !r.built {
			t.Fatal(r.Diagnostics)
		}
		var names []string
		for _, ref := range ld.state.decoded {
			names = append(names, ref.Kind+"."+ref.Name)
		}
		return names
	}
	if got := load(); len(got) != 8 {
		t.Fatal(got)
	}
	for _, edit := range []struct {
		old, new string
		want     []string
	}{
		{"weight = 1", "weight = 2", []string{"upstream.two"}},
		{"variable", "\n\n# moved\nvariable", nil},
		{"default = 1", "default = 2", nil}, // local.c has the same value
		{"default = 2", "default = 5", []string{"upstream.one"}},
		{"port = 8080", "port = 8081", []string{"instance.e"}},
		{"listener \"http\"", "listener \"web\"", []string{"instance.e", "service.all", "service.s"}},
		{"10.0.0.0/8", "10.0.0.0/16", []string{"vpc.v", "upstream.far", "upstream.one", "upstream.two"}},
		{"vpc \"v\" {\n", "vpc \"v\" {\n  description = \"x\"\n", []string{"vpc.v"}},
		{"upstream \"two\" {", "upstream \"new\" {\n  vpc = vpc.v\n  protocol = \"http\"\n  node \"10.0.0.3:80\" {}\n}\nupstream \"two\" {", []string{"upstream.new", "service.all"}},
		{"/a/", "/a/", nil},
	} {
		text := d.files["a.hcl"]
		joined := ""
		for _, piece := range text {
			joined += piece
		}
		d.files["a.hcl"] = []string{string(bytes.Replace([]byte(joined), []byte(edit.old), []byte(edit.new), 1))}
		if got := load(); !slices.Equal(got, edit.want) {
			t.Errorf("%q to %q decodes %v, not %v", edit.old, edit.new, got, edit.want)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "note.txt"), []byte("another note"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := load(); !slices.Equal(got, []string{"upstream.two"}) {
		t.Errorf("another content of the file decodes %v", got)
	}
}

// TestLoaderStaysAtTheLastGoodLoad holds that a mistake, and its repair, leave what did not change as it was.
func TestLoaderStaysAtTheLastGoodLoad(t *testing.T) {
	base := benchSnapshot(100)
	base.Files = base.Files[:3]
	base.Files[0].Bytes = bytes.Replace(base.Files[0].Bytes, []byte("retries  = local.retries\n"), nil, 1)
	ld := NewLoader()
	o := Options{Now: testNow}
	first := ld.Load(base, o)
	if first.HasErrors() || !first.built {
		t.Fatal(first.Diagnostics)
	}
	for _, mistake := range []string{"upstream \"u7\" {\n}", "upstream \"u7\" {", "upstream \"gone\" {\n  vpc = vpc.no\n"} {
		if r := ld.Load(edited(base, "upstream \"u7\" {\n", mistake), o); !r.HasErrors() {
			t.Fatal("no mistake")
		}
	}
	again := ld.Load(edited(base, "upstream \"u7\" {\n", "upstream \"u7\" {\n  retries = 7\n"), o)
	if again.HasErrors() || !again.built || !slices.Equal(ld.state.decoded, []lang.Ref{{Kind: kindUpstream, Name: "u7"}}) {
		t.Fatal(again.Diagnostics, ld.state.decoded)
	}
	if again.Configuration.Upstreams["u8"] != first.Configuration.Upstreams["u8"] || again.Configuration.Upstreams["u7"].Retries != 7 {
		t.Error("the nouns are not those of before")
	}
}
