package source

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// How often a watcher looks without being told to, and how close its looks may follow each other.
const (
	defaultPoll  = 2 * time.Second
	minimumPause = 500 * time.Microsecond
	maximumPause = 250 * time.Millisecond
)

// Options says what to watch and how.
type Options struct {
	Path string       // a directory, or a single file
	Log  *slog.Logger // nil: nothing is logged
	// Blocks returns the ids of the blocks in the text of one file. A file written in place whose blocks disappear is
	// given more time to become whole. Nil: a text that became shorter counts as losing blocks.
	Blocks        func(name string, text []byte) []string
	Poll          time.Duration // how often to look where no event comes; 0: two seconds
	DisableEvents bool          // only poll, as for file systems without events
}

// Update is one settled state of the files, or an error that kept them from being read.
type Update struct {
	Snapshot *Snapshot // nil with an error
	Err      error
	Forced   bool // Reload asked for it: load, even if everything is as it was
}

// Watcher turns changes of files into Updates.
//
// An Update comes for the first read, for each settled change of content of a configuration file or of one of the
// files of Also (then the Snapshot may be equal to the one before), after Reload, once for each distinct error, and
// when reading works again after an error. A reader that is slow gets the newest state, not all of them.
type Watcher struct {
	options Options
	updates chan Update
	wake    chan struct{} // the mailbox has something

	mailbox sync.Mutex
	asked   []string // the newest set of Also; nil: there was none
	also    []string // the same, until it was taken
	alsoSet bool
	reload  bool
}

// NewWatcher returns a watcher of a path, which need not exist yet. Run makes it work.
func NewWatcher(o Options) (*Watcher, error) {
	absolute, err := filepath.Abs(o.Path)
	if err != nil {
		return nil, trouble("watch", o.Path, err)
	}
	o.Path = absolute
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	return &Watcher{options: o, updates: make(chan Update), wake: make(chan struct{}, 1)}, nil
}

// Updates is where the Updates come from. It is closed when Run returns.
func (w *Watcher) Updates() <-chan Update { return w.updates }

// Also replaces the set of further files to watch: certificates, variable files, what file() reads. A path may be
// missing, and leads to an Update when it appears; one that is a directory stands for the names in it. What changed
// between the last Update and this call leads to an Update too. The same set again costs nothing. It may be called at any time, by anyone.
func (w *Watcher) Also(paths []string) {
	w.mailbox.Lock()
	same := w.asked != nil && slices.Equal(w.asked, paths)
	if !same {
		w.asked = append([]string{}, paths...)
		w.also, w.alsoSet = w.asked, true
	}
	w.mailbox.Unlock()
	if !same {
		w.notice()
	}
}

// Reload asks for an Update even when nothing changed. It may be called at any time, by anyone.
func (w *Watcher) Reload() {
	w.mailbox.Lock()
	w.reload = true
	w.mailbox.Unlock()
	w.notice()
}

func (w *Watcher) notice() {
	select {
	case w.wake <- struct{}{}:
	default: // a notice that lies there already says the same
	}
}

// mail takes what Also and Reload left.
func (w *Watcher) mail() (also []string, alsoSet, reload bool) {
	w.mailbox.Lock()
	defer w.mailbox.Unlock()
	also, alsoSet, reload = w.also, w.alsoSet, w.reload
	w.also, w.alsoSet, w.reload = nil, false, false
	return also, alsoSet, reload
}

// Run watches until ctx ends, and returns nil then; it leaves no goroutine behind. Nothing that the files hold or do
// makes it return earlier. It is called once.
func (w *Watcher) Run(ctx context.Context) error {
	defer close(w.updates)
	events := newNotifier(w.options)
	defer events.close()
	loop := &loop{watcher: w, observer: newObserver(w.options), events: events}
	loop.whole = true
	loop.look()
	loop.run(ctx)
	return nil
}

// loop is the one goroutine that owns all state of a running watcher.
type loop struct {
	watcher  *Watcher
	observer *observer
	events   *notifier
	pending  *Update   // waits for the reader
	whole    bool      // the next look must be at everything
	next     time.Time // when to look again because something has not settled; zero: only when told
	free     time.Time // not to look before
}

func (l *loop) run(ctx context.Context) {
	poll := time.NewTicker(l.watcher.options.Poll)
	defer poll.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var out chan<- Update
		var update Update
		if l.pending != nil {
			out, update = l.watcher.updates, *l.pending
		}
		timer.Stop()
		if !l.next.IsZero() {
			timer.Reset(time.Until(l.next))
		}
		select {
		case <-ctx.Done():
			return
		case out <- update:
			l.pending = nil
			l.observer.delivered = time.Now()
		case event := <-l.events.channel():
			if l.events.matters(event, l.observer) {
				l.whole = !l.events.tell(l.observer, event) || l.whole
				l.soon()
			}
		case err := <-l.events.errors():
			l.watcher.options.Log.Debug("events were lost, reading everything", "err", err)
			l.observer.distrust()
			l.whole = true
			l.soon()
		case <-l.watcher.wake:
			also, set, reload := l.watcher.mail()
			if set {
				l.observer.watchAlso(also)
			}
			if reload {
				l.observer.force()
			}
			l.whole = true
			l.look()
		case <-poll.C:
			l.observer.doubt()
			l.whole = true
			l.look()
		case <-timer.C:
			l.look()
		}
	}
}

// soon looks as soon as the pause after the last look is over. Events come in bursts, one of them per write.
func (l *loop) soon() {
	if l.next.IsZero() || l.next.After(l.free) {
		l.next = l.free
	}
}

// look compares the files with what was last taken.
func (l *loop) look() {
	began := time.Now()
	brief := l.observer.look(began, !l.whole)
	l.whole = false
	// What came into a directory before it was watched has sent no event. A second pass sees it.
	for passes := 0; !brief && passes < 3 && l.events.watch(l.observer.interests()); passes++ {
		l.observer.look(time.Now(), false)
	}
	update, again := l.observer.decide(time.Now())
	l.next = again
	if update != nil {
		if l.pending != nil {
			update.Forced = update.Forced || l.pending.Forced
		}
		l.pending = update
	}
	pause := min(max(2*time.Since(began), minimumPause), maximumPause)
	l.free = time.Now().Add(pause)
}
