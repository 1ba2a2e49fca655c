package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/protobuf/types/known/anypb"

	"github.com/weirproxy/weir/model"
	"github.com/weirproxy/weir/xds"
)

// stateFile is the last good generation as it was sent to Envoys: a line with the format's name and the SHA-256 of what
// follows, which is a gob. It holds the private keys of listeners, so only its owner may read it.
const (
	stateFile   = "last-good.state"
	stateSuffix = ".state" // after an instance's name: the file of its standby, beside others in the directory
	stateFormat = "weir-state-1"
)

// saved is what a state file holds. Resources are kept as they were marshalled, so that whoever restores them sends the Envoys
// nothing that they have.
type saved struct {
	Generation string
	At         time.Time
	Instances  map[string][]savedResource
}

// savedResource is one resource, and where it stood.
type savedResource struct {
	Type         string
	Message      []byte
	File         string
	Line, Column int
}

// keeper keeps the last good generation on disk. One goroutine writes; of generations that come faster, the newest.
type keeper struct {
	file    string
	log     *slog.Logger
	next    chan *publication // holds one at most
	failure string            // why the last write failed, "" where it did not
}

// newKeeper makes the directory of a file, or says why there cannot be one. A file that somebody put there becomes its owner's
// alone.
func newKeeper(dir, name string, log *slog.Logger) (*keeper, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--state-dir: %w", err)
	}
	k := &keeper{file: filepath.Join(dir, name), log: log, next: make(chan *publication, 1)}
	if err := os.Chmod(k.file, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("the state file holds private keys and may be open to others", "file", k.file, "err", err)
	}
	return k, nil
}

// keep has a publication written, in place of one that waits for it. Only the loop calls it.
func (k *keeper) keep(p *publication) {
	for {
		select {
		case k.next <- p:
			return
		default:
		}
		select {
		case <-k.next:
		default:
		}
	}
}

// keepEvery bounds how often the whole generation is written while edits come one after the other.
const keepEvery = time.Second

// run writes until ctx ends, and then what still waits. What could not be written is tried again.
func (k *keeper) run(ctx context.Context) {
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	for {
		select {
		case p := <-k.next:
			if !k.write(p) {
				select {
				case k.next <- p:
				default: // there is a newer one
				}
			}
		case <-ctx.Done():
			select {
			case p := <-k.next:
				k.write(p)
			default:
			}
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// write replaces the file in one step, and tells whether it did. A failure is logged once, until another one comes or it
// is over, and the file is what it was.
func (k *keeper) write(p *publication) bool {
	began := time.Now()
	data, err := encodeState(p)
	if err == nil {
		err = replaceFile(k.file, data)
	}
	if err != nil {
		if cause := reason(err); cause != k.failure {
			k.log.Error("the last good generation could not be kept; a start that needs it would serve an older one, or none",
				"generation", p.generation, "err", err)
			k.failure = cause
		}
		return false
	}
	if k.failure != "" {
		k.log.Info("the last good generation is kept again", "generation", p.generation)
	}
	k.failure = ""
	k.log.Debug("generation kept", "generation", p.generation, "bytes", len(data), "took", time.Since(began).String())
	return true
}

// reason is an error without the names of temporary files, which are never the same.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

func encodeState(p *publication) ([]byte, error) {
	s := saved{Generation: p.generation, At: p.at, Instances: make(map[string][]savedResource, len(p.sets))}
	for name, set := range p.sets {
		all := make([]savedResource, 0, set.Len())
		for r := range set.All() {
			place, _ := r.Origin().(model.Place)
			all = append(all, savedResource{r.Type(), r.Any().GetValue(), place.File(), place.Line(), place.Column()})
		}
		s.Instances[name] = all
	}
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(s); err != nil {
		return nil, fmt.Errorf("encode state: %w", err)
	}
	sum := sha256.Sum256(body.Bytes())
	return append([]byte(stateFormat+" "+hex.EncodeToString(sum[:])+"\n"), body.Bytes()...), nil
}

// restore is what the file holds: nil where there is none yet, and an error where it cannot be used.
func (k *keeper) restore() (*publication, error) {
	data, err := os.ReadFile(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeState(data)
}

// errDamaged is why a file is ignored whose content is not what weir wrote.
var errDamaged = errors.New("the state file is damaged, or not weir's")

func decodeState(data []byte) (*publication, error) {
	head, body, _ := bytes.Cut(data, []byte("\n"))
	sum := sha256.Sum256(body)
	if string(head) != stateFormat+" "+hex.EncodeToString(sum[:]) {
		return nil, errDamaged
	}
	var s saved
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&s); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	p := &publication{
		generation: s.Generation, at: s.At, restored: true, sets: make(map[string]*xds.Set, len(s.Instances)),
		configuration: &model.Configuration{Instances: make(map[string]*model.Instance, len(s.Instances))},
	}
	for name, resources := range s.Instances {
		set, err := decodeSet(resources)
		if err != nil {
			return nil, fmt.Errorf("%w: instance %q: %w", errDamaged, name, err)
		}
		p.sets[name] = set
		p.configuration.Instances[name] = &model.Instance{Name: name}
	}
	return p, nil
}

func decodeSet(resources []savedResource) (*xds.Set, error) {
	all := make([]*xds.Resource, len(resources))
	for i, r := range resources {
		var err error
		if all[i], err = xds.ParseResource(&anypb.Any{TypeUrl: r.Type, Value: r.Message}, model.PlaceAt(r.File, r.Line, r.Column)); err != nil {
			return nil, err
		}
	}
	return xds.NewSet(all)
}
