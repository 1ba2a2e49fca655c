package function

import (
	"crypto/md5"  //nolint:gosec // a function of Terraform's by this name; nothing here relies on it
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// digest is a hash function and how its sum is written.
type digest struct {
	sum    func([]byte) []byte
	encode func([]byte) string
}

// digests is by the name of the function; each has a file variant too.
var digests = map[string]digest{
	"base64sha256": {sum256, base64.StdEncoding.EncodeToString},
	"base64sha512": {sum512, base64.StdEncoding.EncodeToString},
	"md5":          {func(b []byte) []byte { s := md5.Sum(b); return s[:] }, hex.EncodeToString},  //nolint:gosec
	"sha1":         {func(b []byte) []byte { s := sha1.Sum(b); return s[:] }, hex.EncodeToString}, //nolint:gosec
	"sha256":       {sum256, hex.EncodeToString},
	"sha512":       {sum512, hex.EncodeToString},
}

func sum256(b []byte) []byte { s := sha256.Sum256(b); return s[:] }
func sum512(b []byte) []byte { s := sha512.Sum512(b); return s[:] }

func (d digest) of(data []byte) string { return d.encode(d.sum(data)) }

var hashEntries = makeHashEntries()

func makeHashEntries() map[string]entry {
	entries := map[string]entry{"uuidv5": {fn: uuidV5Func}}
	for name, d := range digests {
		entries[name] = entry{fn: textFunc("str", func(s string) (string, error) { return d.of([]byte(s)), nil })}
	}
	return entries
}

// uuidNamespaces are the names that stand for the name spaces of RFC 9562, section 6.6.
var uuidNamespaces = map[string]string{
	"dns":  "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
	"url":  "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
	"oid":  "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
	"x500": "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
}

// uuidV5Func makes a UUID of a name: no random number is in it.
var uuidV5Func = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "namespace", Type: cty.String}, {Name: "name", Type: cty.String}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		namespace := args[0].AsString()
		if known, ok := uuidNamespaces[namespace]; ok {
			namespace = known
		}
		prefix, err := parseUUID(namespace)
		if err != nil {
			return cty.NilVal, function.NewArgError(0, err)
		}
		sum := sha1.Sum(append(prefix, args[1].AsString()...)) //nolint:gosec // what version 5 is made of
		id := sum[:16]
		id[6] = id[6]&0x0f | 5<<4 // the version
		id[8] = id[8]&0x3f | 0x80 // the variant
		return cty.StringVal(fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])), nil
	},
})

func parseUUID(s string) ([]byte, error) {
	const shape = "00000000-0000-0000-0000-000000000000"
	errShape := errors.New(`must be "dns", "url", "oid", "x500" or a UUID`)
	if len(s) != len(shape) {
		return nil, errShape
	}
	for i := range shape {
		if (shape[i] == '-') != (s[i] == '-') {
			return nil, errShape
		}
	}
	id, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil {
		return nil, errShape
	}
	return id, nil
}
