package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// settleWithin bounds how long memory is waited for.
const settleWithin = 20 * time.Second

// resident is the memory of a process, in bytes.
func resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil { // not Linux
		text, err = exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
		if err != nil {
			return 0, fmt.Errorf("memory of process %d: %w", pid, err)
		}
		text = append([]byte("VmRSS:"), text...)
	}
	_, after, found := bytes.Cut(text, []byte("VmRSS:"))
	fields := strings.Fields(string(after))
	if !found || len(fields) == 0 {
		return 0, fmt.Errorf("memory of process %d: none", pid)
	}
	kilobytes, err := strconv.ParseFloat(fields[0], 64)
	return kilobytes * 1024, err
}

// settled waits until the memory of all processes has not changed by more than a hundredth for a while, or long enough.
func (b *bench) settled(ctx context.Context, children ...*child) ([]float64, error) {
	deadline, since := time.Now().Add(settleWithin), time.Now()
	base := make([]float64, len(children))
	for {
		now := make([]float64, len(children))
		for i, c := range children {
			var err error
			if now[i], err = resident(c.cmd.Process.Pid); err != nil {
				return nil, c.failed(err)
			}
			if now[i] > base[i]*1.01 || now[i] < base[i]*0.99 {
				base, since = now, time.Now()
			}
		}
		if time.Since(since) >= b.quiet || time.Now().After(deadline) {
			return now, nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// processor is the processor time that a process has used; 0 where the system does not say.
func processor(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // Linux counts in hundredths for programs
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
