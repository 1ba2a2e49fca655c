package source

import "time"

// How long a file must look the same before it is taken, and how long a look may be put off altogether.
const (
	quietWriting = 50 * time.Millisecond  // after it was written in place
	quietLosing  = 500 * time.Millisecond // and blocks would disappear, or a file is missing, or cannot be read
	longestWait  = 5 * time.Second        // then what keeps changing no longer holds up the rest
)

// change is how a file differs from what was last taken.
type change struct {
	whole bool          // it came all at once: another file took its place, or a link was turned
	loses bool          // blocks would disappear
	quiet time.Duration // for how long it has looked as it does now
}

// wait is for how long it must still look as it does. Zero: take it.
func (c change) wait() time.Duration {
	switch {
	case c.whole:
		return 0
	case c.loses:
		return max(0, quietLosing-c.quiet)
	default:
		return max(0, quietWriting-c.quiet)
	}
}

// verdict is what to do about all changes together.
type verdict int

const (
	nothing  verdict = iota // no change
	wait                    // something has not settled
	take                    // everything has settled
	takeSome                // it took too long: take all but files that keep changing and lose blocks
)

// judge decides about changes the first of which was seen some time ago, and says after how long to look again.
func judge(changes []change, since time.Duration) (verdict, time.Duration) {
	if len(changes) == 0 {
		return nothing, 0
	}
	longest := time.Duration(0)
	for _, c := range changes {
		longest = max(longest, c.wait())
	}
	switch {
	case longest == 0:
		return take, 0
	case since >= longestWait:
		return takeSome, longest
	default:
		return wait, min(longest, longestWait-since)
	}
}
