package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"

	"github.com/weirproxy/weir/admin"
)

// kept waits until a state file, weir's or a standby's, holds a generation that can be used.
func kept(w *live, state, generation string) {
	w.await("generation "+generation+" is kept", func() bool {
		files, _ := filepath.Glob(filepath.Join(state, "*.state"))
		return slices.ContainsFunc(files, func(file string) bool {
			p, err := (&keeper{file: file}).restore()
			return err == nil && p.generation == generation
		})
	})
}

func TestStateSurvivesBrokenFiles(t *testing.T) {
	dir, state := directory(t, gateway("one")), filepath.Join(t.TempDir(), "state")
	w := serve(t, dir, "--state-dir", state)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	kept(w, state, first.Generation)
	write(t, dir, gateway("two"))
	second := w.awaitAttempt(first.LastAttempt.At, admin.Applied)
	w.stop() // with a generation that may not have been written yet
	kept(w, state, second.Generation)
	if info, err := os.Stat(filepath.Join(state, stateFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with private keys has mode %v, %v", info.Mode(), err)
	}

	write(t, dir, "nonsense {\n")
	w = serve(t, dir, "--state-dir", state)
	s := w.awaitAttempt(time.Time{}, admin.Invalid)
	if !s.Ready || s.Generation != second.Generation || s.Restored == nil || !s.Restored.LoadedAt.Equal(*second.LoadedAt) {
		t.Errorf("after a start with broken files: %+v", s)
	}
	got := make(chan string, 8)
	proxy(t, w.xds, "edge", func(r *discoveryv3.DeltaDiscoveryResponse) string {
		for _, one := range r.Resources {
			got <- one.Name + " " + string(one.Resource.Value)
		}
		return ""
	})
	if listener, scope, routes := <-got, <-got, <-got; !strings.HasPrefix(listener, "0.0.0.0:8080 ") || !strings.Contains(routes, "two") {
		t.Errorf("a proxy is sent %q, %q and %q", listener, scope, routes)
	}
	if w.get("/readyz", nil) != 200 || w.get("/api/v1/instances", nil) != 200 || w.get("/api/v1/upstreams", nil) != 503 {
		t.Error("the admin address does not tell what serves")
	}
	lines := w.logged("the files cannot be loaded: the generation that was kept serves until they can")
	if len(lines) != 1 || lines[0]["generation"] != second.Generation || lines[0]["level"] != "ERROR" {
		t.Errorf("logged %v", lines)
	}
	if r := weir("status", "--admin-address", w.admin); !strings.Contains(r.stdout, "kept in the state directory") || !strings.Contains(r.stdout, "nonsense") {
		t.Errorf("status prints %+v", r)
	}

	write(t, dir, gateway("two"))
	same := w.awaitAttempt(s.LastAttempt.At, admin.Unchanged)
	if same.Restored != nil || same.Counts.APIs == 0 {
		t.Errorf("after the files were mended: %+v", same)
	}
	write(t, dir, gateway("three"))
	w.awaitAttempt(same.LastAttempt.At, admin.Applied)
	if routes := <-got; !strings.Contains(routes, "three") {
		t.Errorf("a proxy is sent %q", routes)
	}
}

func TestStateThatCannotBeUsed(t *testing.T) {
	good := filepath.Join(t.TempDir(), "state")
	w := serve(t, directory(t, gateway("one")), "--state-dir", good)
	s := w.awaitAttempt(time.Time{}, admin.Applied)
	kept(w, good, s.Generation)
	data, err := os.ReadFile(filepath.Join(good, stateFile))
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte{}, data...)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{
		"cut off": data[:len(data)-10], "empty": {}, "one bit": flipped, "something else": []byte("hello\n"),
	} {
		t.Run(name, func(t *testing.T) {
			dir, state := directory(t, "nonsense {\n"), t.TempDir()
			if err := os.WriteFile(filepath.Join(state, stateFile), content, 0o600); err != nil {
				t.Fatal(err)
			}
			w := serve(t, dir, "--state-dir", state)
			s := w.awaitAttempt(time.Time{}, admin.Invalid)
			if s.Ready || s.Restored != nil || len(w.logged("the state directory holds nothing that can be served")) != 1 {
				t.Errorf("%+v", s)
			}
			write(t, dir, gateway("one"))
			kept(w, state, w.awaitAttempt(s.LastAttempt.At, admin.Applied).Generation)
		})
	}
}

// Whatever cannot be written, weir serves.
func TestStateThatCannotBeWritten(t *testing.T) {
	dir, state := directory(t, gateway("one")), t.TempDir()
	if err := os.Mkdir(filepath.Join(state, stateFile), 0o700); err != nil {
		t.Fatal(err)
	}
	w := serve(t, dir, "--state-dir", state)
	w.awaitAttempt(time.Time{}, admin.Applied)
	w.await("the failure is logged", func() bool {
		return len(w.logged("the last good generation could not be kept; a start that needs it would serve an older one, or none")) == 1
	})
	if left, err := os.ReadDir(state); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := os.Remove(filepath.Join(state, stateFile)); err != nil {
		t.Fatal(err)
	}
	kept(w, state, w.current().Generation)
	if r := weir("serve", dir, "--state-dir", filepath.Join(dir, "main.hcl"), "--xds-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0"); r.status != 1 || !strings.Contains(r.stderr, "--state-dir") {
		t.Errorf("a file in the place of the directory: %+v", r)
	}
}
