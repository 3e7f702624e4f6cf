package kernel

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
)

// message is a message of rtnetlink.
func message(typ uint16, body []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, make([]byte, 10)...)
	b = append(b, body...)
	return append(b, make([]byte, (4-len(b)%4)%4)...)
}

// linkBody is a struct ifinfomsg.
func linkBody(family byte, index int32, flags uint32) []byte {
	b := make([]byte, unix.SizeofIfInfomsg)
	b[0] = family
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	binary.NativeEndian.PutUint32(b[8:], flags)
	return b
}

// addressBody is a struct ifaddrmsg with attributes.
func addressBody(index int32, attributes ...any) []byte {
	b := make([]byte, unix.SizeofIfAddrmsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	for i := 0; i < len(attributes); i += 2 {
		v := netip.MustParseAddr(attributes[i+1].(string)).AsSlice()
		b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(v)))
		b = binary.NativeEndian.AppendUint16(b, uint16(attributes[i].(int)))
		b = append(b, v...)
	}
	return b
}

// TestRouteMessages: which addresses are gone.
func TestRouteMessages(t *testing.T) {
	const up = unix.IFF_UP | unix.IFF_RUNNING
	a := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	own := []netip.Addr{a("192.0.2.1"), a("2001:db8::1")}
	r := &addresses{links: map[int32]*ownLink{
		1: {flags: up, has: own}, 2: {flags: unix.IFF_UP, has: []netip.Addr{a("192.0.2.2"), a("fe80::2")}},
	}}
	const dropped, added = unix.RTM_DELADDR, unix.RTM_NEWADDR
	for _, x := range []struct {
		name string
		b    []byte
		lost []netip.Addr
	}{
		{"an address", message(added, addressBody(1, unix.IFA_LOCAL, "192.0.2.3")), nil},
		{"the same", message(added, addressBody(1, unix.IFA_LOCAL, "192.0.2.3")), nil},
		{"it is gone", message(dropped, addressBody(1, unix.IFA_LOCAL, "192.0.2.3")), []netip.Addr{a("192.0.2.3")}},
		{"one with another end", message(dropped, addressBody(9, unix.IFA_ADDRESS, "192.0.2.8", unix.IFA_LOCAL, "192.0.2.9")),
			[]netip.Addr{a("192.0.2.9")}},
		{"one of IPv6", message(dropped, addressBody(9, unix.IFA_ADDRESS, "2001:db8::9")), []netip.Addr{a("2001:db8::9")}},
		{"none", message(dropped, addressBody(9)), nil},
		{"nothing new of a link", message(unix.RTM_NEWLINK, linkBody(0, 1, up|unix.IFF_PROMISC)), nil},
		{"no carrier", message(unix.RTM_NEWLINK, linkBody(0, 1, unix.IFF_UP)), own},
		{"a carrier", message(unix.RTM_NEWLINK, linkBody(0, 1, up)), nil},
		{"down", message(unix.RTM_NEWLINK, linkBody(0, 1, 0)), own},
		{"a link that is down is gone", message(unix.RTM_DELLINK, linkBody(0, 1, 0)), nil},
		{"a link is gone", message(unix.RTM_DELLINK, linkBody(0, 2, 0)),
			[]netip.Addr{a("192.0.2.2"), a("fe80::2"), netip.IPv6Unspecified()}},
		{"a new link", message(unix.RTM_NEWLINK, linkBody(0, 3, up)), nil},
		{"a bridge's port", message(unix.RTM_DELLINK, linkBody(unix.AF_BRIDGE, 3, 0)), nil},
		{"a link without addresses is gone", message(unix.RTM_DELLINK, linkBody(0, 3, 0)),
			[]netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}},
		{"two", append(message(added, addressBody(4, unix.IFA_LOCAL, "192.0.2.4")),
			message(dropped, addressBody(4, unix.IFA_LOCAL, "192.0.2.5"))...), []netip.Addr{a("192.0.2.5")}},
		{"cut off", message(unix.RTM_NEWLINK, linkBody(0, 4, 0)[:8]), nil},
		{"something else", message(unix.RTM_NEWROUTE, nil), nil},
	} {
		if lost := r.messages(x.b); !slices.Equal(lost, x.lost) {
			t.Errorf("%s: lost %v, want %v", x.name, lost, x.lost)
		}
	}
	if got := r.links[4].has; len(got) != 1 {
		t.Errorf("a link has %v", got)
	}
	// Nothing makes it fail.
	random := rand.New(rand.NewPCG(9, 9))
	for range 20_000 {
		b := make([]byte, random.IntN(80))
		for i := range b {
			b[i] = byte(random.IntN(40))
		}
		r.messages(b)
	}
}

// TestDumpAfterLoss: the loss of an address is told before the end of a dump, which may lack
// what the kernel has ended with it, whoever else reads what happens to addresses.
func TestDumpAfterLoss(t *testing.T) {
	enter(t, netlab.Config{Addresses: true})
	s := &sink{cache: map[wire.Key]wire.Object{}}
	c := settings()
	c.Expect = true
	table, err := openAll(c, s, ctnetlink.OpenIn(here(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	for _, x := range []struct {
		address string
		dump    func(context.Context, bool) error
	}{{"192.0.2.77", table.Dump}, {"192.0.2.78", table.DumpExpect}} {
		run(t, "ip addr add "+x.address+"/32 dev b", "ip")
		run(t, "ip addr del "+x.address+"/32 dev b", "ip")
		if err := x.dump(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(s.losses, netip.MustParseAddr(x.address)) {
			t.Errorf("the loss of %s was not told: %v", x.address, s.losses)
		}
	}
}
