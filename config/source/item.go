package source

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io/fs"
	"os"
	"strings"
	"time"
)

// racy is how long after a change of a file its size and time prove nothing: another change in the same tick of the
// file system's clock, two seconds long on some, shows in neither.
const racy = 2 * time.Second

type digest = [sha256.Size]byte

// seed is one for the whole process: sums are compared only within it.
var seed = maphash.MakeSeed()

// sumOf tells texts of the configuration apart, at a tenth of the cost of a digest for eternity.
func sumOf(text []byte) (sum digest) {
	binary.BigEndian.PutUint64(sum[:], maphash.Bytes(seed, text))
	binary.BigEndian.PutUint64(sum[8:], uint64(len(text))+1) // never that of what is absent
	return sum
}

// item is what is known of one file now: of the configuration, or of the further ones.
type item struct {
	found  found
	absent bool
	since  time.Time // when it was first seen like this

	known  bool // sum, text and closed are of this state
	readAt time.Time
	readOf found // how it looked then
	sum    digest
	text   []byte
	closed bool // nobody had it open for writing

	blocks   []string // of the text with this sum, once they were asked for
	blocksOf digest

	walk int // the last walk that found it

	vanished bool // it was gone for a moment since the last take, so what is there now was made in place
}

// is makes the item look like f, as seen at a time.
func (i *item) is(f found, now time.Time) {
	if i.absent || !i.found.unchanged(f) {
		i.since, i.known = now, false
	}
	i.vanished = i.vanished || i.absent
	i.found, i.absent = f, false
}

// blocksBy are the blocks of the item's text.
func (i *item) blocksBy(name string, blocks func(string, []byte) []string) []string {
	if i.blocksOf != i.sum {
		i.blocks, i.blocksOf = blocks(name, i.text), i.sum
	}
	return i.blocks
}

// gone makes the item one that is missing.
func (i *item) gone(now time.Time) {
	if !i.absent {
		i.absent, i.since, i.known, i.text = true, now, true, nil
		i.sum = digest{}
	}
}

// doubtful tells whether a look from time to time must read the file again.
func (i *item) doubtful() bool {
	return !i.absent && i.found.info != nil && i.readAt.Before(changeTime(i.found.info).Add(racy))
}

// learn keeps what reading the file gave.
func (i *item) learn(sum digest, text []byte, closed bool, now time.Time) {
	if i.sum != sum && i.readOf.info != nil && i.readOf.unchanged(i.found) {
		i.since = now // it changed, and nothing but the content shows it
	}
	i.known, i.readAt, i.readOf, i.sum, i.text, i.closed = true, now, i.found, sum, text, closed
}

// taken is a file as it was last handed out.
type taken struct {
	found  found
	absent bool
	sum    digest
	text   []byte
}

func (i *item) take() taken {
	i.vanished = false
	return taken{found: i.found, absent: i.absent, sum: i.sum, text: i.text}
}

// fail makes the item one that cannot even be looked at.
func (i *item) fail(err error, now time.Time) {
	sum := sha256.Sum256([]byte("error\x00" + err.Error()))
	if i.absent || i.sum != sum {
		i.since = now
	}
	i.found, i.absent, i.known, i.sum = found{}, false, true, sum
}

// replaced tells whether the item is a whole file that came at once to where t was.
func (i *item) replaced(t taken) bool {
	if i.absent || i.found.info == nil {
		return false
	}
	if t.absent {
		return i.closed && !i.vanished && i.found.info.Size() > 0
	}
	// A link was turned, the last one or one on the way.
	turned := i.found.at != t.found.at || i.found.real != i.found.at && i.found.real != t.found.real
	return turned || i.closed && !i.vanished && !os.SameFile(i.found.info, t.found.info)
}

// content returns the digest of what stands at a path that is not a configuration file. Whatever it is has a digest:
// that it is missing or cannot be read is for whoever asked for it to say.
func content(f found) (sum digest, closed bool) {
	if f.info.IsDir() {
		entries, err := os.ReadDir(f.path)
		if err != nil {
			return sha256.Sum256([]byte("error\x00" + err.Error())), true
		}
		var names strings.Builder
		for _, entry := range entries {
			names.WriteString(entry.Name() + "\x00" + entry.Type().String() + "\x00")
		}
		return sha256.Sum256([]byte("directory\x00" + names.String())), true
	}
	read, err := readStable(f.path)
	if err != nil {
		return sha256.Sum256([]byte("error\x00" + err.Error())), true
	}
	return sha256.Sum256(append([]byte("file\x00"), read.data...)), read.closed
}

// missing tells whether an error says that nothing is there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
