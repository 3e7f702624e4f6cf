package engine_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// tally counts what was compared, to show that the tables neither refused nor
// accepted everything.
type tally map[string]map[string]int

func (t tally) add(st *step, answers, events []answer) {
	if t == nil {
		return
	}
	count := func(what, how string) {
		if t[what] == nil {
			t[what] = map[string]int{}
		}
		t[what][how]++
	}
	for _, a := range answers {
		i := int(a.seq & 0xff)
		switch {
		case i >= len(st.requests):
		case a.typ == nlmsgError && len(a.body) >= 4:
			how := "0"
			if n := -int32(binary.NativeEndian.Uint32(a.body)); n != 0 {
				how = ctnetlink.Errno(n).Error()
			}
			count(messageName(st.requests[i].typ), how)
		case a.typ >= 16:
			count(messageName(st.requests[i].typ), "messages")
		}
	}
	for _, a := range events {
		count("events", messageName(a.typ))
	}
}

// String returns one line per kind of request.
func (t tally) String() string {
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(t)) {
		if strings.HasPrefix(what, "type ") {
			continue // those of odd
		}
		fmt.Fprintf(&b, "\n  %s:", what)
		for _, how := range slices.Sorted(maps.Keys(t[what])) {
			fmt.Fprintf(&b, " %d %s,", t[what][how], how)
		}
	}
	return b.String()
}
