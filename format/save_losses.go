package format

import (
	"fmt"
	"iter"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Losses counts entries by what their StyleSave lines do not contain, because no
// request can set it or no option names it.
type Losses struct {
	n [len(lossKinds)]int
}

// lossKinds are the kinds of losses.
var lossKinds = [...]struct {
	what string
	lost func(f *ctnetlink.Flow, status ctnetlink.Status) bool
}{
	{"packet and byte counters", func(f *ctnetlink.Flow, _ ctnetlink.Status) bool {
		return f.Has(ctnetlink.AttrCountersOrig) || f.Has(ctnetlink.AttrCountersReply)
	}},
	{"start times", func(f *ctnetlink.Flow, _ ctnetlink.Status) bool { return f.Has(ctnetlink.AttrTimestamp) }},
	{"TCP window tracking: packets outside the window will pass", lostWindow},
	{"the master connection: rules will not see them as related", func(f *ctnetlink.Flow, status ctnetlink.Status) bool {
		return f.Has(ctnetlink.AttrTupleMaster) || status&ctnetlink.StatusExpected != 0
	}},
	{"sequence adjustments: these connections will break", func(_ *ctnetlink.Flow, status ctnetlink.Status) bool {
		return status&ctnetlink.StatusSeqAdjust != 0
	}},
	{"SYNPROXY time stamp offsets: these connections will break", lostSynproxy},
	{"flow table offload: the rules offload the connections again",
		func(_ *ctnetlink.Flow, status ctnetlink.Status) bool {
			return status&(ctnetlink.StatusOffload|ctnetlink.StatusHWOffload) != 0
		}},
	{"security contexts and security marks", func(f *ctnetlink.Flow, _ ctnetlink.Status) bool {
		mark, _ := f.SecMark()
		return f.Has(ctnetlink.AttrSecCtx) || mark != 0
	}},
	{"translated GRE keys", func(f *ctnetlink.Flow, _ ctnetlink.Status) bool {
		return f.Orig().Proto == ctnetlink.ProtoGRE && (f.SourcePortNAT() || f.DestinationPortNAT())
	}},
	{"helpers with unprintable names", func(f *ctnetlink.Flow, _ ctnetlink.Status) bool {
		name, ok := f.Helper()
		return ok && !writable(name)
	}},
	{"the entries themselves: the table sent no addresses", func(f *ctnetlink.Flow, _ ctnetlink.Status) bool {
		return f.Orig().Has&ctnetlink.FieldAddrs != ctnetlink.FieldAddrs
	}},
}

// lostWindow reports whether the kernel checks an entry's packets against the TCP
// window, which it does not send. Entries created by a request have no window.
func lostWindow(f *ctnetlink.Flow, status ctnetlink.Status) bool {
	if f.Orig().Proto != ctnetlink.ProtoTCP {
		return false
	}
	info, _ := f.ProtoInfo()
	return info.Flags[0].Value&info.Flags[1].Value&ctnetlink.TCPBeLiberal == 0
}

// lostSynproxy reports whether an entry went through SYNPROXY. The kernel sends
// its numbers, as zeros, for other entries too.
func lostSynproxy(f *ctnetlink.Flow, _ ctnetlink.Status) bool {
	s, _ := f.Synproxy()
	return s != (ctnetlink.Synproxy{})
}

// Add counts what is lost of one entry.
func (l *Losses) Add(f *ctnetlink.Flow) {
	status, _ := f.Status()
	for i := range lossKinds {
		if lossKinds[i].lost(f, status) {
			l.n[i]++
		}
	}
}

// Lines returns a line for each kind of loss that occurred: the number of entries,
// and what they lose.
func (l *Losses) Lines() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, n := range l.n {
			if n > 0 && !yield(fmt.Sprintf("%d  %s", n, lossKinds[i].what)) {
				return
			}
		}
	}
}

// writable reports whether a line of a file can contain a name from outside.
func writable(name []byte) bool { return len(name) > 0 && printable.Is(name) }
