package ctnetlink

import (
	"slices"
	"testing"

	"github.com/gonntrack/gonntrack/internal/wire"
)

// TestRefusedFilters: a table that refuses a dump's filters is asked with one
// less until it answers, and not asked for what it refused a second time.
func TestRefusedFilters(t *testing.T) {
	// An old kernel: it knows the mark and nothing younger.
	old := &oldKernel{knows: filterMark}
	c := NewConn(func() (Socket, error) { return &oldSocket{fake(), old}, nil })
	defer c.Close()
	q := &DumpRequest{Family: FamilyIPv4, Mark: 1, MarkMask: 1, Status: StatusAssured, StatusMask: StatusAssured, Zone: 5}
	q.Orig = Tuple{Has: FieldProto, Proto: ProtoTCP}
	dump := func() {
		t.Helper()
		for _, err := range c.Dump(q) {
			t.Fatal(err)
		}
	}
	dump()
	all := filterMark | filterStatus | filterTuples | filterZone
	want := []filterSet{all, all &^ filterZone, filterMark | filterStatus, filterMark}
	if !slices.Equal(old.asked, want) {
		t.Errorf("asked for %b, want %b", old.asked, want)
	}
	old.asked = nil
	dump()
	if want := []filterSet{filterMark}; !slices.Equal(old.asked, want) {
		t.Errorf("the second dump asked for %b, want %b", old.asked, want)
	}
	if q.filters() != all {
		t.Error("the caller's request was changed")
	}
}

// oldKernel refuses dumps with filters that it does not know, and lists
// nothing.
type oldKernel struct {
	knows filterSet
	asked []filterSet
}

type oldSocket struct {
	*fakeSocket
	kernel *oldKernel
}

func (k *oldSocket) Send(b []byte) error {
	m := wire.Messages{B: b}
	m.Next()
	var got filterSet
	a := wire.Attrs{B: m.Msg[20:]}
	for a.Next() {
		switch Attr(a.Type) {
		case AttrMark:
			got |= filterMark
		case AttrStatus:
			got |= filterStatus
		case AttrZone:
			got |= filterZone
		case AttrFilter:
			got |= filterTuples
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kernel.asked = append(k.kernel.asked, got)
	answer := control(wire.TypeDone, m.Msg.Seq(), 0)
	if got&^k.kernel.knows != 0 {
		answer = control(wire.TypeError, m.Msg.Seq(), int32(EINVAL))
	}
	k.datagrams = append(k.datagrams, from0(answer))
	return nil
}
