package replay

import (
	"strconv"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/capture"
	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/format"
)

// showTable shows the table at the end. Entries that are explained have a history
// of their packets: the captures are replayed a second time for it, as it is known
// only now which entries they are.
func (r *run) showTable() error {
	q := r.options.request
	if !q.Has(cmdline.OptExplain) || r.stopped.Load() {
		return action.RunTable(r.Streams, q, r.tableOf(), nil)
	}
	h, err := newHistories(r)
	if err != nil {
		return err
	}
	again := &run{Streams: console.Discard(), options: r.options, histories: h}
	defer again.close()
	second := *r.options
	second.write, second.guessLocal = "", false // the addresses are known
	again.options = &second
	if err := again.prepare(); err != nil {
		return err
	}
	if err := again.replay(); err != nil {
		return err
	}
	return action.RunTable(r.Streams, q, r.tableOf(), h.append)
}

// end is one direction of a connection, as packets have it.
type end ctnetlink.Tuple

// endOf returns the tuple without what packets do not show.
func endOf(t *ctnetlink.Tuple) end {
	e := end(*t)
	e.Has, e.Zone = 0, 0
	if t.Proto == ctnetlink.ProtoGRE {
		e.SrcPort, e.DstPort = 0, 0
	}
	return e
}

// histories are what packets did to some entries.
type histories struct {
	of     map[end]*history // by both directions
	packet format.Packet
	own    ctnetlink.Tuple
	reason []byte
}

// history is what packets did to an entry: a line for each packet that changed its
// state, had no effect, or was dropped.
type history struct {
	lines   []byte
	packets int
	notable int
	quiet   int // packets since the last line
}

const (
	maxHistories = 10_000 // entries
	maxNotable   = 40     // lines of each
)

// newHistories returns the histories of the entries that match, empty so far.
func newHistories(r *run) (*histories, error) {
	h := &histories{of: map[end]*history{}}
	match := r.options.request.Filter()
	match.Now = r.now
	for f, err := range r.tableOf().Conn.Dump(&ctnetlink.DumpRequest{}) {
		if err != nil {
			return nil, err
		}
		if len(h.of) < 2*maxHistories && match.Match(f) {
			one := &history{}
			h.of[endOf(f.Orig())], h.of[endOf(f.Reply())] = one, one
		}
	}
	return h, nil
}

// add notes a packet, if it is of one of the entries.
func (h *histories) add(rec *capture.Record, v *engine.Verdict) {
	if v == nil {
		return
	}
	tupleOf(rec.Data, &h.own)
	one := h.of[endOf(&h.own)]
	if one == nil {
		return
	}
	if v.New {
		*one = history{} // of an entry before
	}
	one.packets++
	if (v.Before == v.After || v.Entry.IsZero()) && !v.New && v.Reason.Code == engine.NoReason && v.Fate != engine.Dropped {
		one.quiet++
		return
	}
	if one.notable++; one.notable > maxNotable {
		one.quiet++
		return
	}
	one.pause()
	k := &h.packet
	*k = format.Packet{
		Number: rec.Number, Time: rec.Time, Verdict: verdictName(v), Tuple: &ctnetlink.Tuple{}, Own: &ctnetlink.Tuple{},
		Name: v.Reason.Code.Name(), Leaves: v.Fate.String(),
	}
	if !v.Entry.IsZero() {
		k.Entry, k.Timeout = v.Confirmed, v.Entry.Timeout()
		k.Before, k.After = v.Before, v.After
	}
	if isTracked(v.State) {
		if k.Direction = "original"; v.Reply {
			k.Direction = "reply"
		}
	}
	if v.Fate == engine.Dropped {
		k.Dropped = v.DroppedBy.Name()
	}
	h.reason = v.Reason.AppendText(h.reason[:0])
	k.Reason = h.reason
	one.lines = format.NewPacketPrinter(format.StyleClassic, false).Append(one.lines, k)
}

// pause writes a line for the packets since the last one.
func (one *history) pause() {
	if one.quiet > 0 {
		one.lines = append(one.lines, "     … "...)
		one.lines = strconv.AppendInt(one.lines, int64(one.quiet), 10)
		one.lines = append(one.lines, " more\n"...)
		one.quiet = 0
	}
}

// append appends the history of an entry.
func (h *histories) append(b []byte, f *ctnetlink.Flow) []byte {
	one := h.of[endOf(f.Orig())]
	if one == nil || one.packets == 0 {
		return b
	}
	one.pause()
	b = append(b, "Packets     "...)
	b = strconv.AppendInt(b, int64(one.packets), 10)
	b = append(b, ", of which these changed its state, or had no effect:\n"...)
	return append(b, one.lines...)
}
