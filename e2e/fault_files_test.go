package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fileFaults are those of what weir reads and writes.
var fileFaults = []fault{
	{"the configuration directory is emptied", "refused; what served serves on, and the next good save is live", func(t *testing.T) result {
		return directoryGoes(t, "invalid", func(t *testing.T, s *stand) { must(t, os.Remove(filepath.Join(s.path, "gateway.hcl"))) }, nil)
	}},
	{"the configuration directory is unmounted and mounted again", "the same", directoryIsUnmounted},
	{"the configuration directory is replaced by a file, and that by a directory again", "the same", directoryIsReplaced},
	{"the configuration directory is made unreadable", "the same", directoryIsUnreadable},
	{"the disk is full where `weir fmt` and `weir init` write, and where an editor saves", "the commands fail, say why, and leave no file behind nor change one; the editor's empty file is refused", diskIsFull},
	{"the disk is full where `weir run` starts Envoy, and Envoy is killed", "weir tries again until there is room; the port is closed meanwhile", diskIsFullForEnvoy},
	{"the disk is full where `--state-dir` is", "edits are live, and weir says that they are not kept; those made when there is room again are", diskIsFullForState},
	{"clocks of files jump: saves dated 1970, 2100, and backwards", "every save is live: content decides, not time", filesJump},
	{"a listener's certificate is not valid yet when it comes, and expires while it serves", "it is used whatever the clock says, and weir says how it stands within seconds; edits are live all the time, and so is the renewed file", certificateExpires},
	{"10,000 edits in a minute", "no request fails, weir's memory stays bounded, the last edit is served", manyEdits},
	{"a file of 100 MB", "refused by its size, unread; what served serves on", largeFile},
	{"a directory of 50,000 files", "loaded, in memory that is bounded; an edit of one of them is live", manyFiles},
}

// directoryGoes has something happen to the directory, holds that what serves does not care, and heals it with an edit.
func directoryGoes(t *testing.T, outcome string, spoil, heal func(*testing.T, *stand)) result {
	s := startStand(t)
	return spoilAndHeal(t, s, outcome, spoil, heal)
}

func spoilAndHeal(t *testing.T, s *stand, outcome string, spoil, heal func(*testing.T, *stand)) result {
	t.Helper()
	l := press(t, s.call())
	spoil(t, s)
	s.awaitOutcome(t, outcome)
	l.hold(300 * time.Millisecond)
	must(t, s.isNewest()) // that was before
	if heal != nil {
		heal(t, s)
	}
	s.next(t)
	healed := time.Now()
	s.newest(t)
	took := time.Since(healed)
	s.next(t)
	s.newest(t)
	return result{l.release().none(t), fmt.Sprintf("live %v after the healing", round(took))}
}

func directoryIsUnmounted(t *testing.T) result {
	s := newStand(t)
	must(t, os.Remove(filepath.Join(s.path, "gateway.hcl")))
	mountSmall(t, s.path, "1m")
	s.save(t, "gateway.hcl", s.text())
	s.start(t)
	return spoilAndHeal(t, s, "invalid", func(t *testing.T, s *stand) {
		must(t, syscall.Unmount(s.path, syscall.MNT_DETACH)) // what it was mounted at is empty
	}, func(t *testing.T, s *stand) { mountSmall(t, s.path, "1m") })
}

func directoryIsReplaced(t *testing.T) result {
	return directoryGoes(t, "invalid", func(t *testing.T, s *stand) {
		must(t, os.RemoveAll(s.path))
		writeFile(t, s.path, "this is no configuration\n")
	}, func(t *testing.T, s *stand) {
		must(t, os.Remove(s.path))
		must(t, os.Mkdir(s.path, 0o755))
	})
}

// nobody is a user whom permissions concern, as they do not concern root.
const nobody = 65534

func directoryIsUnreadable(t *testing.T) result {
	s := newStand(t)
	must(t, os.Chmod(filepath.Dir(s.path), 0o755)) // the test's folder
	must(t, os.Chmod(filepath.Dir(filepath.Dir(s.path)), 0o755))
	s.start(t, func(cmd *exec.Cmd) {
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
	})
	return spoilAndHeal(t, s, "failed", func(t *testing.T, s *stand) { must(t, os.Chmod(s.path, 0)) },
		func(t *testing.T, s *stand) { must(t, os.Chmod(s.path, 0o755)) })
}

func diskIsFull(t *testing.T) result {
	s := newStand(t)
	mountSmall(t, s.path, "256k")
	file := filepath.Join(s.path, "gateway.hcl")
	unformatted := strings.ReplaceAll(s.text(), "  vpc =", "  vpc     =")
	writeFile(t, file, unformatted)
	s.start(t)
	l := press(t, s.call())
	filler := fillDisk(t, s.path)
	for _, arguments := range [][]string{{"fmt", s.path}, {"init", filepath.Join(s.path, "new")}} {
		c := weir(t, arguments...)
		if c.status != 1 || !strings.Contains(c.stderr, "no space left on device") {
			t.Errorf("weir %s on a full disk ends with %d: %s", arguments[0], c.status, c.stderr)
		}
	}
	var left []string
	must(t, filepath.WalkDir(s.path, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && path != filler && path != file {
			left = append(left, path)
		}
		return err
	}))
	if text, err := os.ReadFile(file); err != nil || string(text) != unformatted || len(left) > 0 {
		t.Errorf("the commands left %v behind, and of the file %q, %v", left, text, err)
	}
	// What an editor leaves that writes in place and does not look at what write says.
	must(t, os.Truncate(file, 0))
	s.awaitOutcome(t, "invalid", "gateway.hcl")
	must(t, s.isNewest())
	must(t, os.Remove(filler))
	s.next(t)
	s.newest(t)
	return result{l.release().none(t), ""}
}

func diskIsFullForEnvoy(t *testing.T) result {
	nodes := newNodes(t, 2)
	port := freePort(t)
	small := filepath.Join(t.TempDir(), "tmp")
	mountSmall(t, small, "4m")
	g := &gateway{path: newDirectory(t, files{"gateway.hcl": shop(port, plain(nodes...))}), admin: loopback(freePort(t)), xds: loopback(freePort(t))}
	g.process = startWeirAs(t, g, "run", func(cmd *exec.Cmd) { cmd.Env = environment("TMPDIR=" + small) }, "--envoy-path", envoyPath(t))
	awaitReady(t, g, port)
	r := request{port: port, path: "/"}
	l := press(t, r)
	l.hold(500 * time.Millisecond)
	filler := fillDisk(t, small)
	killed := time.Now()
	must(t, syscall.Kill(g.envoyOf(t, "edge"), syscall.SIGKILL))
	eventually(t, startBound, "weir says what is wrong", func() error {
		fillDisk(t, small) // the room that the dead Envoy's files have left
		return containsAll(g.output.String(), "no space left on device")
	})
	must(t, os.Remove(filler))
	room := time.Now()
	eventually(t, startBound, "Envoy is back", func() error { return r.wants(200, "") })
	back := time.Now()
	l.hold(500 * time.Millisecond)
	c := l.release().noneAfter(t, back)
	return result{c, fmt.Sprintf("closed for %v, the last %v with room", round(back.Sub(killed)), round(back.Sub(room)))}
}

func diskIsFullForState(t *testing.T) result {
	s, folder := newStand(t), filepath.Join(t.TempDir(), "state")
	mountSmall(t, folder, "256k")
	s.start(t, keepsState(folder))
	l := press(t, s.call())
	filler := fillDisk(t, folder)
	s.next(t)
	s.newest(t)
	s.awaitOutput(t, startBound, "could not be kept", "no space left on device")
	must(t, os.Remove(filler))
	s.next(t)
	s.newest(t)
	s.kept(t, folder)
	s.kill(t)
	s.save(t, "broken.hcl", "upstream {")
	s.serve(t, keepsState(folder))
	eventually(t, startBound, "Envoy is connected to what was kept", s.hasOneProxy)
	must(t, s.isNewest())
	must(t, os.Remove(filepath.Join(s.path, "broken.hcl")))
	s.next(t)
	s.newest(t)
	return result{l.release().none(t), ""}
}

func filesJump(t *testing.T) result {
	s := startStand(t)
	l := press(t, s.call())
	file := filepath.Join(s.path, "gateway.hcl")
	now := time.Now()
	for _, at := range []time.Time{time.Unix(0, 0), now.AddDate(74, 0, 0), now, now.Add(-time.Hour), now.Add(-2 * time.Hour), now.Add(-2 * time.Hour)} {
		s.edits++
		beside := file + "~"
		writeFile(t, beside, s.text())
		must(t, os.Chtimes(beside, at, at))
		must(t, os.Rename(beside, file))
		s.newest(t)
		s.edits++
		writeFile(t, file, s.text()) // the same size: only the digit differs
		must(t, os.Chtimes(file, at, at))
		s.newest(t)
	}
	return result{l.release().none(t), ""}
}

func manyEdits(t *testing.T) result {
	s := startStand(t)
	l := press(t, s.call())
	before := residentMB(t, s.pid())
	edits := size(1_000, 10_000)
	began, peak := time.Now(), before
	for n := range edits {
		time.Sleep(time.Until(began.Add(time.Duration(n) * time.Minute / 10_000))) // the rate is the subject
		if s.next(t); n%100 == 0 {
			peak = max(peak, residentMB(t, s.pid()))
		}
	}
	last := time.Now()
	s.newest(t)
	took := time.Since(last)
	if peak > before+200 {
		t.Errorf("weir grew from %d to %d MB", before, peak)
	}
	return result{l.release().none(t), fmt.Sprintf("%d edits in %v; the last is live after %v; weir takes %d MB at first and %d MB at most", edits, last.Sub(began).Round(time.Second), round(took), before, peak)}
}

func largeFile(t *testing.T) result {
	s := startStand(t)
	l := press(t, s.call())
	before := residentMB(t, s.pid())
	large := filepath.Join(s.path, "large.hcl")
	block := strings.Repeat("# nothing but a hundred million bytes, more or less, of a comment that goes on and on and on\n", 11_000)
	file, err := os.Create(large)
	must(t, err)
	for range 100 {
		_, err := file.WriteString(block)
		must(t, err)
	}
	must(t, file.Close())
	s.awaitOutcome(t, "failed", "large.hcl", "larger than")
	must(t, s.isNewest())
	after := residentMB(t, s.pid())
	if after > before+100 {
		t.Errorf("weir grew from %d to %d MB", before, after)
	}
	must(t, os.Remove(large))
	s.next(t)
	s.newest(t)
	return result{l.release().none(t), fmt.Sprintf("weir takes %d MB before and %d MB with it", before, after)}
}

func manyFiles(t *testing.T) result {
	s := newStand(t)
	s.start(t)
	before := residentMB(t, s.pid())
	l := press(t, s.call())
	count := size(10_000, 50_000)
	many := filepath.Join(s.path, ".many")
	must(t, os.Mkdir(many, 0o755))
	for i := range count {
		must(t, os.WriteFile(filepath.Join(many, fmt.Sprintf("u%d.hcl", i)), manyText(i, 1), 0o644))
	}
	must(t, os.Rename(many, filepath.Join(s.path, "many")))
	came := time.Now()
	eventually(t, largeBound, "all of the files are loaded", func() error {
		return weirTells(s.gateway, "/api/v1/upstreams/u"+fmt.Sprint(count-1), `"weight": 1`)
	})
	loaded := time.Since(came)
	edited := time.Now()
	must(t, os.WriteFile(filepath.Join(s.path, "many", "u7.hcl"), manyText(7, 2), 0o644))
	eventually(t, largeBound, "an edit of one of them is loaded", func() error {
		return weirTells(s.gateway, "/api/v1/upstreams/u7", `"weight": 2`)
	})
	took := time.Since(edited)
	s.next(t)
	eventually(t, largeBound, "an edit of the gateway is live", s.isNewest)
	after := residentMB(t, s.pid())
	if bound := before + 100 + count/25; after > bound { // 40 kB a file
		t.Errorf("weir grew from %d to %d MB", before, after)
	}
	return result{l.release().none(t), fmt.Sprintf("%d files, loaded within %v; an edit within %v; weir takes %d MB", count, round(loaded), round(took), after)}
}

// largeBound is how long a configuration of that size may take on a busy machine.
const largeBound = 2 * time.Minute

// manyText is one of many files.
func manyText(i, weight int) []byte {
	return fmt.Appendf(nil, "upstream \"u%d\" {\n  vpc      = vpc.main\n  protocol = \"http\"\n  node \"10.0.%d.%d:80\" { weight = %d }\n}\n", i, i>>8&255, i&255, weight)
}

// weirTells is nil when a page of the admin address holds the words.
func weirTells(g *gateway, page string, words ...string) error {
	_, body, err := g.page(page)
	if err != nil {
		return err
	}
	return containsAll(body, words...)
}
