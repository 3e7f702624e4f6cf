package link

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// FuzzStream: whatever comes by a stream, in whatever pieces, what is handed on is whole
// messages, in order, without any left out, up to what is incomplete, or nonsense; the message
// before nonsense may be left out.
func FuzzStream(f *testing.F) {
	f.Add(append(message(1, 92), message(2, 8)...), uint8(7))
	f.Add(append(message(1, 92), 0x10, 0, 0, 7), uint8(1))
	f.Add([]byte{0x11, 0, 0xff, 0xff}, uint8(3))
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		n := &node{senders: map[Sender]int{}}
		l := &dedicated{set: &Set{handler: n}}
		l.set.links = []*dedicated{l}
		err := l.messages(&pieces{stream, int(step) + 1}, Sender{})
		whole, last, ok := complete(stream)
		if (err == errFraming) == ok || err != errFraming && err != errClosed {
			t.Fatalf("ends with %v, complete: %v", err, ok)
		}
		taken := n.messages
		if !ok {
			taken = taken[:len(taken)-1] // what is for the counters
		}
		got := bytes.Join(taken, nil)
		if len(got) != whole && (ok || len(got) != last) || !bytes.Equal(got, stream[:len(got)]) {
			t.Fatalf("%x of %x", got, stream)
		}
	})
}

// pieces reads a few bytes at a time.
type pieces struct {
	b    []byte
	step int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.b[:min(p.step, len(p.b))])
	p.b = p.b[n:]
	return n, nil
}

// FuzzFrame: nothing is taken that was not made with the key.
func FuzzFrame(f *testing.F) {
	made := newSessions(testKey, true)
	f.Add(made.seal(nil, data, message(1, 92)))
	f.Add(made.seal(nil, challenge, make([]byte, 2*idLen)))
	made.flag = 0
	f.Add(made.seal(nil, answer, make([]byte, idLen)))
	f.Add(hello(response, id{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		x := newSessions([]byte("the key of the node, unknown ..."), true)
		if o := x.open(bytes.Clone(b), time.Second); o.messages != nil || o.ask != nil || o.answer != nil {
			t.Errorf("%x: %+v", b, o)
		}
		o, err := receiveGreeting(struct {
			io.Reader
			io.Writer
		}{bytes.NewReader(b), io.Discard}, x.key)
		if err == nil {
			t.Errorf("%x: %v", b, o)
		}
		o = &opener{r: bytes.NewReader(b), cipher: x.cipher}
		if body, err := io.ReadAll(o); len(body) > 0 {
			t.Errorf("%x: %x, %v", b, body, err)
		}
	})
}
