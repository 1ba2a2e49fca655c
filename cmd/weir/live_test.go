package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirproxy/weir/admin"
)

// patience is how long a test waits for what should take milliseconds, on a machine that is busy with other tests.
const patience = 20 * time.Second

// buffer collects what weir writes while the test reads it.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// result is what a command that has ended left.
type result struct {
	stdout, stderr string
	status         int
}

// weir runs a command to its end, with nothing in the environment and nothing on standard input.
func weir(args ...string) result {
	var stdout, stderr buffer
	status := run(context.Background(), args, strings.NewReader(""), &stdout, &stderr, nil)
	return result{stdout.String(), stderr.String(), status}
}

// live is a weir that serves.
type live struct {
	t      *testing.T
	stderr *buffer
	stop   context.CancelFunc
	ended  chan struct{}
	status int // exit status, once ended is closed
	admin  string
	xds    string
}

// serve starts weir over a path, at ports that are free, and waits until it listens.
func serve(t *testing.T, path string, args ...string) *live {
	t.Helper()
	return start(t, append([]string{"serve", path, "--xds-address", "127.0.0.1:0"}, args...)...)
}

func start(t *testing.T, args ...string) *live {
	t.Helper()
	return launch(t, "weir serves", args[0], func(w *live) {
		line := w.logged("weir serves")[0]
		w.admin, w.xds = line["admin"].(string), line["xds"].(string)
	}, append(args[1:], "--admin-address", "127.0.0.1:0")...)
}

// launch starts a command that serves, and takes its addresses once it has logged the words that say that it listens.
func launch(t *testing.T, words, command string, addresses func(*live), flags ...string) *live {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	w := &live{t: t, stderr: new(buffer), stop: stop, ended: make(chan struct{})}
	args := append([]string{command, "--log-format", "json"}, flags...)
	go func() {
		w.status = run(ctx, args, strings.NewReader(""), io.Discard, w.stderr, nil)
		close(w.ended)
	}()
	t.Cleanup(func() {
		stop()
		<-w.ended
		if t.Failed() {
			t.Logf("weir %s\n%s", strings.Join(args, " "), w.stderr)
		}
	})
	w.await("it listens", func() bool { return len(w.logged(words)) > 0 })
	addresses(w)
	return w
}

// logged are the log lines with a message that starts with the words.
func (w *live) logged(words string) []map[string]any {
	var lines []map[string]any
	scanner := bufio.NewScanner(strings.NewReader(w.stderr.String()))
	for scanner.Scan() {
		var line map[string]any
		if json.Unmarshal(scanner.Bytes(), &line) != nil {
			continue // a diagnostic, or a line that is being written
		}
		if message, _ := line["msg"].(string); strings.HasPrefix(message, words) {
			lines = append(lines, line)
		}
	}
	return lines
}

// await polls until a condition holds.
func (w *live) await(what string, condition func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
		select {
		case <-w.ended:
			w.t.Fatalf("weir ended with %d before %s\n%s", w.status, what, w.stderr)
		default:
		}
	}
	w.t.Fatalf("not within %v: %s", patience, what)
}

// get asks the admin API.
func (w *live) get(path string, document any) int {
	w.t.Helper()
	status, body := w.page(path)
	if document != nil {
		if err := json.Unmarshal(body, document); err != nil {
			w.t.Fatalf("%s: %v in %s", path, err, body)
		}
	}
	return status
}

// page reads something of the admin address.
func (w *live) page(path string) (status int, body []byte) {
	w.t.Helper()
	r, err := http.Get("http://" + w.admin + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err = io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return r.StatusCode, body
}

func (w *live) current() admin.Status {
	w.t.Helper()
	var s admin.Status
	w.get("/api/v1/status", &s)
	return s
}

// awaitAttempt waits for an attempt after the given moment with the outcome, and returns the status with it.
func (w *live) awaitAttempt(after time.Time, outcome admin.Outcome) admin.Status {
	w.t.Helper()
	var s admin.Status
	w.await("an attempt is "+string(outcome), func() bool {
		s = w.current()
		return s.LastAttempt != nil && s.LastAttempt.At.After(after) && s.LastAttempt.Outcome == outcome
	})
	return s
}

// reload runs `weir reload` against it.
func (w *live) reload() result { return weir("reload", "--admin-address", w.admin) }

// gateway is a configuration with one mock API whose body is the text.
func gateway(text string) string {
	return fmt.Sprintf(`vpc "main" {}
instance "edge" {
  vpc = vpc.main
  listener "http" { port = 8080 }
}
service "shop" {
  instance = instance.edge
  api "all" {
    backend {
      mock {
        status = 200
        body   = %q
      }
    }
  }
}
`, text)
}

// directory is a configuration with one file, main.hcl.
func directory(t *testing.T, text string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "gateway")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, dir, text)
	return dir
}

// write saves main.hcl as an editor does, by rename.
func write(t *testing.T, dir, text string) {
	t.Helper()
	temporary := filepath.Join(dir, ".main.hcl.tmp")
	if err := os.WriteFile(temporary, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, filepath.Join(dir, "main.hcl")); err != nil {
		t.Fatal(err)
	}
}
