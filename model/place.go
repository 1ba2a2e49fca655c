package model

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
)

// Block is where a top-level block stands now. Lines that are added above it, or a move to another file, change that
// without changing anything that the block says: the nouns made of it stay as they are, and their Places follow.
type Block struct{ at atomic.Pointer[spot] }

type spot struct {
	file string
	line int
}

// NewBlock is a block whose first line is this one of a file.
func NewBlock(file string, line int) *Block {
	b := new(Block)
	b.Move(file, line)
	return b
}

// Move says where the block stands from now on. Readers of Places may be at work meanwhile.
func (b *Block) Move(file string, line int) { b.at.Store(&spot{file, line}) }

// Place is a place in the block: so many lines below its first one, and the column, from 1.
func (b *Block) Place(below, column int) Place {
	return Place{block: b, below: int32(below), column: int32(column)}
}

// Place is where something stands in the operator's files, found out when it is asked for. The zero Place is nowhere.
type Place struct {
	block         *Block
	below, column int32
}

// PlaceAt is a place that belongs to no block.
func PlaceAt(file string, line, column int) Place {
	if file == "" {
		return Place{}
	}
	return NewBlock(file, line).Place(0, column)
}

// IsZero tells that there is no place.
func (p Place) IsZero() bool { return p.block == nil }

// File is the file's name as messages print it, relative to the configuration's root, with slashes; or "".
func (p Place) File() string {
	file, _ := p.position()
	return file
}

// Line counts from 1; it is 0 for no place.
func (p Place) Line() int {
	_, line := p.position()
	return line
}

// Column counts from 1, in characters; it is 0 for no place.
func (p Place) Column() int { return int(p.column) }

func (p Place) position() (file string, line int) {
	if p.block == nil {
		return "", 0
	}
	at := p.block.at.Load()
	return at.file, at.line + int(p.below)
}

// String is the "file:line" of log lines, or "" for no place.
func (p Place) String() string {
	file, line := p.position()
	if file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// Equal tells whether two places are the same now.
func (p Place) Equal(q Place) bool {
	file, line := p.position()
	other, at := q.position()
	return file == other && line == at && p.column == q.column
}

// MarshalJSON writes the place as it is now.
func (p Place) MarshalJSON() ([]byte, error) {
	file, line := p.position()
	return json.Marshal(struct {
		File         string
		Line, Column int
	}{file, line, p.Column()})
}
