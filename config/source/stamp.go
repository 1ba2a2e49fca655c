package source

import (
	"io/fs"
	"os"
	"time"
)

// Stamp is how a path looks without being read: equal Stamps prove equal content where neither is doubtful.
type Stamp struct {
	info  fs.FileInfo // nil: nothing is there, or it cannot be looked at
	taken time.Time
}

// StampOf looks at a path, links followed.
func StampOf(path string) Stamp {
	taken := time.Now()
	info, err := os.Stat(path)
	if err != nil {
		return Stamp{taken: taken}
	}
	return Stamp{info, taken}
}

// Same tells whether what was read at the time of s is there still, as far as this can be told from outside. What
// changed shortly before it was read is not said to be the same: it may have changed again in the same tick of the file
// system's clock.
func (s Stamp) Same(now Stamp) bool {
	if s.info == nil || now.info == nil {
		return false
	}
	return os.SameFile(s.info, now.info) && s.info.Size() == now.info.Size() && s.info.Mode() == now.info.Mode() &&
		changeTime(s.info).Equal(changeTime(now.info)) && s.taken.After(changeTime(s.info).Add(racy))
}
