package link

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// A bulk of 100 000 entries waits in the socket as a whole, whatever size the configuration
// of conntrack-tools' examples gives it: its sender does not wait for who reads it.
func TestReceiveRoom(t *testing.T) {
	in, err := newSocket(unix.AF_INET, unix.SO_RCVBUFFORCE, 1249280)
	if errors.Is(err, unix.EPERM) {
		t.Skipf("SKIPPED, not allowed: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(in)
	out, err := newSocket(unix.AF_INET, unix.SO_SNDBUFFORCE, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(out)
	if err := unix.Bind(in, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	to, err := unix.Getsockname(in)
	if err != nil {
		t.Fatal(err)
	}
	const size, count = 15 * 92, 100_000 / 15
	b := make([]byte, size)
	for range count {
		if err := unix.Sendto(out, b, 0, to); err != nil {
			t.Fatal(err)
		}
	}
	arrived := 0
	for {
		if _, _, err := unix.Recvfrom(in, b, unix.MSG_DONTWAIT); err != nil {
			break
		}
		arrived++
	}
	if arrived != count {
		t.Errorf("%d datagrams of %d", arrived, count)
	}
}
