package link

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"time"
)

// sessions signs and seals the datagrams of a link, and opens those of peers.
//
// A frame that is signed may be an old one: somebody who has recorded it sends it again.
// Within a session, a window of counters refuses that. A session that is not known yet is
// asked for proof that it is alive: it must send a nonce back. Only what it counts later
// than that is taken. What was sent before is lost; it is the protocols' work to ask for
// it.
type sessions struct {
	key     []byte
	flag    byte // sealedFlag or 0
	own     id
	cipher  cipher.AEAD
	counter uint64

	alive   map[id]*session // of peers
	unknown map[id]*session // not proven to be alive

	answered time.Duration // when a challenge was answered
}

// session is one of a peer.
type session struct {
	cipher cipher.AEAD
	nonce  id            // that it must send back
	began  time.Duration // when it was first heard
	asked  time.Duration // when it was asked last
	heard  time.Duration
	window window
}

const (
	maxAlive   = 64
	maxUnknown = 16

	askEvery    = 100 * time.Millisecond
	answerEvery = time.Millisecond

	// aliveWithin is the time within which a session that is alive has answered.
	aliveWithin = time.Second
)

func newSessions(key []byte, encrypt bool) *sessions {
	x := &sessions{key: key, own: newID(), alive: map[id]*session{}, unknown: map[id]*session{}, answered: -answerEvery}
	if encrypt {
		x.flag = sealedFlag
	}
	x.cipher = derive(key, forDatagrams, x.own[:])
	return x
}

// seal appends a frame to dst.
func (x *sessions) seal(dst []byte, k kind, body []byte) []byte {
	x.counter++
	start := len(dst)
	dst = append(dst, frameMagic, byte(k)|x.flag, 0, 0)
	dst = append(dst, x.own[:]...)
	dst = binary.BigEndian.AppendUint64(dst, x.counter)
	return closeFrame(x.cipher, x.counter, dst, len(dst)-start, body)
}

// opened is what a datagram is.
type opened struct {
	messages []byte // within the datagram; nil: none
	forged   bool
	replayed bool
	answer   []byte // body of an answer that is to be sent, nil: none
	ask      []byte // body of a challenge that is to be sent
}

// open opens a datagram, in place. now is the time since any moment.
func (x *sessions) open(frame []byte, now time.Duration) (o opened) {
	if len(frame) < frameExtra || frame[0] != frameMagic {
		o.forged = true
		return o
	}
	from := id(frame[4:])
	if from == x.own {
		return o
	}
	s, alive := x.alive[from]
	if s == nil {
		s = x.unknown[from]
	}
	if s == nil {
		s = &session{cipher: derive(x.key, forDatagrams, from[:]), nonce: newID(), began: now, asked: now - askEvery}
	}
	counter := binary.BigEndian.Uint64(frame[20:])
	body, ok := openFrame(s.cipher, counter, frame, frameHeader)
	if !ok {
		o.forged = true
		return o
	}
	s.heard = now
	k := kind(frame[1] &^ sealedFlag)
	if k == challenge && len(body) == 2*idLen && id(body) == x.own && now-x.answered >= answerEvery {
		x.answered = now
		o.answer = bytes.Clone(body[idLen:])
	}
	if alive {
		switch {
		case !s.window.take(counter):
			o.replayed = true
		case k == data:
			o.messages = body
		}
		return o
	}
	if k == answer && len(body) == idLen && id(body) == s.nonce {
		s.window.start(counter)
		delete(x.unknown, from)
		forget(x.alive, maxAlive)
		x.alive[from] = s
		return o
	}
	if x.unknown[from] == nil {
		forget(x.unknown, maxUnknown)
		x.unknown[from] = s
	}
	o.replayed = now-s.began > aliveWithin
	if now-s.asked >= askEvery {
		s.asked = now
		o.ask = append(from[:], s.nonce[:]...)
	}
	return o
}

// forget makes room for one more session: that which was silent for longest goes.
func forget(m map[id]*session, limit int) {
	if len(m) < limit {
		return
	}
	var oldest id
	var when time.Duration
	first := true
	for n, s := range m {
		if first || s.heard < when {
			oldest, when, first = n, s.heard, false
		}
	}
	delete(m, oldest)
}

// window tells which counters were seen.
type window struct {
	floor uint64 // all up to it are refused
	top   uint64 // the highest that was seen
	seen  [windowLen / 64]uint64
}

// windowLen is by how much a datagram may be late.
const windowLen = 4096

// start has the window begin behind a counter.
func (w *window) start(counter uint64) { *w = window{floor: counter, top: counter} }

// take reports whether a counter is seen for the first time.
func (w *window) take(counter uint64) bool {
	if counter <= w.floor || w.top-counter >= windowLen && counter < w.top {
		return false
	}
	if counter > w.top {
		if counter-w.top >= windowLen {
			clear(w.seen[:])
		} else {
			for i := range counter - w.top {
				c := counter - i
				w.seen[c%windowLen/64] &^= 1 << (c % 64)
			}
		}
		w.top = counter
	}
	word, bit := &w.seen[counter%windowLen/64], uint64(1)<<(counter%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
