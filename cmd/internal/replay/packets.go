package replay

import (
	"github.com/gonntrack/gonntrack/cmd/internal/capture"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/filter"
	"github.com/gonntrack/gonntrack/format"
)

// packetWriter shows packets.
type packetWriter struct {
	out     *console.Output
	printer *format.PacketPrinter // nil: they are counted, not shown
	match   *filter.Filter        // nil: all packets
	files   bool                  // there are several captures
	invalid bool                  // only INVALID packets
	shown   int
	count   counts // of the packets that were shown
	packet  format.Packet
	left    ctnetlink.Tuple
	own     ctnetlink.Tuple
	flow    ctnetlink.Flow
	message []byte
	reason  []byte
	kernel  []byte
}

func newPacketWriter(r *run) *packetWriter {
	q := r.options.request
	w := &packetWriter{out: r.Out, files: len(r.options.files) > 1, invalid: r.options.mode == showInvalid}
	if q.Selects() {
		w.match = q.Filter()
		w.match.Now = r.now
	}
	if r.options.mode != showSummary {
		w.printer = format.NewPacketPrinter(q.Output.Style, w.files)
		w.out.Buf = w.printer.AppendHeader(w.out.Buf)
	}
	return w
}

// add shows a packet if it is one of those that are meant. v is nil for a record
// that is not a packet for the table.
func (w *packetWriter) add(rec *capture.Record, v *engine.Verdict) error {
	if w.invalid && (v == nil || v.State != engine.StateInvalid) {
		return nil
	}
	k := &w.packet
	*k = format.Packet{Number: rec.Number, Interface: rec.Interface, Time: rec.Time, Verdict: verdictName(v), Own: &w.own}
	if w.files {
		k.File = rec.File.Name
	}
	tupleOf(rec.Data, &w.own)
	k.Tuple = k.Own
	entry := v != nil && !v.Entry.IsZero()
	if entry {
		w.message = v.Entry.Append(w.message[:0])
		if err := w.flow.Decode(w.message); err != nil {
			return err
		}
		k.Tuple, k.Entry, k.Timeout = w.flow.Orig(), v.Confirmed, v.Entry.Timeout()
		k.Before, k.After = v.Before, v.After
	}
	if v != nil && isTracked(v.State) {
		if k.Direction = "original"; v.Reply {
			k.Direction = "reply"
		}
	}
	if w.match != nil && !w.matches(entry) {
		return nil
	}
	w.shown++
	w.count.add(rec, v)
	if w.printer == nil {
		return nil
	}
	switch {
	case v == nil && rec.Data == nil:
		k.Reason, k.Name = append(w.reason[:0], rec.Frame...), "not-ip"
	case v != nil:
		w.reason = v.AppendReason(w.reason[:0])
		w.kernel = v.AppendKernel(w.kernel[:0])
		k.Reason, k.Name, k.Kernel = w.reason, v.Reason.Code.Name(), w.kernel
		k.Leaves = v.Fate.String()
		if v.Fate == engine.Dropped {
			k.Dropped = v.DroppedBy.Name()
		}
		if v.Fate == engine.Translated && len(v.Leaves) > 0 {
			tupleOf(v.Leaves[0], &w.left)
			k.Left = &w.left
		}
	}
	w.out.Buf = w.printer.Append(w.out.Buf, k)
	return w.out.Spill()
}

// matches reports whether the filter selects the packet: by its entry, or by its
// own tuple in either direction.
func (w *packetWriter) matches(entry bool) bool {
	if entry {
		return w.match.Match(&w.flow)
	}
	if w.own.Has == 0 {
		return false
	}
	back := reversed(&w.own)
	for _, t := range [][2]*ctnetlink.Tuple{{&w.own, &back}, {&back, &w.own}} {
		spec := ctnetlink.FlowSpec{Family: w.own.Family(), Orig: *t[0], Reply: *t[1]}
		w.message = spec.AppendMessage(w.message[:0])
		if w.flow.Decode(w.message) == nil && w.match.Match(&w.flow) {
			return true
		}
	}
	return false
}

// isTracked reports whether a packet with a verdict is of a connection.
func isTracked(s engine.State) bool {
	return s == engine.StateNew || s == engine.StateEstablished || s == engine.StateRelated
}

// verdictName returns the name of a verdict. A packet that was dropped before it
// was tracked is DROPPED.
func verdictName(v *engine.Verdict) string {
	switch {
	case v == nil:
		return engine.StateNone.String()
	case v.State == engine.StateNone && v.Fate == engine.Dropped:
		return "DROPPED"
	}
	return v.State.String()
}
