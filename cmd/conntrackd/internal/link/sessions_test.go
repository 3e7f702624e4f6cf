package link

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// The window takes each counter once, unless it is too old.
func TestWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var w window
	const floor = 10_000
	w.start(floor)
	seen := map[uint64]bool{}
	top := uint64(floor)
	for range 200_000 {
		c := top + uint64(r.IntN(40)) - 20
		switch r.IntN(1000) {
		case 0:
			c = top + uint64(r.IntN(3*windowLen))
		case 1:
			c = top - uint64(r.IntN(windowLen+100))
		}
		want := c > floor && !seen[c] && (c > top || top-c < windowLen)
		if got := w.take(c); got != want {
			t.Fatalf("counter %d, top %d: taken %v, want %v", c, top, got, want)
		}
		seen[c] = true
		top = max(top, c)
	}
	if last := ^uint64(0); !w.take(last-1) || !w.take(last) || w.take(last) {
		t.Error("the last counters")
	}
}

var testKey = []byte("a key of a test, of 32 bytes ...")

// exchange hands frames to and fro until nobody has anything to say, and returns what was
// taken.
func exchange(to, from *sessions, frame []byte, now time.Duration) (taken [][]byte) {
	o := to.open(bytes.Clone(frame), now)
	if o.messages != nil {
		taken = append(taken, o.messages)
	}
	if o.answer != nil {
		taken = append(taken, exchange(from, to, to.seal(nil, answer, o.answer), now)...)
	}
	if o.ask != nil {
		taken = append(taken, exchange(from, to, to.seal(nil, challenge, o.ask), now)...)
	}
	return taken
}

// What a peer sends is taken once it has proven to be alive; what somebody has recorded is
// not, neither from the session that is known nor from an old one nor after a restart.
func TestSessions(t *testing.T) {
	for _, encrypt := range []bool{false, true} {
		a, b := newSessions(testKey, encrypt), newSessions(testKey, encrypt)
		text := message(7, 92)
		early := a.seal(nil, data, text)
		if taken := exchange(b, a, early, 0); taken != nil {
			t.Fatalf("taken before the peer is known: %x", taken)
		}
		var recorded [][]byte
		for i := range 100 {
			frame := a.seal(nil, data, text)
			if bytes.Contains(frame, text) == encrypt {
				t.Errorf("sealed %v: %x", encrypt, frame)
			}
			if taken := exchange(b, a, frame, 0); len(taken) != 1 || !bytes.Equal(taken[0], text) {
				t.Fatalf("datagram %d: %x", i, taken)
			}
			recorded = append(recorded, frame)
		}
		for _, frame := range append(recorded, early) {
			if o := b.open(bytes.Clone(frame), 0); !o.replayed || o.messages != nil || o.forged {
				t.Fatalf("again: %+v", o)
			}
		}

		// A node that has started anew: a is alive, and answers.
		anew := newSessions(testKey, encrypt)
		for _, frame := range append(recorded, recorded...) {
			if taken := exchange(anew, a, frame, time.Second); taken != nil {
				t.Fatalf("taken by a node that has started anew: %x", taken)
			}
		}
		if taken := exchange(anew, a, a.seal(nil, data, text), time.Second); len(taken) != 1 {
			t.Error("a is not known")
		}
		// a has started anew too: nobody answers for the old session.
		next, third := newSessions(testKey, encrypt), newSessions(testKey, encrypt)
		for i, frame := range append(recorded, recorded...) {
			now := time.Second + time.Duration(i)*20*time.Millisecond
			if taken := exchange(third, next, frame, now); taken != nil {
				t.Fatalf("taken of an old session: %x", taken)
			}
		}
		if len(third.alive) != 1 || third.alive[next.own] == nil { // it has answered the challenge with its own name
			t.Errorf("alive: %v", third.alive)
		}
		o := third.open(bytes.Clone(recorded[0]), 10*time.Second)
		if !o.replayed || o.forged {
			t.Errorf("%+v", o)
		}
	}
}

// Nothing without the key is taken, no bit may be changed, and strangers cost no memory.
func TestForged(t *testing.T) {
	for _, encrypt := range []bool{false, true} {
		a, b := newSessions(testKey, encrypt), newSessions(testKey, encrypt)
		exchange(b, a, a.seal(nil, here, nil), 0)
		frame := a.seal(nil, data, message(1, 40))
		for i := range len(frame) * 8 {
			changed := bytes.Clone(frame)
			changed[i/8] ^= 1 << (i % 8)
			if o := b.open(changed, 0); o.messages != nil || !o.forged {
				t.Fatalf("bit %d: %+v", i, o)
			}
		}
		for n := range frame {
			if o := b.open(bytes.Clone(frame[:n]), 0); o.messages != nil || !o.forged {
				t.Fatalf("%d bytes: %+v", n, o)
			}
		}
		if o := b.open(message(1, 92), 0); !o.forged {
			t.Errorf("a plain message: %+v", o)
		}
		stranger := newSessions([]byte("another key, of 32 bytes too ..."), encrypt)
		if o := b.open(stranger.seal(nil, data, message(1, 92)), 0); !o.forged || len(b.unknown) != 0 {
			t.Errorf("another key: %+v", o)
		}
		if o := b.open(bytes.Clone(frame), 0); len(o.messages) != 40 {
			t.Errorf("the frame itself: %+v", o)
		}
		for range 1000 {
			old := newSessions(testKey, encrypt)
			b.open(old.seal(nil, data, message(1, 92)), 0)
			if len(b.unknown) > maxUnknown || len(b.alive) > maxAlive {
				t.Fatalf("%d and %d sessions", len(b.unknown), len(b.alive))
			}
		}
		for range 1000 {
			peer := newSessions(testKey, encrypt)
			exchange(b, peer, peer.seal(nil, here, nil), time.Second)
			if len(b.unknown) > maxUnknown || len(b.alive) > maxAlive {
				t.Fatalf("%d and %d sessions", len(b.unknown), len(b.alive))
			}
		}
		if b.alive[a.own] != nil {
			t.Error("the one that is silent for longest was not forgotten")
		}
	}
}
