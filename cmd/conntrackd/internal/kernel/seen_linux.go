package kernel

import (
	"context"
	"hash/maphash"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// seen is what the table had when a commit read it: a hash of each entry's original tuple
// and zone, with one of both tuples. It takes some 40 bytes for an entry. It is a guess
// that saves questions: entries come and go meanwhile.
type seen struct {
	seed    maphash.Seed
	entries map[uint64]uint64
}

// ends is what is hashed of a tuple.
type ends struct {
	src, dst         [16]byte
	srcPort, dstPort uint16
	icmpID           uint16
	icmpType, code   uint8
	proto            ctnetlink.Protocol
}

func endsOf(t *ctnetlink.Tuple) (e ends) {
	e = ends{srcPort: t.SrcPort, dstPort: t.DstPort, icmpID: t.ICMPID, icmpType: t.ICMPType, code: t.ICMPCode, proto: t.Proto}
	if t.Src.IsValid() {
		e.src = t.Src.As16()
	}
	if t.Dst.IsValid() {
		e.dst = t.Dst.As16()
	}
	return e
}

func (s *seen) hash(orig, reply *ctnetlink.Tuple, zone uint16, master bool) (key, whole uint64) {
	type hashed struct {
		zone   uint16
		master bool
		ends   [2]ends
	}
	h := hashed{zone: zone}
	h.ends[0] = endsOf(orig)
	key = maphash.Comparable(s.seed, h)
	h.master, h.ends[1] = master, endsOf(reply)
	return key, maphash.Comparable(s.seed, h)
}

// judge returns how to begin with an entry.
func (s *seen) judge(spec *ctnetlink.FlowSpec) action {
	key, whole := s.hash(&spec.Orig, &spec.Reply, spec.Zone, spec.Set.Has(ctnetlink.AttrTupleMaster))
	switch there, ok := s.entries[key]; {
	case !ok:
		return create
	case there == whole:
		return change
	}
	return recreate
}

const (
	// sampleSize is after how many creations it is decided whether to read the table.
	sampleSize = 256
	// A question and what it takes to learn that it is needed cost some three times as
	// much as one entry of a dump.
	questionCost = 3
)

// sample decides, once, whether to read the table: if enough of what came first exists in
// it already.
func (w *writer) sample(ctx context.Context) error {
	if w.asked || w.tried < sampleSize {
		return nil
	}
	w.asked = true
	if w.existed == 0 {
		return nil
	}
	entries, _, err := w.t.commits.conn.Count()
	if err != nil {
		return err
	}
	expected := int64(w.commit.Total) * int64(w.existed) / int64(w.tried)
	if expected*questionCost < int64(entries) {
		return nil
	}
	s := &seen{seed: maphash.MakeSeed(), entries: make(map[uint64]uint64, entries)}
	reader := w.t.conn.Beside()
	defer reader.Close()
	for f, err := range reader.Dump(nil) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		zone, _ := f.Zone()
		key, whole := s.hash(f.Orig(), f.Reply(), zone, f.Has(ctnetlink.AttrTupleMaster))
		s.entries[key] = whole
	}
	w.seen = s
	return nil
}
