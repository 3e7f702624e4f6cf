package daemon

import "testing"

// TestFlush: -f touches caches only, and the peer hears of what -F has deleted and -B
// lacks. With DisableInternalCache conntrack-tools' daemon deletes the kernel's table for
// -f, sends no bulk and tells nobody.
func TestFlush(t *testing.T) {
	for _, mode := range []string{"FTFW { }", "NOTRACK { DisableInternalCache on }"} {
		sides := pair(t, mode, [2]bool{})
		a, b := sides[0], sides[1]
		until(t, mode+": connected", func() bool { return b.do(t, "--status").status != 2 })
		a.in(func() { create(t, 50) })
		until(t, mode+": 50 at the peer", func() bool { return entries(b.do(t, "-e")) == 50 })

		a.do(t, "-f")
		if n := a.table(t); n < 50 {
			t.Errorf("%s: -f has left %d entries in the kernel's table", mode, n)
		}
		b.do(t, "-f", "external")
		if n := entries(b.do(t, "-e")); n != 0 {
			t.Errorf("%s: -f external has left %d entries", mode, n)
		}
		a.do(t, "-R")
		a.do(t, "-B")
		until(t, mode+": 50 after -B", func() bool { return entries(b.do(t, "-e")) == 50 })

		a.do(t, "-F")
		until(t, mode+": none after -F", func() bool { return entries(b.do(t, "-e")) == 0 })
	}
}
