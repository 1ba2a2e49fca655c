package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirproxy/weir/admin"
)

func TestServeFollowsTheFiles(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	if !first.Ready || first.Generation == "" || first.Generation != first.LastAttempt.Generation || first.LoadedAt == nil {
		t.Fatalf("after the first load: %+v", first)
	}

	write(t, dir, gateway("two"))
	second := w.awaitAttempt(first.LastAttempt.At, admin.Applied)
	if second.Generation == first.Generation {
		t.Error("another body, but the same generation")
	}

	write(t, dir, gateway("three")+"nonsense {\n")
	bad := w.awaitAttempt(second.LastAttempt.At, admin.Invalid)
	if bad.Generation != second.Generation || !bad.Ready || !bad.LoadedAt.Equal(*second.LoadedAt) {
		t.Errorf("an invalid edit changed what serves: %+v", bad)
	}
	if len(bad.LastAttempt.Diagnostics) < 10 || !strings.Contains(bad.LastAttempt.Report, "nonsense") {
		t.Errorf("the attempt does not say what is wrong: %+v", bad.LastAttempt)
	}
	lines := w.logged("configuration invalid")
	if len(lines) != 1 || lines[0]["file"] != filepath.Join(dir, "main.hcl") || lines[0]["line"].(float64) < 17 ||
		len(lines[0]["diagnostics"].([]any)) == 0 {
		t.Errorf("logged %v", lines)
	}

	write(t, dir, "# a comment\n"+gateway("two"))
	third := w.awaitAttempt(bad.LastAttempt.At, admin.Unchanged)
	if third.Generation != second.Generation || !third.LoadedAt.Equal(*second.LoadedAt) {
		t.Errorf("a comment changed what serves: %+v", third)
	}
	if got, was := third.Instances[0].Place.Line, second.Instances[0].Place.Line; got != was+1 {
		t.Errorf("the instance is said to stand in line %d, want %d", got, was+1)
	}
	for message, want := range map[string]int{"configuration applied": 2, "configuration invalid": 1, "configuration unchanged": 1} {
		if got := len(w.logged(message)); got != want {
			t.Errorf("%d log lines %q, want %d", got, message, want)
		}
	}
}

func TestServeStartsWithoutAConfiguration(t *testing.T) {
	for name, test := range map[string]struct {
		text    string
		outcome admin.Outcome
	}{
		"mistakes":  {"upstream {", admin.Invalid},
		"no block":  {"# nothing yet\n", admin.Invalid},
		"zero byte": {"", admin.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			dir := directory(t, test.text)
			w := serve(t, dir)
			s := w.awaitAttempt(time.Time{}, test.outcome)
			if s.Ready || s.Generation != "" || s.LoadedAt != nil || w.get("/readyz", nil) != http.StatusServiceUnavailable {
				t.Errorf("ready without a configuration: %+v", s)
			}
			if w.get("/healthz", nil) != http.StatusOK {
				t.Error("not alive")
			}
			write(t, dir, gateway("one"))
			w.awaitAttempt(s.LastAttempt.At, admin.Applied)
			if w.get("/readyz", nil) != http.StatusOK {
				t.Error("not ready after a good load")
			}
		})
	}
}

func TestServeRefusesToLoseEverything(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	write(t, dir, "# all gone\n")
	s := w.awaitAttempt(first.LastAttempt.At, admin.Invalid)
	if s.Generation != first.Generation || !strings.Contains(s.LastAttempt.Error, "--allow-empty") {
		t.Errorf("%+v", s.LastAttempt)
	}
}

func TestServeAllowEmpty(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir, "--allow-empty")
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	write(t, dir, "# all gone\n")
	second := w.awaitAttempt(first.LastAttempt.At, admin.Applied)
	if second.Generation == first.Generation || second.Counts.Instances != 0 {
		t.Errorf("%+v", second)
	}
	if err := os.Remove(filepath.Join(dir, "main.hcl")); err != nil {
		t.Fatal(err)
	}
	w.awaitAttempt(second.LastAttempt.At, admin.Unchanged)
}

func TestServeDirectoryVanishesAndComesBack(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	gone := w.awaitAttempt(first.LastAttempt.At, admin.Failed)
	if gone.Generation != first.Generation || gone.LastAttempt.Error == "" || !gone.Ready {
		t.Errorf("%+v", gone)
	}
	if r := w.reload(); r.status != 1 || !strings.HasPrefix(r.stdout, "failed") || !strings.Contains(r.stderr, "no such file") {
		t.Errorf("reload of what is not there: %+v", r)
	}
	gone = w.current()
	write(t, dir+".away", gateway("two"))
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	back := w.awaitAttempt(gone.LastAttempt.At, admin.Applied)
	if back.Generation == first.Generation {
		t.Error("the edit that was made meanwhile is not seen")
	}
}

func TestReload(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	if r := w.reload(); r.status != 0 || !strings.HasPrefix(r.stdout, "unchanged "+first.Generation) || r.stderr != "" {
		t.Errorf("reload of the same: %+v", r)
	}
	write(t, dir, "nonsense {\n")
	w.awaitAttempt(first.LastAttempt.At, admin.Invalid)
	if r := w.reload(); r.status != 1 || !strings.HasPrefix(r.stdout, "invalid") || !strings.Contains(r.stderr, "nonsense {") {
		t.Errorf("reload of mistakes: %+v", r)
	}
	if r := weir("reload", "--admin-address", w.admin, "-o", "json"); r.status != 1 || !strings.Contains(r.stdout, `"outcome": "invalid"`) {
		t.Errorf("reload of mistakes as JSON: %+v", r)
	}
	write(t, dir, gateway("two"))
	if r := w.reload(); r.status != 0 || strings.HasPrefix(r.stdout, "invalid") {
		t.Errorf("reload of what is good again: %+v", r)
	}
}

func TestReloadsAtOnce(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	w.awaitAttempt(time.Time{}, admin.Applied)
	results := make(chan result)
	for range 8 {
		go func() { results <- w.reload() }()
	}
	for range 8 {
		if r := <-results; r.status != 0 || !strings.HasPrefix(r.stdout, "unchanged ") {
			t.Errorf("%+v", r)
		}
	}
}

// The outcome that reload reports is that of the text that was there when it was called, each time.
func TestReloadAfterEachEdit(t *testing.T) {
	dir := directory(t, gateway("one"))
	w := serve(t, dir)
	w.awaitAttempt(time.Time{}, admin.Applied)
	for i := range 20 {
		write(t, dir, gateway("one")+"nonsense {\n")
		if r := w.reload(); r.status != 1 {
			t.Fatalf("round %d, mistakes: %+v", i, r)
		}
		write(t, dir, gateway("one"))
		if r := w.reload(); r.status != 0 {
			t.Fatalf("round %d, none: %+v", i, r)
		}
	}
}

func TestServeTextLog(t *testing.T) {
	dir := directory(t, "nonsense {\n")
	ctx, stop := context.WithCancel(context.Background())
	stderr, ended := new(buffer), make(chan int)
	go func() {
		ended <- run(ctx, []string{"serve", dir, "--xds-address", "127.0.0.1:0", "--admin-address", "127.0.0.1:0"},
			strings.NewReader(""), new(buffer), stderr, nil)
	}()
	said := func() bool { return strings.Contains(stderr.String(), "configuration invalid") }
	for deadline := time.Now().Add(patience); !said() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if status := <-ended; status != 0 || !strings.Contains(stderr.String(), "  1: nonsense {\n") || !said() {
		t.Errorf("status %d\n%s", status, stderr)
	}
}

func TestUpstreamsOfARunningWeir(t *testing.T) {
	w := serve(t, directory(t, string(shortest)))
	w.awaitAttempt(time.Time{}, admin.Applied)
	if r := weir("upstreams", "--admin-address", w.admin); r.status != 0 || !strings.Contains(r.stdout, "orders  main  http") {
		t.Errorf("%+v", r)
	}
	if r := weir("upstreams", "orders", "--admin-address", w.admin); r.status != 0 || !strings.Contains(r.stdout, "50.0%") || !strings.Contains(r.stdout, "shop/all") {
		t.Errorf("%+v", r)
	}
	if r := weir("upstreams", "order", "--admin-address", w.admin); r.status != 1 || !strings.Contains(r.stderr, `Did you mean "orders"?`) {
		t.Errorf("%+v", r)
	}
	if r := weir("__complete", "upstreams", "--admin-address", w.admin, ""); !strings.HasPrefix(r.stdout, "orders\n") {
		t.Errorf("%+v", r)
	}
}

func TestReloadBySignal(t *testing.T) {
	w := serve(t, directory(t, gateway("one")))
	first := w.awaitAttempt(time.Time{}, admin.Applied)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	w.awaitAttempt(first.LastAttempt.At, admin.Unchanged)
}

func TestServeStopsBySignal(t *testing.T) {
	w := serve(t, directory(t, gateway("one")))
	w.awaitAttempt(time.Time{}, admin.Applied)
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.ended:
	case <-time.After(patience):
		t.Fatal("SIGTERM does not end it")
	}
	if w.status != 0 {
		t.Errorf("exit status %d after SIGTERM", w.status)
	}
}

func TestServeAddresses(t *testing.T) {
	dir := directory(t, gateway("one"))
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"xds taken":     {[]string{"--xds-address", taken.Addr().String()}, "choose another with --xds-address or WEIR_XDS_ADDRESS"},
		"admin taken":   {[]string{"--xds-address", "127.0.0.1:0", "--admin-address", taken.Addr().String()}, "--admin-address " + taken.Addr().String() + " is taken"},
		"every address": {[]string{"--xds-address", "0.0.0.0:0"}, "--insecure"},
		"no host":       {[]string{"--xds-address", ":0"}, "--insecure"},
		"a name":        {[]string{"--xds-address", "weir.example:0"}, "--insecure"},
		"no port":       {[]string{"--xds-address", "127.0.0.1"}, "want HOST:PORT or unix:///PATH"},
		"relative unix": {[]string{"--xds-address", "unix://weir.sock"}, "must be absolute"},
	} {
		t.Run(name, func(t *testing.T) {
			r := weir(append([]string{"serve", dir, "--admin-address", "127.0.0.1:0"}, test.args...)...)
			if r.status != 1 || !strings.Contains(r.stderr, test.want) || r.stdout != "" || strings.Contains(r.stderr, "level=INFO") {
				t.Errorf("%+v, want %q", r, test.want)
			}
		})
	}
}

func TestServeInsecure(t *testing.T) {
	w := start(t, "serve", directory(t, gateway("one")), "--xds-address", "0.0.0.0:0", "--insecure")
	w.awaitAttempt(time.Time{}, admin.Applied)
}

func TestServeUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xds.sock")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = left.Close() // as after a kill: the socket is there and nobody listens
	dir := directory(t, gateway("one"))
	w := start(t, "serve", dir, "--xds-address", "unix://"+path)
	if s := w.awaitAttempt(time.Time{}, admin.Applied); s.XDSAddress != "unix://"+path {
		t.Errorf("serves at %q", s.XDSAddress)
	}
	if r := weir("serve", dir, "--xds-address", "unix://"+path, "--admin-address", "127.0.0.1:0"); r.status != 1 || !strings.Contains(r.stderr, "is taken") {
		t.Errorf("a second weir at the socket: %+v", r)
	}
	connection, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the second weir took the socket from the first: %v", err)
	}
	_ = connection.Close()
}

func TestServeWarnsOfAnOpenAdminAddress(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stderr, ended := new(buffer), make(chan int)
	go func() {
		ended <- run(ctx, []string{"serve", directory(t, gateway("one")), "--xds-address", "127.0.0.1:0", "--admin-address", "0.0.0.0:0"},
			strings.NewReader(""), new(buffer), stderr, nil)
	}()
	for deadline := time.Now().Add(patience); !strings.Contains(stderr.String(), "open to other machines") && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if status := <-ended; status != 0 || !strings.Contains(stderr.String(), "open to other machines") {
		t.Errorf("status %d\n%s", status, stderr)
	}
}
