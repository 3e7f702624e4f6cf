package live

import (
	"sync"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// wordTable has the values of the fields that are words from a fixed list, in the form
// of package stats.
type wordTable struct {
	absent                                 []byte
	family                                 [2][]byte // IPv4, IPv6
	proto                                  [256][]byte
	tcp, sctp                              [256][]byte // by the number of the state
	unreplied, replied, assured, offloaded []byte
}

var allWords = sync.OnceValue(func() *wordTable {
	text := func(s string) []byte { return stats.AppendText(nil, []byte(s)) }
	w := &wordTable{
		absent: stats.AppendAbsent(nil), family: [2][]byte{text("ipv4"), text("ipv6")},
		unreplied: text("unreplied"), replied: text("replied"), assured: text("assured"), offloaded: text("offloaded"),
	}
	for n := range w.proto {
		p := ctnetlink.Protocol(n)
		w.proto[n] = text(p.String())
		w.tcp[n], w.sctp[n] = text(stateName(ctnetlink.ProtoTCP, n)), text(stateName(ctnetlink.ProtoSCTP, n))
	}
	return w
})

// stateName returns the name of a state, UNKNOWN if it has none.
func stateName(p ctnetlink.Protocol, number int) string {
	if names := p.StateNames(); number < len(names) {
		return names[number]
	}
	return "UNKNOWN"
}

var wordReaders = map[string]func(*question, *entry) []byte{
	"family": func(q *question, e *entry) []byte { return q.words.family[e.p.kind/kindIPv6&1] },
	"proto":  func(q *question, e *entry) []byte { return q.words.proto[e.proto()] },
	"state": func(q *question, e *entry) []byte {
		if w := q.words.state(e); w != nil {
			return w
		}
		return q.words.absent
	},
	"condition": func(q *question, e *entry) []byte { return q.words.condition(e) },
	"status":    (*question).statusWord,
	"netns":     func(q *question, _ *entry) []byte { return q.netns },
	"source": func(q *question, e *entry) []byte {
		t := e.orig()
		q.cell = appendEnd(q.cell[:0], e.addr(t.src), t.ports>>16, e.showsPorts())
		return q.cellWord()
	},
	"destination": func(q *question, e *entry) []byte {
		t := e.orig()
		q.cell = appendEnd(q.cell[:0], e.addr(t.dst), t.ports&0xffff, e.showsPorts())
		return q.cellWord()
	},
	"translation": func(q *question, e *entry) []byte {
		if q.cell = e.appendTranslation(q.cell[:0]); len(q.cell) == 0 {
			return q.words.absent
		}
		return q.cellWord()
	},
}

// cellWord returns the text of the cell as a value.
func (q *question) cellWord() []byte {
	q.word = stats.AppendText(q.word[:0], q.cell)
	return q.word
}

// state returns the state of the protocol of an entry that is not odd, nil if it has
// none.
func (w *wordTable) state(e *entry) []byte {
	r := e.core()
	switch {
	case r.state == noState:
		return nil
	case r.proto == ctnetlink.ProtoTCP:
		return w.tcp[r.state]
	}
	return w.sctp[r.state]
}

// condition returns the value of the field condition, see package format.
func (w *wordTable) condition(e *entry) []byte {
	status, ok := e.status()
	if status&(ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0 && ok {
		return w.offloaded
	}
	if state := w.state(e); state != nil {
		return state
	}
	switch {
	case !ok:
		return w.absent
	case status&ctnetlink.StatusAssured != 0:
		return w.assured
	case status&ctnetlink.StatusSeenReply != 0:
		return w.replied
	}
	return w.unreplied
}

// statusWord returns the value of the field status, which is made once for each status
// that there is.
func (q *question) statusWord(e *entry) []byte {
	status, ok := e.status()
	if !ok {
		return q.words.absent
	}
	w, ok := q.statuses[status]
	if !ok {
		text := q.printer.AppendField(nil, statusField, q.whole(e), &q.context)
		if w = q.words.absent; len(text) > 0 {
			w = stats.AppendText(nil, text)
		}
		if q.statuses == nil {
			q.statuses = map[ctnetlink.Status][]byte{}
		}
		q.statuses[status] = w
	}
	return w
}

var statusField = format.FieldByName("status")
