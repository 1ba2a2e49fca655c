package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What stands in a directory is not always a file: none of it may stop weir, or the edits after it.
func TestOddThingsInTheDirectory(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	for i, odd := range []struct {
		name    string
		make    func(path string) error
		outcome string
	}{
		{"pipe.hcl", func(path string) error { return syscall.Mkfifo(path, 0o644) }, "failed"},
		{"zero.hcl", func(path string) error { return os.Symlink("/dev/zero", path) }, "failed"},
		{"folder.hcl", func(path string) error { return os.Mkdir(path, 0o755) }, "failed"},
		{"around", func(path string) error { return os.Symlink(".", path) }, "failed"},
		{"huge.hcl", func(path string) error { return sparse(path, 8<<30) }, "failed"},
		{"deep.hcl", func(path string) error {
			return os.WriteFile(path, []byte("locals {\n a = "+strings.Repeat("[", 200_000)+"\n}\n"), 0o644)
		}, "invalid"},
		{"long.hcl.json", func(path string) error { return os.WriteFile(path, []byte(strings.Repeat(`{"a":`, 200_000)), 0o644) }, "invalid"},
	} {
		t.Run(odd.name, func(t *testing.T) {
			path := filepath.Join(g.path, odd.name)
			must(t, odd.make(path))
			g.awaitOutcome(t, odd.outcome, odd.name)
			must(t, answeredByAll(request{port: port, path: "/"}, "n0")())
			must(t, os.RemoveAll(path))
			at := fmt.Sprintf("/after-%d", i)
			g.edit(t, "after.hcl", mock("after", at, "alive"), "the next good edit is seen", answeredBy(request{port: port, path: at}, "alive"))
		})
	}
}

// sparse makes a file that is large and takes no room.
func sparse(path string, size int64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return file.Truncate(size)
}

// A deployment often is a link that is moved to the next release.
func TestLinkedDirectoryIsSwapped(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	port := freePort(t)
	releases := t.TempDir()
	for i, n := range nodes {
		writeFile(t, filepath.Join(releases, fmt.Sprint(i), "gateway.hcl"), shop(port, plain(n)))
	}
	current := filepath.Join(releases, "current")
	must(t, os.Symlink("0", current))
	g := runWeir(t, current)
	awaitReady(t, g, port)
	r := request{port: port, path: "/"}
	l := startLoad(t, r)
	for round := 1; round <= 4; round++ {
		n := nodes[round%2]
		must(t, os.Symlink(fmt.Sprint(round%2), current+".next"))
		must(t, os.Rename(current+".next", current))
		eventually(t, editBound, "the new release is seen", answeredByAll(r, n.name))
	}
	renameFile(t, filepath.Join(releases, "0", "gateway.hcl"), shop(port, plain(nodes[1])))
	eventually(t, editBound, "an edit within the release is seen", answeredByAll(r, "n1"))
	l.stop(t)
}

// A directory that is removed and made anew, not moved, has another inode and lost watches.
func TestDirectoryIsMadeAnew(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	r := request{port: port, path: "/"}
	for round := 1; round <= 3; round++ {
		must(t, os.RemoveAll(g.path))
		g.awaitOutcome(t, "failed")
		must(t, answeredByAll(r, nodes[(round+1)%2].name)())
		writeFile(t, filepath.Join(g.path, "gateway.hcl"), shop(port, plain(nodes[round%2])))
		eventually(t, editBound, "the new directory is seen", answeredByAll(r, nodes[round%2].name))
		g.edit(t, "extra.hcl", mock("extra", "/x", fmt.Sprint(round)), "an edit in it is seen", answeredBy(request{port: port, path: "/x"}, fmt.Sprint(round)))
	}
}

// Saves without rhythm: pieces of any size, pauses of any length, files that come and go. Whatever is read on the way,
// no request fails, and the last state is the one that serves.
func TestWildSaves(t *testing.T) {
	t.Parallel()
	nodes := newNodes(t, 2)
	g, port := startShop(t, plain(nodes[0]), nil)
	r := request{port: port, path: "/"}
	l := startLoad(t, r)
	dice := rand.New(rand.NewPCG(7, 7))
	file := filepath.Join(g.path, "gateway.hcl")
	for round := range 12 {
		text := shop(port, plain(nodes[round%2]))
		if dice.IntN(2) == 0 {
			renameFile(t, file, text)
		} else {
			writeSlowly(t, file, cut(dice, text), time.Duration(dice.IntN(60))*time.Millisecond)
		}
		passing := filepath.Join(g.path, fmt.Sprintf("passing-%d.hcl", round))
		writeFile(t, passing, mock(fmt.Sprintf("passing_%d", round), fmt.Sprintf("/p%d", round), "x")[:dice.IntN(120)])
		must(t, os.Remove(passing))
	}
	eventually(t, editBound, "the last save is seen", answeredByAll(r, "n1"))
	eventually(t, editBound, "the last attempt ends well", func() error {
		s, err := g.status()
		if err != nil {
			return err
		}
		last := s.LastAttempt // of a file that came and went after the last save nothing is left but an attempt
		return hold(last.Outcome == "applied" || last.Outcome == "unchanged", "the last attempt is %+v", last)
	})
	l.stop(t)
}

// Text that nobody would write, as a failing disk, a merge or a cat on a keyboard leaves it: weir lives, and the next
// good save is live.
func TestGarbage(t *testing.T) {
	t.Parallel()
	n := newNode(t, "n0")
	g, port := startShop(t, plain(n), nil)
	dice := rand.New(rand.NewPCG(11, 11))
	good := shop(port, plain(n)) + mock("second", "/second", "${upper(\"x\")} %{ if true }y%{ endif }")
	for range 150 {
		g.save(t, "gateway.hcl", spoiled(dice, good))
	}
	g.save(t, "gateway.hcl", shop(port, plain(n))+mock("last", "/last", "at last"))
	awaitAnswer(t, editBound, port, "/last", "at last")
	must(t, answeredByAll(request{port: port, path: "/"}, "n0")())
	for _, words := range []string{"panic: ", "a mistake in weir"} {
		if strings.Contains(g.output.String(), words) {
			t.Errorf("weir has panicked: %q", words)
		}
	}
}

// spoiled is a text with a few bytes changed, left out, doubled or moved.
func spoiled(dice *rand.Rand, text string) string {
	b := []byte(text)
	for range 1 + dice.IntN(4) {
		i := dice.IntN(len(b))
		j := i + dice.IntN(min(40, len(b)-i))
		switch dice.IntN(4) {
		case 0:
			b[i] = byte(dice.IntN(256))
		case 1:
			b = append(b[:i:i], b[j:]...)
		case 2:
			b = append(b[:j:j], b[i:]...)
		case 3:
			b = append(append(append([]byte{}, b[j:]...), b[i:j]...), b[:i]...)
		}
	}
	return string(b)
}

// cut makes a few pieces of random sizes out of a text.
func cut(dice *rand.Rand, text string) []string {
	var pieces []string
	for range dice.IntN(6) {
		at := dice.IntN(len(text) + 1)
		pieces, text = append(pieces, text[:at]), text[at:]
	}
	return append(pieces, text)
}

// Everything that a configuration reads is watched: what file() reads, values of variables.
func TestFilesOfTheConfigurationAreWatched(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	text := fill(edgeText, "port", port) + strings.ReplaceAll(strings.ReplaceAll(mock("shop", "/", "BODY"), `"BODY"`, `"${var.greeting} ${file("texts/body.txt")}"`), "BODY", "")
	text += "variable \"greeting\" {\n  type = string\n}\n"
	dir := newDirectory(t, files{"gateway.hcl": text, "texts/body.txt": "one"})
	values := filepath.Join(t.TempDir(), "values.hcl")
	writeFile(t, values, "greeting = \"hello\"\n")
	g := runWeir(t, dir, "--var-file", values)
	awaitAnswer(t, startBound, port, "/", "hello one")
	g.edit(t, "texts/body.txt", "two", "what file() reads is watched", answeredBy(request{port: port, path: "/"}, "hello two"))
	writeFile(t, values, "greeting = \"goodbye\"\n")
	awaitAnswer(t, editBound, port, "/", "goodbye two")
	must(t, os.Remove(filepath.Join(dir, "texts/body.txt")))
	g.awaitOutcome(t, "invalid", "gateway.hcl line", "body.txt")
	must(t, answeredBy(request{port: port, path: "/"}, "goodbye two")())
	writeFile(t, filepath.Join(dir, "texts/body.txt"), "three")
	awaitAnswer(t, editBound, port, "/", "goodbye three")
}
