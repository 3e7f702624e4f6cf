package link

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"
)

// A stream with a key begins with a nonce of each side, in a frame without tag: first that
// of who listens, so that nothing that was recorded can be sent again. Frames follow, the
// first one without a body; their counters are not sent, each is one more than the last.

const (
	helloLen     = 4 + idLen
	streamHeader = 8
	maxBody      = 1 << 17
)

// errForged is that a peer has not the key, or that what it has sent was changed.
var errForged = errors.New("not signed with the key")

// hello is the first thing that a side sends.
func hello(k kind, n id) []byte { return append([]byte{frameMagic, byte(k), 0, 0}, n[:]...) }

func readHello(r io.Reader, k kind) (n id, err error) {
	var b [helloLen]byte
	if _, err := io.ReadFull(r, b[:4]); err != nil {
		return n, err
	}
	if b[0] != frameMagic || b[1] != byte(k) {
		return n, errForged
	}
	_, err = io.ReadFull(r, b[4:])
	return id(b[4:]), err
}

func streamCipher(key []byte, listens, connects id) cipher.AEAD {
	return derive(key, forStreams, append(listens[:], connects[:]...))
}

// sealer makes the frames of a connection.
type sealer struct {
	cipher  cipher.AEAD
	flag    byte
	counter uint64
}

// greet begins a connection that this node has made.
func greet(c io.ReadWriter, key []byte, encrypt bool) (*sealer, error) {
	listens, err := readHello(c, greeting)
	if err != nil {
		return nil, err
	}
	connects := newID()
	x := &sealer{cipher: streamCipher(key, listens, connects)}
	if encrypt {
		x.flag = sealedFlag
	}
	_, err = c.Write(x.seal(hello(response, connects), nil))
	return x, err
}

// seal appends a frame to dst.
func (x *sealer) seal(dst, body []byte) []byte {
	dst = append(dst, frameMagic, byte(data)|x.flag, 0, 0)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)))
	dst = closeFrame(x.cipher, x.counter, dst, streamHeader, body)
	x.counter++
	return dst
}

// opener reads the bodies of frames.
type opener struct {
	r       io.Reader
	cipher  cipher.AEAD
	counter uint64
	frame   []byte
	rest    []byte // of the body that was read last
}

// receiveGreeting begins a connection that a peer has made. It returns when the peer has
// proven that it has the key.
func receiveGreeting(c io.ReadWriter, key []byte) (*opener, error) {
	listens := newID()
	if _, err := c.Write(hello(greeting, listens)); err != nil {
		return nil, err
	}
	connects, err := readHello(c, response)
	if err != nil {
		return nil, err
	}
	o := &opener{r: c, cipher: streamCipher(key, listens, connects)}
	return o, o.next()
}

// Read returns what is left of a body, or that of the next frame.
func (o *opener) Read(b []byte) (int, error) {
	for len(o.rest) == 0 {
		if err := o.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

// next reads a frame.
func (o *opener) next() error {
	var h [streamHeader]byte
	if _, err := io.ReadFull(o.r, h[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(h[4:])
	if h[0] != frameMagic || kind(h[1]&^sealedFlag) != data || n > maxBody {
		return errForged
	}
	whole := streamHeader + int(n) + tagLen
	if cap(o.frame) < whole {
		o.frame = make([]byte, whole)
	}
	o.frame = append(o.frame[:0], h[:]...)[:whole]
	if _, err := io.ReadFull(o.r, o.frame[streamHeader:]); err != nil {
		return err
	}
	body, ok := openFrame(o.cipher, o.counter, o.frame, streamHeader)
	if !ok {
		return errForged
	}
	o.counter++
	o.rest = body
	return nil
}
