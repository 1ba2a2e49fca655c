package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/xds"
)

const standbyLong = `Stands by on Envoy's machine, so that an Envoy that starts while weir is away serves what weir published last.

It follows the weir at --xds-address and keeps what that publishes for one instance, in memory and in --state-dir. An
Envoy whose bootstrap names it ("weir bootstrap --standby-address") asks it only while weir does not answer or has
nothing to serve, and is sent back to weir, with what it has, as soon as weir is there again.

The file there is INSTANCE.state. It may be put there beforehand: a copy of another standby's, or of last-good.state of
"weir serve --state-dir". It holds private keys, as the stream of xDS does: it is for its owner only, and without TLS
--standby-address has to be this machine's own or a Unix socket, unless --insecure says otherwise.`

// defaultStandbyAddress is where a standby serves Envoys. A bootstrap has none unless told.
const defaultStandbyAddress = "127.0.0.1:18002"

// standbyOptions are the flags.
type standbyOptions struct {
	instance, node string
	xdsAddress     string
	address        string
	stateDir       string
	insecure       bool
}

func (a *app) standbyCommand() *cobra.Command {
	o := standbyOptions{xdsAddress: defaultXDSAddress, address: defaultStandbyAddress}
	cmd := &cobra.Command{
		Use:               "standby",
		Short:             "Keep what weir publishes, for Envoys that start while it is away",
		Long:              standbyLong,
		Example:           "  weir standby --instance edge --xds-address weir.internal:18000 --state-dir /var/lib/weir",
		Args:              noArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	textFlag(cmd, &o.instance, "instance", "NAME", "which instance")
	textFlag(cmd, &o.node, "node-id", "NAME", "this standby's name in weir's status (default the host's name)")
	textFlag(cmd, &o.xdsAddress, "xds-address", "ADDRESS", "where weir serves, HOST:PORT or unix:///PATH")
	textFlag(cmd, &o.address, "standby-address", "ADDRESS", "where Envoys are served while weir is away, HOST:PORT or unix:///PATH")
	textFlag(cmd, &o.stateDir, "state-dir", "DIR", "where what was published last is kept")
	cmd.Flags().BoolVar(&o.insecure, "insecure", false, "let the standby be reached from other machines without TLS")
	_ = cmd.RegisterFlagCompletionFunc("instance", cobra.NoFileCompletions)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(); err != nil {
			return usage(cmd, err)
		}
		return a.standby(cmd.Context(), &o)
	}
	return cmd
}

// check refuses what cannot be mended while the standby runs, and fills in the node's name.
func (o *standbyOptions) check() error {
	switch {
	case o.instance == "":
		return errors.New("which instance? say --instance")
	case !lang.ValidName(o.instance):
		return fmt.Errorf("no instance can be named %q: a name has 1 to 50 characters out of a-z, A-Z, 0-9 and _", o.instance)
	case o.stateDir == "":
		return errors.New("where shall it be kept? say --state-dir")
	case o.xdsAddress == o.address:
		return fmt.Errorf("--xds-address and --standby-address are both %s: the first is where weir is, the second where the standby shall be", o.address)
	}
	if path, ok := strings.CutPrefix(o.xdsAddress, unixScheme); ok {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("--xds-address %s: the path must be absolute, as in unix:///run/weir.sock", o.xdsAddress)
		}
	} else if host, text, err := net.SplitHostPort(o.xdsAddress); err != nil || host == "" {
		return fmt.Errorf("--xds-address %q: want HOST:PORT or unix:///PATH", o.xdsAddress)
	} else if port, err := strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
		return fmt.Errorf("--xds-address %q: the port must be a number from 1 to 65535", o.xdsAddress)
	}
	if o.node == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("the host's name: %w; say --node-id", err)
		}
		o.node = host
	}
	return nil
}

// standby runs until a signal or ctx ends it.
func (a *app) standby(ctx context.Context, o *standbyOptions) error {
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	listener, err := listenXDS(ctx, "standby-address", o.address, o.insecure)
	if err != nil {
		return err
	}
	defer listener.Close()
	keeper, err := newKeeper(o.stateDir, o.instance+stateSuffix, a.log)
	if err != nil {
		return err
	}
	s := &standby{standbyOptions: o, log: a.log, keeper: keeper, server: xds.NewServer(xds.Options{Log: a.log, Standby: true})}
	a.log.Info("weir stands by", "instance", o.instance, "standby", addressOf(listener), "xds", o.xdsAddress, "version", thisBuild().Version)
	s.restore()

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.server.Serve(ctx, listener) })
	group.Go(func() error { s.sendBack(ctx); return nil })
	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { keeper.run(keeping); return nil })
	group.Go(func() error {
		defer stopKeeping() // what came last is kept too
		s.follow(ctx)
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	a.log.Info("the standby has stopped")
	return nil
}

// standby is one that runs. Its goroutine that follows weir owns what is not said otherwise.
type standby struct {
	*standbyOptions
	log     *slog.Logger
	keeper  *keeper
	server  *xds.Server
	set     *xds.Set    // what weir published last; nil: nothing is known
	kept    string      // hash of the set that was handed to the keeper, or is on disk already
	follows atomic.Bool // weir is there, and set is what it publishes; read by sendBack
}

// restore takes up what an earlier standby kept, or what was put into the state directory.
func (s *standby) restore() {
	p, err := s.keeper.restore()
	switch {
	case err != nil:
		s.log.Error("what was kept cannot be used: Envoys that start before weir answers wait for it", "file", s.keeper.file, "err", err)
		return
	case p == nil:
		s.log.Warn("nothing was kept yet: Envoys that start before weir answers wait for it", "file", s.keeper.file)
		return
	}
	set := p.sets[s.instance]
	if set == nil {
		s.log.Error("what was kept is of other instances: Envoys that start before weir answers wait for it",
			"file", s.keeper.file, "instance", s.instance, "kept", strings.Join(sortedNames(p.sets), ", "))
		return
	}
	s.log.Info("what was kept can be served", "instance", s.instance, "loaded_at", p.at.Format(time.RFC3339), "file", s.keeper.file)
	if len(p.sets) == 1 { // else the file holds keys of instances that are none of this machine's business
		s.kept = set.Hash()
	}
	s.publish(set)
}

// publish serves a set.
func (s *standby) publish(set *xds.Set) {
	s.set = set
	s.server.Publish(map[string]*xds.Set{s.instance: set})
}

// How soon weir is tried again.
const (
	firstTry = 100 * time.Millisecond
	lastTry  = time.Second
)

// follow follows weir until ctx ends. Why it cannot is said once, when a second attempt failed too: weir ends streams now and
// then so that they spread.
func (s *standby) follow(ctx context.Context) {
	failed, pause, said := 0, firstTry, ""
	for {
		err := xds.Follow(ctx, xds.Following{
			Target: s.xdsAddress, Instance: s.instance, Node: s.node, Have: s.set, Took: s.took,
		})
		if ctx.Err() != nil {
			return
		}
		if s.follows.Swap(false) {
			failed, pause, said = 0, firstTry, ""
		}
		failed++
		if what := s.meanwhile(err); failed > 1 && what != said {
			s.log.Warn(what, "xds", s.xdsAddress, "err", err)
			said = what
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, lastTry)
	}
}

// meanwhile is what happens while weir cannot be followed. An instance that it does not know is no reason for an Envoy to ask
// here: whoever removed it meant that.
func (s *standby) meanwhile(err error) string {
	switch {
	case status.Code(err) == codes.NotFound:
		return "weir has no such instance; Envoys that start wait until it has"
	case s.set == nil:
		return "weir cannot be followed; Envoys that start and get nothing from it either wait for it, since nothing was kept"
	}
	return "weir cannot be followed; Envoys that start and get nothing from it either are served what it published last"
}

// took has what weir publishes served, and kept. Envoys that are here are sent back first: it is weir that brings them there.
func (s *standby) took(set *xds.Set) {
	if !s.follows.Swap(true) {
		s.log.Info("weir is followed", "instance", s.instance, "xds", s.xdsAddress)
		s.server.Release()
	}
	s.publish(set)
	if s.kept == set.Hash() {
		return
	}
	s.kept = set.Hash()
	sets := map[string]*xds.Set{s.instance: set}
	s.keeper.keep(&publication{
		generation: xds.Generation(sets), at: time.Now().UTC(), sets: sets, configuration: new(model.Configuration),
	})
}

// sendBackEvery is how long an Envoy that came though weir is followed stays, so that it tries weir again.
const sendBackEvery = 2 * time.Second

// sendBack ends the streams of Envoys while weir is there.
func (s *standby) sendBack(ctx context.Context) {
	ticker := time.NewTicker(sendBackEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if s.follows.Load() {
				s.server.Release()
			}
		}
	}
}
