package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/admin"
	"github.com/weirproxy/weir/config"
	"github.com/weirproxy/weir/config/lang"
	"github.com/weirproxy/weir/config/source"
	"github.com/weirproxy/weir/model"
)

// noDiagnostics is the JSON of none.
var noDiagnostics = json.RawMessage("[]")

// emptyRefused is why a configuration without blocks does not replace one with blocks, nor starts one.
const emptyRefused = "the configuration holds no block, which would leave every gateway without APIs; say --allow-empty if that is meant"

// loader makes what was read into what can be published. It keeps what it made, so that the next load costs what differs.
type loader struct {
	options    func(*source.Snapshot) config.Options
	allowEmpty bool
	log        *slog.Logger
	stderr     io.Writer // takes the diagnostics as people read them
	color      bool
	width      uint

	logsDiagnostics bool // the log's readers are programs: the diagnostics are in its lines instead

	last      *config.Loader // knows the last good load
	publisher publisher
	read      []string // besides the configuration's files

	since, until time.Time // when what was said of certificates' dates holds; zero: no bound
}

// first is the first mistake of an invalid configuration.
type first struct {
	errors int
	place  model.Place
	text   string
}

// String is one line: "main.hcl:3: Missing attribute, and 2 more".
func (f first) String() string {
	s := f.text
	if !f.place.IsZero() {
		s = f.place.String() + ": " + s
	}
	if f.errors > 1 {
		s += fmt.Sprintf(", and %d more", f.errors-1)
	}
	return s
}

// load fills in the attempt. Applied says that there is something to publish. A panic is a mistake of weir in one
// configuration, and must not end what serves all the others.
func (d *loader) load(u source.Update, a *attempt) (outcome admin.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			d.log.Error("this is a mistake in weir, please report it", "err", fmt.Sprint(p), "stack", string(debug.Stack()))
			a.loaded, a.Error, outcome = nil, fmt.Sprintf("a mistake in weir: %v", p), admin.Failed
		}
	}()
	if u.Err != nil {
		a.Error = u.Err.Error()
		return admin.Failed
	}
	result := d.last.Load(u.Snapshot, d.options(u.Snapshot))
	d.read, d.since, d.until = result.Read, result.Since, result.Until
	switch {
	case d.allowEmpty && len(u.Snapshot.Files) == 0:
		result.Configuration = new(model.Configuration)
	case result.HasErrors():
		a.first = firstOf(result.Diagnostics)
		a.Error = a.first.String()
		d.report(result, a)
		return admin.Invalid
	case result.Empty && !d.allowEmpty:
		a.Error, a.first = emptyRefused, first{errors: 1, text: emptyRefused}
		return admin.Invalid
	}
	d.report(result, a)
	loaded, err := d.publisher.publication(result.Configuration, a.At)
	if err != nil {
		a.Error = err.Error()
		return admin.Failed
	}
	loaded.mask = result.Mask()
	a.loaded, a.Generation = loaded, loaded.generation
	return admin.Applied
}

// outlived tells whether another load of the same files would say something else of their certificates' dates.
func (d *loader) outlived(now time.Time) bool {
	return now.Before(d.since) || !d.until.IsZero() && !now.Before(d.until)
}

// report prints the diagnostics and puts them into the attempt.
func (d *loader) report(result *config.Result, a *attempt) {
	if len(result.Diagnostics) == 0 {
		return
	}
	var shown, plain, document bytes.Buffer
	errs := []error{
		result.WriteText(&shown, d.color, d.width), result.WriteText(&plain, false, 0), result.WriteJSON(&document),
	}
	for _, err := range errs {
		if err != nil {
			d.log.Error("the diagnostics could not be written", "err", err)
		}
	}
	if !d.logsDiagnostics {
		_, _ = d.stderr.Write(shown.Bytes()) // if its reader is gone, the status still has it
	}
	a.Report = plain.String()
	var parsed struct {
		Diagnostics json.RawMessage `json:"diagnostics"`
	}
	if json.Unmarshal(document.Bytes(), &parsed) == nil && parsed.Diagnostics != nil {
		a.Diagnostics = parsed.Diagnostics
	}
}

func firstOf(diagnostics hcl.Diagnostics) first {
	var f first
	for _, d := range diagnostics {
		if d.Severity != hcl.DiagError {
			continue
		}
		f.errors++
		if f.errors > 1 {
			continue
		}
		f.text, f.place = d.Summary, lang.PlaceOf(d)
	}
	return f
}
