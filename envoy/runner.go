package envoy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// How an Envoy that ends is started again: soon, so that a killed one is hardly missed, and ever more slowly while it
// keeps ending, so that a hopeless one does not eat the machine.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
	stableRun  = 10 * time.Second // whoever ran this long starts again at firstPause
)

// DefaultDrainTime is how long a stopping Envoy may take to finish the requests that it has.
const DefaultDrainTime = 10 * time.Second

// listenerDrainTime is how long a connection lives on after an edit that changed its listener. When it is over, Envoy cuts
// what still runs, so it is longer than requests are; and since the "immediate" strategy has each connection closed after its
// next answer, nobody sees the listener of before for as long as that.
const listenerDrainTime = time.Hour

// RunnerOptions says which Envoy to run and how.
type RunnerOptions struct {
	Path        string           // Envoy's binary, from Find
	Bootstrap   BootstrapOptions // an empty AdminAddress is a free port on loopback
	Concurrency int              // worker threads; 0: as many as Envoy thinks right
	DrainTime   time.Duration    // of one that is stopped; 0: DefaultDrainTime
	Log         *slog.Logger     // also takes Envoy's own warnings and errors
	Output      io.Writer        // takes whole lines of Envoy's standard output, its access log; nil: nobody does
}

// State is what a Runner's Envoy is doing, for status.
type State struct {
	Instance     string
	PID          int // 0: none is running
	AdminAddress string
	Ready        bool      // it has its configuration and takes requests
	StartedAt    time.Time // of the one that is running
	Restarts     int       // starts after the first
	LastExit     string    // how the one before ended; "" when none has
}

// Runner keeps one Envoy running.
type Runner struct {
	options   RunnerOptions
	bootstrap []byte
	log       *slog.Logger

	mu    sync.Mutex
	state State
}

// NewRunner checks the options; it starts nothing.
func NewRunner(o RunnerOptions) (*Runner, error) {
	if o.Bootstrap.AdminAddress == "" {
		o.Bootstrap.AdminAddress = "127.0.0.1:0"
	}
	if o.DrainTime == 0 {
		o.DrainTime = DefaultDrainTime
	}
	b, err := Bootstrap(o.Bootstrap)
	if err != nil {
		return nil, err
	}
	data, err := MarshalJSON(b)
	if err != nil {
		return nil, err
	}
	return &Runner{
		options:   o,
		bootstrap: data,
		log:       o.Log.With("instance", o.Bootstrap.Instance),
		state:     State{Instance: o.Bootstrap.Instance},
	}, nil
}

// State is what the Envoy is doing now.
func (r *Runner) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// update changes the state under its lock.
func (r *Runner) update(change func(*State)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.state)
}

// Run starts Envoy, starts it again whenever it ends, and returns when ctx has ended and the last Envoy is gone. An Envoy
// that cannot be started is tried again for ever: what is wrong (a binary that is being replaced, a port) may pass.
func (r *Runner) Run(ctx context.Context) {
	pause := firstPause
	for ctx.Err() == nil {
		started := time.Now()
		err := r.runOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		pause = nextPause(pause, time.Since(started))
		r.update(func(s *State) {
			s.PID, s.Ready, s.AdminAddress, s.StartedAt = 0, false, "", time.Time{}
			s.LastExit = err.Error()
			s.Restarts++
		})
		r.log.Error("envoy ended and is started again", "err", err, "in", pause.String())
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// nextPause is the pause after a run: within the bounds, and short again after a long run.
func nextPause(pause, ran time.Duration) time.Duration {
	if ran >= stableRun {
		return firstPause
	}
	return min(max(pause, firstPause), lastPause)
}

// runOnce is the life of one Envoy. It returns how it ended; nil only when ctx has ended.
func (r *Runner) runOnce(ctx context.Context) error {
	// A new directory for each start: /tmp may have been cleaned since the last one.
	dir, err := os.MkdirTemp("", "weir-envoy-")
	if err != nil {
		return fmt.Errorf("start envoy: %w", err)
	}
	defer os.RemoveAll(dir)
	config := filepath.Join(dir, "bootstrap.json")
	if err := os.WriteFile(config, r.bootstrap, 0o600); err != nil {
		return fmt.Errorf("start envoy: %w", err)
	}
	adminFile := filepath.Join(dir, "admin")
	output := newLogWriter(r.log)
	p, err := startProcess(r.options.Path, r.arguments(config, adminFile), &lineWriter{to: r.options.Output}, output)
	if err != nil {
		return fmt.Errorf("start envoy: %w", err)
	}
	r.update(func(s *State) { s.PID, s.StartedAt = p.pid, time.Now() })
	r.log.Debug("envoy started", "pid", p.pid)
	client := r.watch(ctx, p, adminFile)
	select {
	case <-p.done:
		output.finish()
		return describeExit(p.err, output.lastError())
	default:
	}
	r.stop(p, client, output)
	r.update(func(s *State) { s.PID, s.Ready, s.AdminAddress, s.StartedAt = 0, false, "", time.Time{} })
	return nil
}

// arguments is Envoy's command line.
func (r *Runner) arguments(config, adminFile string) []string {
	arguments := []string{
		"-c", config,
		"--admin-address-path", adminFile,
		"--disable-hot-restart", // or two Envoys of one machine take each other for parent and child
		"--drain-time-s", strconv.Itoa(int(listenerDrainTime.Seconds())),
		"--drain-strategy", "immediate",
		"--log-level", "warning",
		"--log-format", envoyLogFormat,
		"--file-flush-interval-msec", "1000", // of access logs; Envoy's own is 10 s, too long for who looks at one
	}
	if r.options.Concurrency > 0 {
		arguments = append(arguments, "--concurrency", strconv.Itoa(r.options.Concurrency))
	}
	return arguments
}

// How often a starting Envoy is asked whether it is ready: at first often, since it takes a tenth of a second, then
// less, since one without a configuration can be at it for days.
const (
	firstProbe = 20 * time.Millisecond
	lastProbe  = time.Second
)

// watch waits until the process ends or ctx does, and notes meanwhile that Envoy became ready. It returns the client of
// the admin API, nil when Envoy never got that far.
func (r *Runner) watch(ctx context.Context, p *process, adminFile string) *adminClient {
	var client *adminClient
	for wait := firstProbe; ; wait = min(wait*5/4, lastProbe) {
		select {
		case <-p.done:
			return client
		case <-ctx.Done():
			if client == nil { // it may take requests since we looked last, and they are to be finished
				client = r.findAdmin(adminFile)
			}
			return client
		case <-time.After(wait):
		}
		if client == nil {
			client = r.findAdmin(adminFile)
		}
		if client != nil && client.ready(ctx) {
			break
		}
	}
	r.becameReady(p)
	select {
	case <-p.done:
	case <-ctx.Done():
	}
	return client
}

// findAdmin reads the address that Envoy writes once its admin API listens; nil: not yet.
func (r *Runner) findAdmin(adminFile string) *adminClient {
	address, err := os.ReadFile(adminFile)
	if err != nil || len(address) == 0 {
		return nil
	}
	r.update(func(s *State) { s.AdminAddress = string(address) })
	return newAdminClient(string(address))
}

// becameReady says once per process that requests are taken.
func (r *Runner) becameReady(p *process) {
	var took time.Duration
	r.update(func(s *State) {
		s.Ready = true
		took = time.Since(s.StartedAt)
	})
	r.log.Info("envoy is ready", "pid", p.pid, "admin", r.State().AdminAddress, "took", took.Round(time.Millisecond).String())
}

// describeExit joins how the process ended with the last thing that it complained of before it gave up by itself.
func describeExit(err error, complaint string) error {
	if err == nil {
		err = errors.New("exit status 0")
	}
	var exit *exec.ExitError
	if complaint == "" || errors.As(err, &exit) && !exit.Exited() {
		return fmt.Errorf("envoy: %w", err)
	}
	return fmt.Errorf("envoy: %w: %s", err, complaint)
}
