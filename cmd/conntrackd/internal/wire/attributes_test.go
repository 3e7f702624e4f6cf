package wire

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// checkAttributes compares what is read of single attributes with what the whole object
// says.
func checkAttributes(t *testing.T, o Object) {
	timeless := bytes.Join(slices.Collect(o.Timeless()), nil)
	left, timed := o.Timeout()
	if timed != (len(timeless) == len(o)-8) {
		t.Fatalf("Timeout: %v, %d bytes of %d without it", timed, len(timeless), len(o))
	}
	if !o.SameButTimeout(o) || o.SameButTimeout(o[:len(o)-4]) {
		t.Fatal("not the same as itself, or the same as a part of it")
	}
	at := 0
	for number, b := range o.attributes() {
		p := slices.Clone(o)
		p[at+4]++
		if same := p.SameButTimeout(o); same != (number == o.timeoutNumber()) || same != o.SameButTimeout(p) {
			t.Fatalf("SameButTimeout: %v with another attribute %d", same, number)
		}
		at += len(b)
	}
	if o.Expect() {
		return
	}
	var s ctnetlink.FlowSpec
	if err := o.Spec(&s); err != nil {
		t.Fatal(err)
	}
	if s.Set.Has(ctnetlink.AttrTimeout) != timed || timed && s.Timeout != time.Duration(left)*time.Second {
		t.Fatalf("Timeout: %d, %v; is %v", left, timed, s.Timeout)
	}
	if s.Status != o.Status() || s.Reply.Dst != o.ReplyTo() {
		t.Fatalf("Status %v, ReplyTo %v; are %v, %v", o.Status(), o.ReplyTo(), s.Status, s.Reply.Dst)
	}
}
