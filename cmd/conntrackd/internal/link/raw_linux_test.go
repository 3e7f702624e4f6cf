package link

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRaw: what is sent arrives whole, with the address of who has sent it, and the end of
// the socket ends a receiver that waits.
func TestRaw(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		in, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 0)))
		if err != nil {
			t.Skip(err)
		}
		defer in.Close()
		local := netip.MustParseAddrPort(in.LocalAddr().String())
		family := unix.AF_INET
		if local.Addr().Is6() {
			family = unix.AF_INET6
		}
		out, err := newSocket(family, unix.SO_SNDBUF, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(out)
		to := newRawAddr(sockaddr(local, 0))
		if got := to.addrPort(); got != local {
			t.Errorf("%v has become %v", local, got)
		}
		conn, err := in.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		r := newReceiver(conn, make([]byte, 1<<16), "lo")
		for _, n := range []int{1, 1400, 60_000} {
			sent := bytes.Repeat([]byte{byte(n)}, n)
			if err := rawSend(out, sent, &to); err != nil {
				t.Fatal(err)
			}
			own, err := unix.Getsockname(out)
			if err != nil {
				t.Fatal(err)
			}
			b, from, err := r.receive()
			if err != nil || !bytes.Equal(b, sent) {
				t.Fatalf("%d bytes of %d, %v", len(b), n, err)
			}
			if want := netip.AddrPortFrom(local.Addr(), addrPort(own).Port()); from != want {
				t.Errorf("from %v, want %v", from, want)
			}
		}
		ended := make(chan error)
		go func() {
			_, _, err := r.receive()
			ended <- err
		}()
		in.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	}
}
