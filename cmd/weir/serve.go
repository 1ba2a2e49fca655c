package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/config/source"
	"github.com/weirproxy/weir/envoy"
	"github.com/weirproxy/weir/xds"
)

const serveLong = `Watches the files of a configuration and serves them to Envoys over xDS.

Each save is live in every connected Envoy within milliseconds, or is refused with a message that points at the
line while the last good configuration serves on. Serving starts even when the first load fails; /readyz on the
admin address tells when there is something to serve. SIGHUP loads now. SIGTERM and SIGINT stop weir; Envoys keep
what they have.

xDS is served without TLS, so the address has to be this machine's own or a Unix socket, unless --insecure says that
everyone who can reach it may read the private keys of listeners.`

// shutdownWithin bounds how long open requests to the admin address may hold up the end.
const shutdownWithin = 2 * time.Second

// serving is what serve and run have in common.
type serving struct {
	conf         configuration
	xdsAddress   string
	adminAddress string
	insecure     bool
	allowEmpty   bool
	stateDir     string
}

func (a *app) serveCommand() *cobra.Command {
	var o serving
	cmd := &cobra.Command{
		Use:     "serve [PATH]",
		Short:   "Run the control plane",
		Long:    serveLong,
		Example: "  weir serve --xds-address unix:///run/weir/xds.sock /etc/weir",
		Args:    onePath,
	}
	o.addTo(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.check(cmd, args); err != nil {
			return err
		}
		return a.serve(cmd.Context(), &o, nil)
	}
	return cmd
}

// check refuses what cannot be mended while weir runs.
func (o *serving) check(cmd *cobra.Command, args []string) error {
	for _, v := range o.conf.vars {
		if !strings.Contains(v, "=") {
			return usage(cmd, fmt.Errorf("--var takes NAME=VALUE, and %q has no =", v))
		}
	}
	return pathOnDisk(cmd, args, &o.conf.path)
}

func (o *serving) addTo(cmd *cobra.Command) {
	o.conf.addTo(cmd)
	o.xdsAddress, o.adminAddress = defaultXDSAddress, defaultAdminAddress
	textFlag(cmd, &o.xdsAddress, "xds-address", "ADDRESS", "where Envoys are served, HOST:PORT or unix:///PATH")
	textFlag(cmd, &o.adminAddress, "admin-address", "HOST:PORT", "where health, metrics and the API are")
	cmd.Flags().BoolVar(&o.insecure, "insecure", false, "let xDS be reached from other machines without TLS")
	textFlag(cmd, &o.stateDir, "state-dir", "DIR", "keep the last good generation here, and serve it after a start with broken files")
	cmd.Flags().BoolVar(&o.allowEmpty, "allow-empty", false, "accept a configuration without any block, which removes everything")
}

// serve runs until a signal or ctx ends it. Both addresses are open before anything else happens. runner is nil where
// somebody else starts the Envoys.
func (a *app) serve(ctx context.Context, o *serving, runner *envoy.RunnerOptions) error {
	signal.Ignore(syscall.SIGPIPE) // a log that nobody reads any more must not end a gateway
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	xdsListener, err := listenXDS(ctx, "xds-address", o.xdsAddress, o.insecure)
	if err != nil {
		return err
	}
	defer xdsListener.Close()
	adminListener, err := listenTCP(ctx, "admin-address", o.adminAddress)
	if err != nil {
		return err
	}
	defer adminListener.Close()
	watcher, err := source.NewWatcher(source.Options{Path: o.conf.path, Log: a.log, Blocks: blocksOf})
	if err != nil {
		return fmt.Errorf("watch %s: %w", o.conf.path, err)
	}
	group, ctx := errgroup.WithContext(ctx)
	l := a.newLoop(o, watcher)
	if runner != nil {
		runner.Bootstrap.XDSAddress = dialable(xdsListener)
		l.fleet = newFleet(ctx, *runner, a.log)
	}
	if o.stateDir != "" {
		if l.keeper, err = newKeeper(o.stateDir, stateFile, a.log); err != nil {
			return err
		}
	}
	first := *l.state.Load()
	first.XDSAddress, first.AdminAddress = addressOf(xdsListener), addressOf(adminListener)
	l.state.Store(&first)
	a.announce(o, &first)

	group.Go(func() error { return watcher.Run(ctx) })
	group.Go(func() error { return l.server.Serve(ctx, xdsListener) })
	group.Go(func() error { return serveAdmin(ctx, adminListener, a.adminServer(l, o, adminListener)) })
	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	if l.keeper != nil {
		group.Go(func() error { l.keeper.run(keeping); return nil })
	}
	group.Go(func() error {
		defer stopKeeping() // what the loop did last is kept too
		l.run(ctx, hangups(ctx))
		if l.fleet != nil {
			l.fleet.wait()
		}
		return nil
	})
	err = group.Wait()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	a.log.Info("weir has stopped")
	return nil
}

func (a *app) announce(o *serving, s *admin.State) {
	a.log.Info("weir serves", "config", o.conf.path, "xds", s.XDSAddress, "admin", s.AdminAddress, "version", s.Version)
	if host, _, err := net.SplitHostPort(s.AdminAddress); err == nil && !isLoopback(host) {
		a.log.Warn("the admin address is open to other machines: whoever reaches it can read the configuration and have it loaded again",
			"admin", s.AdminAddress)
	}
}

func (a *app) newLoop(o *serving, watcher *source.Watcher) *loop {
	color, width := a.terminal(a.stderr)
	l := &loop{
		loader: loader{
			options:    func(s *source.Snapshot) config.Options { return o.conf.optionsFor(a, s) },
			last:       config.NewLoader(),
			allowEmpty: o.allowEmpty, log: a.log, stderr: a.stderr, color: color, width: width,
			logsDiagnostics: a.logsJSON,
		},
		log: a.log, watcher: watcher, reloads: make(chan chan<- *admin.Attempt), refusals: newRefusalQueue(),
		stopped: make(chan struct{}), accepted: map[string]*xds.Set{}, sent: map[string][]string{}, withdrawn: map[string]withdrawal{},
	}
	l.state.Store(&admin.State{Version: thisBuild().Version, StartedAt: time.Now().UTC(), Path: o.conf.path})
	l.published.Store(new(publication))
	l.server = xds.NewServer(xds.Options{Log: a.log, Refused: l.refusals.add})
	l.metrics = admin.NewMetrics(thisBuild().Version, l.connected, l.state.Load)
	return l
}

func (a *app) adminServer(l *loop, o *serving, listener net.Listener) *http.Server {
	host, _, _ := net.SplitHostPort(o.adminAddress) // it has been listened on
	options := admin.Options{
		Listen: listener.Addr(), Host: host, State: l.state.Load, Proxies: l.proxies, Reload: l.reload, Metrics: l.metrics,
		Health: l.health,
	}
	if l.fleet != nil {
		options.Envoys = l.fleet.states
	}
	return admin.NewServer(options, a.log)
}

func serveAdmin(ctx context.Context, l net.Listener, server *http.Server) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the admin address: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // the listener was closed already
	}
	<-ended
	return nil
}

// hangups has a value for each SIGHUP until ctx ends.
func hangups(ctx context.Context) <-chan struct{} {
	signals, out := make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			select {
			case out <- struct{}{}:
			default: // a reload is due already
			}
		}
	}()
	return out
}

// blocksOf tells the watcher which blocks a text holds, so that it waits longer for a file that seems to lose some.
func blocksOf(name string, text []byte) []string {
	return lang.BlockNames(lang.File{Name: name, Bytes: text})
}

// dialable is where an Envoy on this machine reaches the listener.
func dialable(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addressOf(l)
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}
