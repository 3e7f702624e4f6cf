package format

import (
	"slices"
	"strings"
	"testing"
)

// A complete line holds what only this program has options for.
func TestSaveComplete(t *testing.T) {
	const head, tail = "-A -t 9 -u UNSET", " -s 1.2.3.4 -d 5.6.7.8 -r 5.6.7.8 -q 1.2.3.4 -p 99"
	tuples := join(nest(1, addrs("1.2.3.4", "5.6.7.8"), number(99)), nest(2, addrs("5.6.7.8", "1.2.3.4"), number(99)))
	for _, g := range []golden{
		{name: "labels with and without names", msg: v4(tuples, status(stPlain), timeout(9), labels(0, 2, 77, 127)),
			want: head + " --label-add web --label-bits 2,77,127" + tail},
		{name: "helper", msg: v4(tuples, status(stPlain), timeout(9), helper("ftp")),
			want: head + " --helper ftp" + tail},
		{name: "helper of several words", msg: v4(tuples, status(stPlain), timeout(9), helper(`a "b\`)),
			want: head + ` --helper "a \"b\\"` + tail},
		{name: "helper that would end the line", msg: v4(tuples, status(stPlain), timeout(9), helper("x\n-F")),
			want: head + tail},
	} {
		g.opts.Complete, g.opts.LabelNames = true, []string{"web", "", "not,writable"}
		g.check(t, StyleSave)
	}
}

func TestLosses(t *testing.T) {
	tcp := both(6, "1.2.3.4", "5.6.7.8", 1, 2)
	liberal := nest(4, nest(1, u8(1, 3), attr(4, 8, 0), attr(5, 8, 0)))
	var all Losses
	for _, c := range []struct {
		name string
		msg  []byte
		want string
	}{
		{"nothing", v4(tcp, status(stPlain), liberal, mark(1), labels(3), helper("ftp"), timeout(1), zone(3), nest(24, u32(1, 0), u32(2, 0), u32(3, 0))), ""},
		{"a window", v4(tcp, tcpState(3)), "TCP window tracking"},
		{"counters", v4(tcp, liberal, counters(9, 0, 0)), "packet and byte"},
		{"start", v4(tcp, liberal, started(1)), "start times"},
		{"master", v4(tcp, liberal, nest(14, addrs("1.2.3.4", "5.6.7.8"))), "master connection"},
		{"expected", v4(tcp, liberal, status(stPlain|stExpected)), "master connection"},
		{"sequence numbers", v4(tcp, liberal, status(stPlain|1<<6)), "sequence adjustments"},
		{"synproxy", v4(tcp, liberal, nest(24, u32(1, 0), u32(2, 0), u32(3, 5))), "SYNPROXY"},
		{"offload", v4(tcp, liberal, status(stPlain|1<<14)), "flow table"},
		{"context", v4(tcp, liberal, secctx("a")), "security"},
		{"odd helper", v4(tcp, liberal, helper("a\n")), "helpers"},
		{"no addresses", v4(status(stPlain)), "addresses"},
	} {
		var l Losses
		l.Add(flow(t, c.msg))
		all.Add(flow(t, c.msg))
		got := strings.Join(slices.Collect(l.Lines()), "\n")
		whole := strings.HasPrefix(got, "1  ") && strings.Contains(got, c.want) && !strings.Contains(got, "\n")
		if c.want == "" && got != "" || c.want != "" && !whole {
			t.Errorf("%s: lost %q", c.name, got)
		}
	}
	if got := slices.Collect(all.Lines()); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "2  the master connection") }) {
		t.Errorf("counted together: %q", got)
	}
}
