package admin

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/weirproxy/weir/model"
)

// Outcome is how one attempt to load ended.
type Outcome string

// The outcomes. Each attempt has exactly one.
const (
	Unchanged Outcome = "unchanged" // good, and the resources are those that serve already
	Invalid   Outcome = "invalid"   // the text has mistakes; the last good configuration serves on
	Applied   Outcome = "applied"   // published
	Refused   Outcome = "refused"   // published, but an Envoy did not accept it
	Failed    Outcome = "failed"    // the files could not be read
)

// Outcomes lists them all.
func Outcomes() []Outcome { return []Outcome{Unchanged, Invalid, Applied, Refused, Failed} }

// Good says whether what the files ask for is what serves.
func (o Outcome) Good() bool { return o == Unchanged || o == Applied }

// Told is the outcome after the words "the last attempt".
func (o Outcome) Told() string {
	if o == Failed {
		return string(o)
	}
	return "was " + string(o)
}

func (o Outcome) httpStatus() int {
	switch o {
	case Unchanged, Applied:
		return http.StatusOK
	case Failed:
		return http.StatusInternalServerError
	default:
		return http.StatusUnprocessableEntity
	}
}

// Attempt is one attempt to load the configuration.
type Attempt struct {
	Outcome     Outcome         `json:"outcome"`
	At          time.Time       `json:"at"`
	Took        Duration        `json:"took"`                 // reading is not part of it
	Generation  string          `json:"generation,omitempty"` // of what was loaded; absent where loading failed
	Error       string          `json:"error,omitempty"`      // what went wrong besides the diagnostics
	Diagnostics json.RawMessage `json:"diagnostics"`          // a list, as `weir validate -o json` has it
	Report      string          `json:"report,omitempty"`     // the diagnostics as people read them, with snippets
}

// Duration is a time.Duration whose JSON is the text that the language uses too: "1.5s".
type Duration time.Duration

// MarshalText writes "12.345ms", and "5m" in place of "5m0s".
func (d Duration) MarshalText() ([]byte, error) {
	text := time.Duration(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return []byte(text), nil
}

// UnmarshalText reads what MarshalText wrote.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}

// State is what weir holds at one moment. It is never changed after it was handed out: a new one replaces it.
type State struct {
	Version       string
	StartedAt     time.Time
	Path          string // of the configuration, as the operator wrote it
	XDSAddress    string
	AdminAddress  string
	Generation    string    // that serves; empty before the first good load
	LoadedAt      time.Time // of Generation
	LastAttempt   *Attempt
	Configuration *model.Configuration // that serves; nil before the first good load

	// Mask hides what came from sensitive variables; nil: nothing did. It may be called by several at a time.
	Mask func(string) string

	// Restored is set while what serves comes from the state directory: there is no Configuration then.
	Restored *Restored

	// Withdrawn says, of an instance all of whose Envoys refused what the files ask for, what they refused.
	Withdrawn map[string]string
}

// masked is a text that people wrote, without what is sensitive in it.
func (s *State) masked(text string) string {
	if s.Mask == nil {
		return text
	}
	return s.Mask(text)
}

// Restored is a generation of an earlier run, which serves because the files cannot be loaded.
type Restored struct {
	LoadedAt  time.Time `json:"loaded_at"` // from files, by that run
	Instances []string  `json:"instances"`
}
