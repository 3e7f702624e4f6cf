package engine_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// datagrams returns a UDP entry between two addresses with one port.
func datagrams(src, dst string, port uint16) *ctnetlink.FlowSpec {
	o := ctnetlink.Tuple{
		Has: ctnetlink.FieldAddrs | ctnetlink.FieldProto | ctnetlink.FieldPorts, Proto: ctnetlink.ProtoUDP,
		Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), SrcPort: port, DstPort: port,
	}
	r := o
	r.Src, r.Dst = o.Dst, o.Src
	family := ctnetlink.FamilyIPv4
	if o.Src.Is6() {
		family = ctnetlink.FamilyIPv6
	}
	return &ctnetlink.FlowSpec{Family: family, Orig: o, Reply: r, Timeout: 100 * time.Second,
		Set: ctnetlink.AttrSet(0).With(ctnetlink.AttrTimeout)}
}

// TestMasterGone: a removed entry counts, but is not found, until the last
// entry that has it as its master is removed; so does its own master.
func TestMasterGone(t *testing.T) {
	c := client(t, engine.New(engine.Options{}))
	var chain []*ctnetlink.FlowSpec // each the master of the next
	for i := range uint16(4) {
		e := datagrams("10.0.0.1", "10.0.0.2", 1000+i)
		if i > 0 {
			e.Master, e.Set = chain[i-1].Orig, e.Set.With(ctnetlink.AttrTupleMaster)
		}
		create(t, c, e)
		chain = append(chain, e)
	}
	counted := func(want uint32) {
		t.Helper()
		n, _, err := c.Count()
		if err != nil || n != want {
			t.Errorf("%d entries, %v, want %d", n, err, want)
		}
	}
	use := func(e *ctnetlink.FlowSpec, want uint32) {
		t.Helper()
		f, err := c.Get(e)
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := f.Use(); n != want {
			t.Errorf("use %d, want %d", n, want)
		}
	}
	remove := func(e *ctnetlink.FlowSpec) {
		t.Helper()
		if err := c.Delete(e); err != nil {
			t.Fatal(err)
		}
	}
	use(chain[0], 3)
	use(chain[3], 2)
	remove(chain[1])
	wantErr(t, c.Delete(chain[1]), ctnetlink.ENOENT)
	counted(4)
	use(chain[0], 3) // a removed one, which still counts
	remove(chain[2])
	counted(4)
	remove(chain[3])
	counted(1)
	use(chain[0], 2)
	remove(chain[0])
	counted(0)
}

// TestNATAddresses: the address of a range that a client gets is the one that
// Linux 6.18 chose on a little-endian machine and Linux 6.1 on a big-endian one
// (s390x): the hash reads addresses in the machine's byte order.
func TestNATAddresses(t *testing.T) {
	big := binary.NativeEndian.Uint16([]byte{0, 1}) == 1
	for _, tt := range []struct {
		src, dst, min, max string
		zone               uint16
		source             bool
		want, wantBig      string
	}{
		{"10.0.0.1", "192.0.2.1", "198.51.100.0", "198.51.100.255", 0, true, "198.51.100.173", "198.51.100.197"},
		{"10.0.0.2", "192.0.2.1", "198.51.100.0", "198.51.100.255", 0, true, "198.51.100.205", "198.51.100.126"},
		{"10.0.0.1", "192.0.2.2", "198.51.100.0", "198.51.100.255", 0, true, "198.51.100.54", "198.51.100.234"},
		{"10.0.0.1", "192.0.2.1", "198.51.100.0", "198.51.100.255", 7, true, "198.51.100.105", "198.51.100.51"},
		{"10.0.0.1", "192.0.2.1", "198.51.100.7", "198.51.100.9", 0, false, "198.51.100.9", "198.51.100.9"},
		{"fd00::1", "2001:db8::1", "2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", 0, true,
			"2001:db8:1:231d:231d:41db:231d:41db", "2001:db8:1:c4ae:c4ae:33bd:c4ae:33bd"},
		{"fd00::1", "2001:db8::1", "2001:db8:1::", "2001:db8:1::ffff:ffff", 9, false, "2001:db8:1::", "2001:db8:1::"},
	} {
		c := client(t, engine.New(engine.Options{}))
		e := datagrams(tt.src, tt.dst, 5)
		nat := ctnetlink.NAT{MinAddr: netip.MustParseAddr(tt.min), MaxAddr: netip.MustParseAddr(tt.max)}
		if tt.source {
			e.SrcNAT, e.Set = nat, e.Set.With(ctnetlink.AttrNATSrc)
		} else {
			e.DstNAT, e.Set = nat, e.Set.With(ctnetlink.AttrNATDst)
		}
		if tt.zone != 0 {
			e.Zone, e.Set = tt.zone, e.Set.With(ctnetlink.AttrZone)
		}
		create(t, c, e)
		f, err := c.Get(e)
		if err != nil {
			t.Fatal(err)
		}
		got := f.Reply().Src
		if tt.source {
			got = f.Reply().Dst
		}
		want := tt.want
		if big {
			want = tt.wantBig
		}
		if got != netip.MustParseAddr(want) {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// TestNATOtherEnd: if the source is taken by the same connection seen from the
// other end, TCP and SCTP get another port, and other protocols are refused.
func TestNATOtherEnd(t *testing.T) {
	for proto, want := range map[ctnetlink.Protocol]error{
		ctnetlink.ProtoTCP: nil, ctnetlink.ProtoSCTP: nil, ctnetlink.ProtoUDP: ctnetlink.EEXIST,
		ctnetlink.ProtoUDPLite: ctnetlink.EEXIST, ctnetlink.ProtoGRE: ctnetlink.EEXIST,
	} {
		c := client(t, engine.New(engine.Options{}))
		first, second := datagrams("10.0.0.1", "10.0.0.3", 5), datagrams("10.0.0.3", "10.0.0.2", 5)
		second.Reply = first.Orig
		second.Set = second.Set.With(ctnetlink.AttrNATSrc)
		for _, e := range []*ctnetlink.FlowSpec{first, second} {
			e.Orig.Proto, e.Reply.Proto = proto, proto
		}
		create(t, c, first)
		if err := c.Create(second); err != want {
			if n, _ := ctnetlink.AsErrno(err); want == nil || n != want {
				t.Errorf("protocol %d: %v, want %v", proto, err, want)
			}
		}
	}
}
