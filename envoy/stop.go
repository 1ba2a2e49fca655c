package envoy

import (
	"context"
	"syscall"
	"time"
)

// termTime is how long Envoy may take to end after SIGTERM; it needs milliseconds.
const termTime = 5 * time.Second

// drainPoll is how often a draining Envoy is asked whether requests are left.
const drainPoll = 50 * time.Millisecond

// stop ends an Envoy: no new connections, the requests that it has are finished, then SIGTERM, then SIGKILL.
func (r *Runner) stop(p *process, client *adminClient, output *logWriter) {
	if client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), r.options.DrainTime)
		drain(ctx, p, client)
		cancel()
	}
	output.hush()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return
	case <-time.After(termTime):
		r.log.Warn("envoy ignores SIGTERM and is killed", "pid", p.pid)
	}
	p.signal(syscall.SIGKILL)
	<-p.done
}

// drain closes Envoy's ports and waits until no request is left, the process has ended, or ctx has.
func drain(ctx context.Context, p *process, client *adminClient) {
	if err := client.drain(ctx); err != nil {
		return // an Envoy that does not answer has nothing to finish either
	}
	ticker := time.NewTicker(drainPoll)
	defer ticker.Stop()
	for {
		if n, err := client.activeRequests(ctx); err != nil || n == 0 {
			return
		}
		select {
		case <-p.done:
			return
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
