package action

import (
	"context"
	"net"
	"net/netip"
	"testing"
)

// TestHostNamesDoNotWait: a server that does not answer is not waited for until the
// resolver gives up, and names are asked for once, up to a number.
func TestHostNamesDoNotWait(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	h := newHostNames()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", silent.LocalAddr().String())
	}}
	h.lookup = resolver.LookupAddr
	h.begin()
	a := netip.MustParseAddr("192.0.2.1")
	h.Want(a)
	h.Want(a)
	h.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.workers != 1 || len(h.queue) != 0 {
		t.Errorf("%d lookups under way, %d to come; want the first one only", h.workers, len(h.queue))
	}
}

// TestHostNamesBound: the number of addresses that are asked for is bounded.
func TestHostNamesBound(t *testing.T) {
	h := newHostNames()
	h.lookup = func(_ context.Context, addr string) ([]string, error) { return []string{"host." + addr + "."}, nil }
	h.begin()
	a := netip.MustParseAddr("10.0.0.0")
	for range maxHostNames + 100 {
		a = a.Next()
		h.Want(a)
	}
	h.Wait()
	if got := h.Name(netip.MustParseAddr("10.0.0.7")); got != "host.10.0.0.7" {
		t.Errorf("name %q", got)
	}
	if got := h.Name(a); got != "" || len(h.names) != maxHostNames {
		t.Errorf("%d names, of the last %q", len(h.names), got)
	}
}

// TestHostNamesForget: a program that runs for days gets names also after many others.
func TestHostNamesForget(t *testing.T) {
	h := HostNames().(*hostNames)
	h.lookup = func(_ context.Context, addr string) ([]string, error) { return []string{"host." + addr + "."}, nil }
	a := netip.MustParseAddr("10.0.0.0")
	h.begin()
	for range maxHostNames {
		a = a.Next()
		h.Want(a)
	}
	h.Wait() // until all are known: none is forgotten before
	a = a.Next()
	h.begin()
	h.Want(a)
	h.Wait()
	if got := h.Name(a); got != "host."+a.String() || len(h.names) != 1 {
		t.Errorf("%d names, of the last %q", len(h.names), got)
	}
}
