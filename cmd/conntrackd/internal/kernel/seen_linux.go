package kernel

import (
	"context"
	"hash/maphash"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// seen is what the table had when a commit read it, by a hash of each entry's original
// tuple and zone. It takes some 60 bytes for an entry. It is a guess that saves questions
// and requests: entries come and go meanwhile.
type seen struct {
	seed    maphash.Seed
	read    time.Time
	entries map[uint64]content
}

// content is what a commit compares of an entry.
type content struct {
	whole   uint64 // a hash of both tuples
	status  ctnetlink.Status
	mark    uint32
	left    uint32 // seconds
	state   ctnetlink.State
	settled bool // it has nothing else that an update would change
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

// add notes an entry of the table.
func (s *seen) add(f *ctnetlink.Flow) {
	zone, _ := f.Zone()
	key, whole := s.hash(f.Orig(), f.Reply(), zone, f.Has(ctnetlink.AttrTupleMaster))
	c := content{whole: whole}
	c.status, _ = f.Status()
	c.mark, _ = f.Mark()
	left, timed := f.Timeout()
	c.left = uint32(left / time.Second)
	c.settled = timed
	for _, a := range [...]ctnetlink.Attr{ctnetlink.AttrTupleMaster, ctnetlink.AttrHelp, ctnetlink.AttrLabels,
		ctnetlink.AttrSeqAdjOrig, ctnetlink.AttrSeqAdjReply} {
		c.settled = c.settled && !f.Has(a)
	}
	if info, ok := f.ProtoInfo(); ok {
		c.state = info.State
		c.settled = c.settled && loose(&info)
	}
	s.entries[key] = c
}

// loose reports whether what the table knows of a protocol's state is as a commit without
// windows leaves it.
func loose(p *ctnetlink.ProtoInfo) bool {
	return p.Proto == ctnetlink.ProtoTCP && p.WScale == [2]uint8{} &&
		p.Flags[0].Value&p.Flags[1].Value&ctnetlink.TCPBeLiberal != 0
}

// judge returns how to begin with an entry.
func (s *seen) judge(spec *ctnetlink.FlowSpec, age time.Duration, c *config.Config) action {
	key, whole := s.hash(&spec.Orig, &spec.Reply, spec.Zone, spec.Set.Has(ctnetlink.AttrTupleMaster))
	switch there, ok := s.entries[key]; {
	case !ok:
		return create
	case there.whole != whole:
		return recreate
	case there.holds(spec, left(spec, age, c), time.Since(s.read), c.CommitTimeout > 0):
		return keep
	}
	return change
}

const (
	// closeEnough is by how much the time that an entry has left may differ from what a
	// commit would set.
	closeEnough = 2 * time.Second
	// nearEnd is the time left with which an entry may end before the commit does.
	nearEnd = 10 * time.Second
	// plain are the attributes of which a content tells whether an update changes them,
	// and those that an update does not have.
	plain = 1<<ctnetlink.AttrStatus | 1<<ctnetlink.AttrTimeout | 1<<ctnetlink.AttrMark | 1<<ctnetlink.AttrProtoInfo |
		1<<ctnetlink.AttrNATSrc | 1<<ctnetlink.AttrNATDst | 1<<ctnetlink.AttrZone | 1<<ctnetlink.AttrSynproxy
)

// holds reports whether an update to what a peer told would change nothing, where want is
// the time left that it would set. The table was read since ago. More time than that stays,
// as traffic has given it, unless it is exact.
func (t *content) holds(spec *ctnetlink.FlowSpec, want, since time.Duration, exact bool) bool {
	has := time.Duration(t.left)*time.Second - since
	switch {
	case !t.settled, spec.Set&^plain != 0,
		spec.Status&statusKept&^t.status != 0,
		spec.Set.Has(ctnetlink.AttrMark) && spec.Mark != t.mark,
		has < nearEnd, has < want-closeEnough, exact && has > want+closeEnough:
		return false
	}
	return spec.ProtoInfo.Has&ctnetlink.InfoState == 0 || spec.ProtoInfo.State == t.state
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
	s := &seen{seed: maphash.MakeSeed(), read: time.Now(), entries: make(map[uint64]content, entries)}
	reader := w.t.conn.Beside()
	defer reader.Close()
	for f, err := range reader.Dump(nil) {
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.add(f)
	}
	w.seen = s
	return nil
}
