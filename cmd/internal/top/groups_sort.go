package top

import (
	"slices"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
)

// groupsPresets are the keys that b goes through.
var groupsPresets = []string{
	"src", "dst", "src,dst", "proto,dport", "dst,dport", "src/24/64", "dst/24/64", "proto,state", "mark", "zone",
}

// preset changes to keys after or before those that there are.
func (p *groups) preset(m *Model, by int) {
	n := len(groupsPresets)
	at := slices.Index(groupsPresets, keysText(p.by))
	if at < 0 && by < 0 {
		at = 0
	}
	keys, err := cmdline.ParseGroupKeys(groupsPresets[(at+by+n)%n])
	if err != nil {
		m.fail(err)
		return
	}
	p.setKeys(keys)
	m.refresh()
}

// sortKeys returns what groups can be sorted by, in the order of the columns.
func (p *groups) sortKeys() []string {
	keys, _ := groupNames(p.by)
	return append(keys, "entries", "packets", "bytes", "packet_rate", "byte_rate")
}

// sortNext sorts by the column after or before.
func (p *groups) sortNext(m *Model, by int) {
	keys := p.sortKeys()
	if !p.counted(m) {
		keys = keys[:len(p.by)+1]
	}
	if to := slices.Index(keys, p.sort) + by; to >= 0 && to < len(keys) {
		p.sortBy(m, keys[to])
	}
}

// sortBy sorts by a column, in the other direction if it is the one already: at first
// sums with the largest first, and keys with the least.
func (p *groups) sortBy(m *Model, column string) {
	if column == "share" {
		column = "entries"
	}
	if column == p.sort {
		p.descending = !p.descending
	} else {
		p.sort = column
		p.descending = slices.Index(p.sortKeys(), column) >= len(p.by)
	}
	p.unpin()
	m.refresh()
}
