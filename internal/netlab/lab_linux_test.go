package netlab

import (
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/packets"
)

func newLab(t testing.TB, c Config) *Lab {
	l, err := New(c)
	if err != nil {
		if Skip(err) {
			t.Skipf("SKIPPED, no namespace: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestSend(t *testing.T) {
	l := newLab(t, Config{Addresses: true})
	c, s := packets.Port("10.0.0.2:1000"), packets.Port("192.0.2.2:53")
	for _, x := range []struct {
		side   Side
		p      packets.UDP
		state  string
		reply  bool
		events int
	}{
		{A, packets.UDP{Src: c, Dst: s}, "new", false, 1},
		{B, packets.UDP{Src: s, Dst: c}, "established", true, 1},
		{A, packets.UDP{Src: c, Dst: s}, "established", false, 0},
		{A, packets.UDP{Src: c, Dst: s, Length: 7}, "invalid", false, 0},
	} {
		r, err := l.Send(x.side, x.p.Bytes())
		if err != nil || r.Refused != nil {
			t.Fatal(err, r)
		}
		var rules []Log
		for _, g := range r.Logs {
			if g.Hook != "" {
				rules = append(rules, g)
			}
		}
		if len(rules) != 1 || rules[0].State != x.state || rules[0].Reply != x.reply || len(r.Events) != x.events ||
			len(r.Out) != 1 || r.Out[0].By == x.side {
			t.Errorf("%s: %+v", packets.Describe(x.p.Bytes()), r)
		}
		t.Logf("%+v", r.Logs)
	}
	r, err := l.Output(packets.UDP{Src: packets.Port("10.0.0.1:9"), Dst: s}.Bytes())
	if err != nil || r.Refused != nil || len(r.Logs) != 1 || r.Logs[0].Hook != "out" || len(r.Out) != 1 {
		t.Errorf("output: %+v %v", r, err)
	}
}

func TestSpeed(t *testing.T) {
	l := newLab(t, Config{Addresses: true})
	c, s := packets.Port("10.0.0.2:1000"), packets.Port("192.0.2.2:53")
	b := packets.UDP{Src: c, Dst: s}.Bytes()
	begin := time.Now()
	for range 5000 {
		if _, err := l.Send(A, b); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%v per packet", time.Since(begin)/5000)
}
