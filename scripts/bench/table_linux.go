package main

import (
	"fmt"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// contents is what the table is filled with.
type contents struct {
	kind    kind
	entries int
}

type kind uint8

const (
	unknown kind = iota // a command was there
	mixed               // mixedEntry
	tcp                 // tcpEntry
)

// want fills the table, unless that is what it holds.
func (b *bench) want(k kind, n int) error {
	if b.holds.kind != k || b.holds.entries > n {
		if err := b.flush(); err != nil {
			return err
		}
	}
	g := tcpEntry
	if k == mixed {
		g = mixedEntry
	}
	have := b.holds.entries
	b.holds = contents{}
	if err := b.batch.create(g, have, n-have, batchSize); err != nil {
		return err
	}
	b.holds = contents{k, n}
	return nil
}

// flush empties the table.
func (b *bench) flush() error {
	b.holds = contents{}
	return b.table.Flush(ctnetlink.FamilyAny)
}

// refill is a contestant's preparation: n fresh TCP entries.
func (b *bench) refill(n int) func() error {
	return func() error {
		if err := b.flush(); err != nil {
			return err
		}
		err := b.want(tcp, n)
		b.holds = contents{} // it is about to change
		return err
	}
}

// left checks that a run left n entries.
func (b *bench) left(n int) error {
	entries, _, err := b.table.Count()
	if err == nil && int(entries) != n {
		err = fmt.Errorf("%d entries are in the table, not %d", entries, n)
	}
	return err
}
