package lang

import (
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/weirproxy/weir/model"
)

// Type is what an attribute holds.
type Type int

// The types of attributes.
const (
	String        Type = iota // text; a number or a boolean is taken as its text
	Bool                      // true or false
	Int                       // a whole number
	Number                    // a number
	Duration                  // text such as "15s"; never a number, never negative
	StringList                // a list of texts
	StringMap                 // texts by name
	Reference                 // one block of another kind, such as vpc.main
	ReferenceList             // a list of such
)

// String is the type's name as messages print it.
func (t Type) String() string {
	switch t {
	case String:
		return "text"
	case Bool:
		return "true or false"
	case Int:
		return "a whole number"
	case Number:
		return "a number"
	case Duration:
		return `a duration such as "15s"`
	case StringList:
		return "a list of texts"
	case StringMap:
		return "an object of texts"
	case Reference:
		return "a reference"
	case ReferenceList:
		return "a list of references"
	}
	return fmt.Sprintf("Type(%d)", int(t))
}

// Attribute says that a block may hold NAME = VALUE.
type Attribute struct {
	Name     string
	Type     Type
	Kind     string // of a Reference or ReferenceList: the kind of block that it names
	Required bool
}

// Label says what stands between a nested block's type and its brace.
type Label int

// The kinds of label.
const (
	NoLabel   Label = iota
	NameLabel       // a name as rule 1 has it, unique among the parent's blocks of this type
	FreeLabel       // any text that is not empty
)

// BlockType says that a block may hold nested blocks of a type.
type BlockType struct {
	Type     string
	Label    Label
	Min, Max int // 0: no bound
	Schema   *Schema
}

// Schema is everything that a block may hold. Whatever else stands in it is an error.
type Schema struct {
	Attributes []Attribute
	Blocks     []BlockType

	// Hints are for names that do not stand here, in lower case, because they stand elsewhere or are another program's: the name that is
	// meant or, with a space in it, a sentence that says what to write. The hint for "" is for all others, "%s" in it
	// is the name.
	Hints map[string]string
}

// attribute is the position of an attribute in the schema, or -1.
func (s *Schema) attribute(name string) int {
	for i := range s.Attributes {
		if s.Attributes[i].Name == name {
			return i
		}
	}
	return -1
}

// block is the position of a block type in the schema, or -1.
func (s *Schema) block(typ string) int {
	for i := range s.Blocks {
		if s.Blocks[i].Type == typ {
			return i
		}
	}
	return -1
}

// names are all names that the schema knows, for suggestions.
func (s *Schema) names() []string {
	names := make([]string, 0, len(s.Attributes)+len(s.Blocks))
	for _, a := range s.Attributes {
		names = append(names, a.Name)
	}
	for _, b := range s.Blocks {
		names = append(names, b.Type)
	}
	return names
}

// Ref is a reference: the kind and the name of a block that stands in the text.
type Ref struct{ Kind, Name string }

// State says whether a value was said and can be used.
type State int

// The states of a value.
const (
	Absent  State = iota // not said, or null
	Invalid              // said, but wrong: that was reported, do not judge it again
	Valid
)

// Value is what a block says under one name.
type Value[T any] struct {
	V         T
	Range     hcl.Range // of the expression; of the block's header where the value is absent
	State     State
	Sensitive bool // it came from a sensitive variable; Module.Mask knows it
}

// Valid tells that the value was said and is of its type.
func (v Value[T]) Valid() bool { return v.State == Valid }

// Said tells that something stands in the text, valid or not.
func (v Value[T]) Said() bool { return v.State != Absent }

// Or is the value, or def where it was not said or is invalid.
func (v Value[T]) Or(def T) T {
	if v.State == Valid {
		return v.V
	}
	return def
}

// Body is the inside of a block, evaluated. A name that the block's schema does not hold, or holds with another
// type, is a mistake of the program and panics.
type Body struct {
	Label    Value[string] // of a nested block; of a top-level block its name
	DefRange hcl.Range     // the block's header: its type and labels

	schema *Schema
	values []value   // by position in schema.Attributes
	blocks [][]*Body // by position in schema.Blocks
	broken bool

	anchor *model.Block // of the top-level block around, whose first line is this one
	first  int
}

// Place is where the block's header stands. It moves with the top-level block around.
func (b *Body) Place() model.Place {
	return b.anchor.Place(b.DefRange.Start.Line-b.first, b.DefRange.Start.Column)
}

// value is an attribute's value before its type is known to the compiler.
type value struct {
	v         any
	rng       hcl.Range
	state     State
	sensitive bool
}

// body is one without content, in the block that is decoded.
func (d *decoder) body(s *Schema, def hcl.Range) *Body {
	return &Body{
		DefRange: def,
		anchor:   d.block.anchor,
		first:    d.block.DefRange.Start.Line,
		schema:   s,
		values:   make([]value, len(s.Attributes)),
		blocks:   make([][]*Body, len(s.Blocks)),
	}
}

// String is a String attribute.
func (b *Body) String(name string) Value[string] { return get[string](b, name, String) }

// Bool is a Bool attribute.
func (b *Body) Bool(name string) Value[bool] { return get[bool](b, name, Bool) }

// Int is an Int attribute.
func (b *Body) Int(name string) Value[int] { return get[int](b, name, Int) }

// Number is a Number attribute.
func (b *Body) Number(name string) Value[float64] { return get[float64](b, name, Number) }

// Duration is a Duration attribute.
func (b *Body) Duration(name string) Value[time.Duration] {
	return get[time.Duration](b, name, Duration)
}

// Ref is a Reference attribute. Its target stands in the text, but may be missing from Module.Blocks when it is bad.
func (b *Body) Ref(name string) Value[Ref] { return get[Ref](b, name, Reference) }

// StringList is a StringList attribute. The list is Invalid as a whole when it is no list; an element may be Invalid
// on its own, its neighbours are then still to be judged.
func (b *Body) StringList(name string) Value[[]Value[string]] {
	return get[[]Value[string]](b, name, StringList)
}

// Pair is one entry of a StringMap.
type Pair struct {
	Key   Value[string] // always Valid
	Value Value[string]
}

// StringMap is a StringMap attribute, by key. It is Invalid as a whole when it is no object; a value may be Invalid on its
// own. A key that the text has twice, which to HCL is the last of them, is reported.
func (b *Body) StringMap(name string) Value[[]Pair] { return get[[]Pair](b, name, StringMap) }

// RefList is a ReferenceList attribute, with elements as in StringList.
func (b *Body) RefList(name string) Value[[]Value[Ref]] {
	return get[[]Value[Ref]](b, name, ReferenceList)
}

// Blocks are the nested blocks of a type, in the order of the text, those of "dynamic" blocks at their place.
func (b *Body) Blocks(typ string) []*Body {
	i := b.schema.block(typ)
	if i < 0 {
		panic(fmt.Sprintf("lang: the schema has no block %q", typ))
	}
	return b.blocks[i]
}

// Broken tells that something inside, at any depth, was reported.
func (b *Body) Broken() bool { return b.broken }

func get[T any](b *Body, name string, typ Type) Value[T] {
	i := b.schema.attribute(name)
	if i < 0 || b.schema.Attributes[i].Type != typ {
		panic(fmt.Sprintf("lang: the schema has no attribute %q that is %s", name, typ))
	}
	v := b.values[i]
	if v.state == Absent {
		return Value[T]{Range: b.DefRange}
	}
	out := Value[T]{Range: v.rng, State: v.state, Sensitive: v.sensitive}
	if v.state == Valid {
		out.V = v.v.(T)
	}
	return out
}
