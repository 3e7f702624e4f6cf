package format

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// How a table fits the width of a line. A column of addresses can be made narrower
// by cutting its addresses in the middle: down to its width least, if that makes
// room for state, expiry and translation, and down to its width roomy, if it makes
// room for a column of a higher rank.

// usualColumn is a column of the tables that nobody chose columns for.
type usualColumn struct {
	name string
	// rank is the order in which columns are chosen until the width is used up.
	// Those of rank 0 are always shown.
	rank int
	// least and roomy are the widths that addresses can be cut to, 0 for other
	// columns.
	least, roomy int
}

// lastEssential is the last rank for which addresses are cut to the least width.
const lastEssential = 4

// Widths of columns of addresses.
const (
	leastAddr = 12              // of an address, cut, with its port
	leastEnd  = 15              // of a source or destination
	roomyEnd  = 21              // of 255.255.255.255:65535
	leastNAT  = 5 + leastAddr   // "snat " and a shortened address
	roomyNAT  = 36              // of two short translations
	leastPair = 2*leastAddr + 3 // "A > B"
	roomyPair = 2*roomyEnd + 3
)

// The usual columns in the order in which they are shown.
var (
	tableFlow = []usualColumn{
		{name: "netns"}, {name: "proto"}, {name: "condition", rank: 1}, {name: "timeout", rank: 3},
		{name: "age", rank: 10},
		{name: "source", least: leastEnd, roomy: roomyEnd}, {name: "destination", least: leastEnd, roomy: roomyEnd},
		{name: "translation", rank: lastEssential, least: leastNAT, roomy: roomyNAT},
		{name: "process", rank: 5},
		{name: "packet_rate", rank: 6}, {name: "byte_rate", rank: 2},
		{name: "packets", rank: 6}, {name: "bytes", rank: 5}, {name: "mark", rank: 7}, {name: "zone", rank: 8},
		{name: "helper", rank: 9}, {name: "labels", rank: 9},
	}
	tableExpect = []usualColumn{
		{name: "netns"}, {name: "proto"}, {name: "timeout", rank: 1},
		{name: "source", least: leastEnd, roomy: roomyEnd}, {name: "destination", least: leastEnd, roomy: roomyEnd},
		{name: "master", rank: 2, least: leastPair, roomy: roomyPair},
		{name: "helper", rank: 5}, {name: "flags", rank: 6}, {name: "zone", rank: 7},
	}
)

// narrow returns the width that the column can be cut to, to make room for a column
// of the rank.
func (c *tableColumn) narrow(rank int) int {
	switch {
	case c.least == 0:
		return c.width
	case rank > lastEssential:
		return min(c.width, c.roomy)
	}
	return min(c.width, c.least)
}

// fit chooses the columns that are shown, returns their indexes, and sets their
// widths.
func (t *table) fit() []int {
	var ranked []int
	for i := range t.columns {
		if c := &t.columns[i]; !c.usual || c.used {
			ranked = append(ranked, i)
		}
	}
	slices.SortStableFunc(ranked, func(i, j int) int { return cmp.Compare(t.columns[i].rank, t.columns[j].rank) })
	n := 0
	for n < len(ranked) && t.fits(ranked[:n+1]) {
		n++
	}
	shown := ranked[:n]
	for _, i := range ranked[n:] {
		t.omitted[i] = true
	}
	t.fits(shown)
	t.widen(shown)
	slices.Sort(shown)
	return shown
}

// fits sets columns to the least widths that the last of them, the one of the
// highest rank, allows, and reports whether they fit then.
func (t *table) fits(shown []int) bool {
	if len(shown) == 0 {
		return true
	}
	rank := t.columns[shown[len(shown)-1]].rank
	for _, i := range shown {
		c := &t.columns[i]
		if c.fit = c.width; t.width > 0 {
			c.fit = c.narrow(rank)
		}
	}
	return rank == 0 || t.width == 0 || t.spare(shown) >= 0
}

// spare returns how much of the width the columns leave.
func (t *table) spare(shown []int) int {
	spare := t.width + gap
	for _, i := range shown {
		spare -= gap + t.columns[i].fit
	}
	return spare
}

// widen distributes what the columns leave of the width, the narrowest first:
// to all until they are roomy, then to those that need more.
func (t *table) widen(shown []int) {
	spare := t.spare(shown)
	for _, roomy := range []bool{true, false} {
		for ; spare > 0; spare-- {
			var narrowest *tableColumn
			for _, i := range shown {
				c := &t.columns[i]
				if c.fit < c.width && (!roomy || c.fit < c.roomy) && (narrowest == nil || c.fit < narrowest.fit) {
					narrowest = c
				}
			}
			if narrowest == nil {
				break
			}
			narrowest.fit++
		}
	}
}

// ellipsis replaces the middle of an address.
const ellipsis = "…"

// shorten cuts the addresses of a cell in the middle, the longest first, so that
// the cell takes no more than width columns. Where that is not enough for two
// translations, only the first is left.
func shorten(cell string, width int) string {
	over := textWidth(cell) - width
	if over <= 0 {
		return cell
	}
	words := strings.Fields(cell)
	if len(words) == 0 {
		return "" // a name of blanks
	}
	widths := make([]int, len(words))
	for i, word := range words {
		widths[i] = textWidth(word)
	}
	for ; over > 0; over-- {
		longest := 0
		for i, n := range widths {
			if n > widths[longest] {
				longest = i
			}
		}
		if widths[longest] <= leastAddr && len(words) > 3 {
			return shorten(words[0]+" "+words[1], width-1-textWidth(ellipsis)) + " " + ellipsis
		}
		widths[longest]--
	}
	for i, word := range words {
		if widths[i] < textWidth(word) {
			words[i] = shortenAddr(word, widths[i])
		}
	}
	return strings.Join(words, " ")
}

// shortenAddr cuts an address, or a name in its place, in the middle. Its port stays.
func shortenAddr(addr string, width int) string {
	end := len(addr)
	if i := strings.IndexByte(addr, ']'); i >= 0 {
		end = i
	} else if i := strings.IndexByte(addr, ':'); i >= 0 && i == strings.LastIndexByte(addr, ':') {
		end = i
	}
	room := max(width-textWidth(ellipsis)-textWidth(addr[end:]), 0)
	return addr[:firstColumns(addr[:end], (room+1)/2)] + ellipsis + addr[end-lastColumns(addr[:end], room/2):]
}

// firstColumns returns how many bytes at the beginning of a text have room in n
// columns.
func firstColumns(text string, n int) int {
	for i, r := range text {
		if n -= textWidth(string(r)); n < 0 {
			return i
		}
	}
	return len(text)
}

// lastColumns returns how many bytes at the end of a text have room in n columns.
func lastColumns(text string, n int) int {
	taken := 0
	for taken < len(text) {
		r, size := utf8.DecodeLastRuneInString(text[:len(text)-taken])
		if n -= textWidth(string(r)); n < 0 {
			break
		}
		taken += size
	}
	return taken
}
