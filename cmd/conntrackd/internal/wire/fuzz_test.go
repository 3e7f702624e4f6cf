package wire

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// seeds adds the captured and the crafted messages.
func seeds(f *testing.F, add func(b []byte)) {
	for _, v := range vectors {
		add(unhex(f, v.message))
	}
	add(unhex(f, expectation))
	text, err := os.ReadFile("testdata/crafted.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if i := strings.LastIndex(line, " | "); i > 0 && line[0] != '#' {
			add(unhex(f, line[i+3:]))
		}
	}
}

// FuzzDatagram reads datagrams: whatever they hold, each message that is taken makes an
// object that is sound, and reading ends.
func FuzzDatagram(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) {
		var before Object
		for len(b) > 0 {
			h, payload, rest, err := Next(b)
			if len(rest) >= len(b) {
				t.Fatalf("%d bytes of %d are left", len(rest), len(b))
			}
			used := b[:len(b)-len(rest)]
			b = rest
			_, _ = h.Alarm(err)
			if err != nil {
				if d, ok := err.(Damage); !ok || d.Error() == "" {
					t.Fatalf("error %v", err)
				}
				continue
			}
			if again := h.Append(nil, payload); !bytes.Equal(again[1:], used[1:]) || again[0] != used[0] {
				t.Fatalf("written as %x, was %x", again, used)
			}
			if h.Type <= ExpectDelete {
				before = checkMerge(t, h.Type, before, payload)
			}
		}
	})
}

// checkMerge merges a payload with nothing, and with before if that is of the same key.
func checkMerge(t *testing.T, typ Type, before Object, payload []byte) Object {
	original := bytes.Clone(payload)
	o, err := Merge([]byte("mine"), typ, nil, payload)
	if err != nil {
		if err != error(BadPayload) || string(o) != "mine" {
			t.Fatalf("error %v, %q", err, o)
		}
		return before
	}
	if !bytes.HasPrefix(o, []byte("mine")) {
		t.Fatal("what was in dst is gone")
	}
	o = o[4:]
	checkObject(t, typ, o)
	if before != nil && before.Expect() == typ.Expect() && before.Key() == o.Key() {
		merged, err := Merge(nil, typ, before, payload)
		if err != nil {
			t.Fatalf("with what was before: %v", err)
		}
		checkObject(t, typ, merged)
		if merged.Key() != o.Key() {
			t.Fatalf("key %+v, want %+v", merged.Key(), o.Key())
		}
		// What is told twice changes nothing.
		again, err := Merge(nil, typ, merged, payload)
		if err != nil || !bytes.Equal(again, merged) {
			t.Fatalf("told twice: %x, was %x, %v", again, merged, err)
		}
		// Its own message makes of what was before the same.
		again, err = Merge(nil, typ, before, merged)
		if err != nil || !bytes.Equal(again, merged) {
			t.Fatalf("told as it became: %x, was %x, %v", again, merged, err)
		}
	}
	if !bytes.Equal(original, payload) {
		t.Fatal("the payload was changed")
	}
	return o
}

// checkObject checks what holds for every object.
func checkObject(t *testing.T, typ Type, o Object) {
	if len(o) > MaxObject || len(o)%4 != 0 {
		t.Fatalf("%d bytes", len(o))
	}
	if o.Expect() != typ.Expect() {
		t.Fatalf("Expect: %v, %x", o.Expect(), o)
	}
	again, err := Merge(nil, typ, nil, o)
	if err != nil || !bytes.Equal(again, o) {
		t.Fatalf("merged again: %x, was %x, %v", again, o, err)
	}
	if c := o.Classic(); c != nil {
		again, err := Merge(nil, typ, nil, c)
		if err != nil || !bytes.HasPrefix(o, c) || Object(c).Key() != o.Key() || ours(again) {
			t.Fatalf("Classic: %x of %x: %x, %v", c, o, again, err)
		}
	}
	checkAttributes(t, o)
	checkSpec(t, o)
}

// checkSpec makes a request of an object, and an object of what that says.
func checkSpec(t *testing.T, o Object) {
	if o.Expect() {
		var s ctnetlink.ExpectSpec
		var e ctnetlink.Expect
		if err := o.ExpectSpec(&s); err != nil {
			t.Fatal(err)
		}
		if err := e.Decode(s.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		if again, err := AppendExpect(nil, &e, o); err != nil || again.Key() != o.Key() {
			t.Fatalf("%v\n%+v\n%+v", err, again.Key(), o.Key())
		}
		return
	}
	var s ctnetlink.FlowSpec
	var f ctnetlink.Flow
	if err := o.Spec(&s); err != nil {
		t.Fatal(err)
	}
	if err := f.Decode(s.AppendMessage(nil)); err != nil {
		t.Fatal(err)
	}
	k, ok := FlowKey(&f)
	if !ok || k != o.Key() {
		t.Fatalf("key %+v, want %+v", k, o.Key())
	}
	again, err := AppendFlow(nil, &f, o)
	if err != nil || again.Key() != k || len(again) > MaxObject {
		t.Fatalf("%v, key %+v, want %+v", err, again.Key(), k)
	}
	if merged, err := Merge(nil, New, nil, again); err != nil || !bytes.Equal(merged, again) {
		t.Fatalf("AppendFlow: %x, in order %x, %v", again, merged, err)
	}
}

// FuzzObject reads what is not an object as one: it must not fail otherwise than with an
// error.
func FuzzObject(f *testing.F) {
	seeds(f, func(b []byte) { f.Add(b[min(len(b), HeaderLen):]) })
	f.Fuzz(func(t *testing.T, b []byte) {
		o := Object(b)
		o.Key()
		if len(o.Classic()) > len(o) {
			t.Fatal("Classic is longer")
		}
		var s ctnetlink.FlowSpec
		_ = o.Spec(&s)
		var x ctnetlink.ExpectSpec
		_ = o.ExpectSpec(&x)
		_, payload, _, _ := Next(unhex(t, vectors[0].message))
		merged, err := Merge(nil, New, o, payload)
		if err != nil {
			t.Fatal(err)
		}
		fl := flowOf(t, vectors[0].spec())
		again, err := AppendFlow(nil, fl, o)
		if err != nil || merged.Key() != again.Key() {
			t.Fatalf("key %+v, want %+v, %v", again.Key(), merged.Key(), err)
		}
	})
}
