package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// guide is what a newcomer is told once everything runs.
type guide struct {
	file                              string
	weight, retries, hostHeader, path int // lines of the file
}

// newGuide finds the lines that there is something to say about.
func newGuide(file string) (*guide, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return &guide{
		file:       file,
		weight:     lineWith(text, "weight ="),
		retries:    lineWith(text, "retries "),
		hostHeader: lineWith(text, "host_header ="),
		path:       lineWith(text, "path     ="),
	}, nil
}

// lineWith is the number of the first line that holds the words, 0 when the operator has edited them away.
func lineWith(text []byte, words string) int {
	before, _, found := bytes.Cut(text, []byte(words))
	if !found {
		return 0
	}
	return bytes.Count(before, []byte("\n")) + 1
}

// at is the place of a line, as editors and terminals take it.
func (g *guide) at(line int) string {
	if line == 0 {
		return g.file
	}
	return fmt.Sprintf("%s:%d", g.file, line)
}

// print tells what to call and what to edit.
func (g *guide) print(w io.Writer) {
	fmt.Fprintln(w, strings.NewReplacer(
		"GATEWAY", gateway,
		"NODE2", nodes[1].address,
		"WEIGHT", g.at(g.weight),
		"RETRIES", g.at(g.retries),
		"HOST", g.at(g.hostHeader),
		"PATH", g.at(g.path),
	).Replace(guideText))
}

// guideText names its variable parts in capitals.
const guideText = `
The gateway answers on http://GATEWAY. Call it from another terminal:

  curl http://GATEWAY/orders/7
  curl http://GATEWAY/ping

Then edit, save, and call again. Each save is live at once.

  weights   WEIGHT
            change weight = 50 to 0, and count who answers:
            for i in $(seq 100); do curl -s http://GATEWAY/orders; done | cut -d: -f1 | sort | uniq -c
  Host      HOST
            take away the # before host_header: the answer shows the Host that the node sees
  path      PATH
            change "/v1/orders" to "/v2/orders": the answer shows the path that the node sees
  retries   RETRIES
            make the second node fail: no caller notices, since the others are asked instead
            curl -X POST   'http://NODE2/_backend/fault?status=503'
            curl -X DELETE  http://NODE2/_backend/fault
  mistakes  write weight = "many", save, and read below what is wrong; the last good configuration goes on

Ctrl-C stops everything.`
