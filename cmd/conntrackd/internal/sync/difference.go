package sync

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Difference is how what one node has of another's table differs from it.
type Difference struct {
	Peer     string // the name and the address of the peer
	Expect   bool   // of expectations
	Here     bool   // what this node has of the peer's table, otherwise the reverse
	Entries  int    // of the table
	Missing  []wire.Object
	Stale    []wire.Object // what is no more
	Changed  []wire.Object // as the table has them
	More     bool          // there are more differences than were asked for
	Error    string        // why it could not be compared
	stale    []uint64
	compared bool
}

type diffKind uint8

const (
	onlyOwn diffKind = iota + 1
	onlyOther
	unlike
)

// differs notes a difference.
func (n *Node) differs(c *Comparison, t *task, key uint64, kind diffKind) {
	d := &t.d
	if len(d.Missing)+len(d.Stale)+len(d.Changed)+len(d.stale) >= c.limit {
		d.More = true
		return
	}
	if kind == onlyOther || kind == unlike && t.here {
		d.stale = append(d.stale, key)
		return
	}
	o := wire.Object(slices.Clone(c.state.view.c.Object(c.state.entries[key].slot)))
	switch {
	case len(o) == 0:
	case kind == unlike:
		d.Changed = append(d.Changed, o)
	case t.here:
		d.Stale = append(d.Stale, o)
	default:
		d.Missing = append(d.Missing, o)
	}
}

// objectsMax is how many objects are asked for at a time.
const objectsMax = 64

// fetchObjects asks for the objects that only the peer has.
func (n *Node) fetchObjects(c *Comparison, t *task) time.Time {
	s := &c.state
	if len(t.d.stale) == 0 {
		t.d.compared = true
		return n.now
	}
	if !s.asked {
		var data []byte
		for _, key := range t.d.stale[:min(len(t.d.stale), objectsMax)] {
			data = binary.BigEndian.AppendUint64(data, key)
		}
		n.ask(c, t, askObjects, data)
		s.walked = true
	}
	if n.waits(c, t) {
		return n.now.Add(20 * time.Millisecond)
	}
	for b := s.answer; len(b) >= 2; {
		l := int(binary.BigEndian.Uint16(b))
		if l > len(b)-2 {
			break
		}
		n.fetched(t, b[2:2+l])
		b = b[2+l:]
	}
	t.d.stale = t.d.stale[min(len(t.d.stale), objectsMax):]
	s.asked = false
	return n.now
}

// fetched takes an object that the peer has sent.
func (n *Node) fetched(t *task, b []byte) {
	typ, external := wire.New, n.External
	if t.d.Expect {
		typ, external = wire.ExpectNew, n.ExternalExpect
	}
	o, err := wire.Merge(nil, typ, nil, b)
	if err != nil {
		return
	}
	k := o.Key()
	switch s := external.Find(&k); {
	case !t.here:
		t.d.Stale = append(t.d.Stale, o)
	case s != 0 && external.Meta(s).Sender == uint16(t.p.index):
		t.d.Changed = append(t.d.Changed, o)
	default:
		t.d.Missing = append(t.d.Missing, o)
	}
}
