package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unfit is what stands in names of tests and does not belong into names of files.
var unfit = regexp.MustCompile(`[^A-Za-z0-9_.-]+`)

// keep writes a file below build/e2e-logs, in a folder of the test, for whoever looks into a failed one.
func keep(t *testing.T, name, text string) {
	path := filepath.Join("build", "e2e-logs", unfit.ReplaceAllString(t.Name(), "-"), unfit.ReplaceAllString(name, "-"))
	absolute := filepath.Join(moduleRoot(), path)
	err := os.MkdirAll(filepath.Dir(absolute), 0o755)
	if err == nil {
		err = os.WriteFile(absolute, []byte(text), 0o644)
	}
	if err != nil {
		t.Logf("keeping %s: %v\n%s", name, err, text)
		return
	}
	t.Logf("kept %s", path)
}

// keepDump writes down what a failed test's Envoy had been told; admin is its address.
func keepDump(t *testing.T, name, admin string) {
	response, err := http.Get("http://" + admin + "/config_dump?include_eds")
	if err != nil {
		keep(t, name+".json", err.Error())
		return
	}
	defer response.Body.Close()
	var dump bytes.Buffer
	if _, err = dump.ReadFrom(response.Body); err != nil {
		t.Logf("the dump of %s is not whole: %v", name, err)
	}
	keep(t, name+".json", dump.String())
}

// keepOutput keeps what a failed test's process wrote, and prints the end of it.
func keepOutput(t *testing.T, p *process) {
	text := p.output.String()
	keep(t, fmt.Sprintf("%s-%d.log", p.name, p.cmd.Process.Pid), strings.Join(p.cmd.Args, " ")+"\n"+text)
	if lines := strings.SplitAfter(text, "\n"); len(lines) > shownLines {
		text = "...\n" + strings.Join(lines[len(lines)-shownLines:], "")
	}
	t.Logf("--- output of %s\n%s", p.name, text)
}

// shownLines is how much of a program's output stands in the test's own.
const shownLines = 60
