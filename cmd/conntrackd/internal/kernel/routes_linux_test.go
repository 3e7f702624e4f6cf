package kernel

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
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

// TestRouteMessages: what counts as a change, and as a loss.
func TestRouteMessages(t *testing.T) {
	const up = unix.IFF_UP | unix.IFF_RUNNING
	r := &routes{up: map[int32]uint32{1: up, 2: unix.IFF_UP}}
	for _, x := range []struct {
		name          string
		b             []byte
		changed, lost bool
	}{
		{"an address", message(unix.RTM_NEWADDR, nil), true, false},
		{"an address is gone", message(unix.RTM_DELADDR, nil), true, true},
		{"nothing new of a link", message(unix.RTM_NEWLINK, linkBody(0, 1, up|unix.IFF_PROMISC)), false, false},
		{"no carrier", message(unix.RTM_NEWLINK, linkBody(0, 1, unix.IFF_UP)), true, true},
		{"a carrier", message(unix.RTM_NEWLINK, linkBody(0, 1, up)), true, false},
		{"down", message(unix.RTM_NEWLINK, linkBody(0, 1, 0)), true, true},
		{"a link that is down is gone", message(unix.RTM_DELLINK, linkBody(0, 1, 0)), true, false},
		{"a link is gone", message(unix.RTM_DELLINK, linkBody(0, 2, 0)), true, true},
		{"a new link", message(unix.RTM_NEWLINK, linkBody(0, 3, 0)), true, false},
		{"a bridge's port", message(unix.RTM_DELLINK, linkBody(unix.AF_BRIDGE, 3, 0)), false, false},
		{"two", append(message(unix.RTM_NEWADDR, []byte{1}), message(unix.RTM_DELADDR, nil)...), true, true},
		{"cut off", message(unix.RTM_NEWLINK, linkBody(0, 4, 0)[:8]), false, false},
		{"something else", message(unix.RTM_NEWROUTE, nil), false, false},
	} {
		if changed, lost := r.messages(x.b); changed != x.changed || lost != x.lost {
			t.Errorf("%s: changed %v, lost %v; want %v, %v", x.name, changed, lost, x.changed, x.lost)
		}
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
