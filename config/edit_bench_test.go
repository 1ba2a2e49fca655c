package config

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/weirproxy/weir/config/source"
)

// The size at which an edit must still cost only what it changes.
const benchUpstreams = 10_000

// benchBlocks are an upstream of ten nodes, and a service with an API on it.
func benchBlocks(b *strings.Builder, i int) {
	fmt.Fprintf(b, "upstream \"u%d\" {\n  vpc      = vpc.main\n  protocol = \"http\"\n", i)
	for n := range 10 {
		fmt.Fprintf(b, "  node \"10.%d.%d.%d:8080\" {\n    weight = %d\n  }\n", i>>8, i&255, n+1, n+1)
	}
	fmt.Fprintf(b, "}\n\nservice \"s%d\" {\n  instance = instance.edge\n  api \"a\" {\n    path_prefix = \"/s%d\"\n    backend {\n      upstream = upstream.u%d\n    }\n  }\n}\n\n", i, i, i)
}

const benchHead = "vpc \"main\" {}\n\ninstance \"edge\" {\n  vpc = vpc.main\n  listener \"http\" {\n    port = 8080\n  }\n}\n\nlocals {\n  retries = 3\n}\n\n"

// benchSnapshot is a configuration in so many files.
func benchSnapshot(files int) *source.Snapshot {
	s := &source.Snapshot{Root: "/nowhere"}
	for f := range files {
		var text strings.Builder
		if f == 0 {
			text.WriteString(benchHead)
		}
		for i := range benchUpstreams / files {
			benchBlocks(&text, f*benchUpstreams/files+i)
		}
		if f == 0 {
			text.WriteString("upstream \"last\" {\n  vpc      = vpc.main\n  protocol = \"http\"\n  retries  = local.retries\n  node \"127.0.0.1:80\" {}\n}\n")
		}
		s.Files = append(s.Files, source.File{Name: fmt.Sprintf("f%04d.hcl", f), Bytes: []byte(text.String())})
	}
	return s
}

// benchEdits are what is measured: a replacement in the file of a snapshot that holds the old text.
var benchEdits = []struct{ name, old, new string }{
	{"weight", "  node \"10.0.7.3:8080\" {\n    weight = 3\n", "  node \"10.0.7.3:8080\" {\n    weight = %d\n"},
	{"route", "path_prefix = \"/s7\"\n", "path_prefix = \"/t%d\"\n"},
	{"new", "service \"s7\" {", "upstream \"n%[1]d\" {\n  vpc = vpc.main\n  protocol = \"http\"\n  node \"127.0.0.1:80\" {}\n}\nservice \"n%[1]d\" {\n  instance = instance.edge\n  api \"a\" {\n    path = \"/new\"\n    backend {\n      upstream = upstream.n%[1]d\n    }\n  }\n}\nservice \"s7\" {"},
	{"comment", "upstream \"u7\" {", "# %d\nupstream \"u7\" {"},
	{"local", "  retries = 3\n", "  retries = %d\n"},
}

// BenchmarkEdit measures the load that follows an edit.
func BenchmarkEdit(b *testing.B) {
	for _, files := range []int{100, 1} {
		base := benchSnapshot(files)
		for _, edit := range benchEdits {
			b.Run(fmt.Sprintf("files=%d/%s", files, edit.name), func(b *testing.B) {
				ld := NewLoader()
				load := func(s *source.Snapshot) {
					if r := ld.Load(s, Options{Now: testNow}); r.HasErrors() || ld.state == nil {
						b.Fatal(r.Diagnostics)
					}
				}
				load(base)
				n := 0
				for b.Loop() {
					b.StopTimer()
					n++
					s := edited(base, edit.old, fmt.Sprintf(edit.new, 1+n%100))
					b.StartTimer()
					load(s)
				}
			})
		}
	}
}

// edited is a snapshot of which one file has another text.
func edited(s *source.Snapshot, old, text string) *source.Snapshot {
	out := *s
	out.Files = append([]source.File(nil), s.Files...)
	for i, f := range out.Files {
		if bytes.Contains(f.Bytes, []byte(old)) {
			out.Files[i].Bytes = bytes.Replace(f.Bytes, []byte(old), []byte(text), 1)
		}
	}
	return &out
}

// BenchmarkFirst measures the first load, and what is kept of it.
func BenchmarkFirst(b *testing.B) {
	for _, files := range []int{100, 1} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			base := benchSnapshot(files)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var ld *Loader
			for b.Loop() {
				ld = NewLoader()
				if r := ld.Load(base, Options{Now: testNow}); r.HasErrors() || ld.state == nil {
					b.Fatal(r.Diagnostics)
				}
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-kept")
			runtime.KeepAlive(ld)
		})
	}
}
