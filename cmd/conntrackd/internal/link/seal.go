package link

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// With a key, what is sent are frames: a header, a body and a tag, by ChaCha20-Poly1305.
// The body is in clear and only signed, or sealed. Each session, that is each link of
// datagrams of a process and each connection, has a key of its own, derived from the
// common one, in which each counter is used once.
//
//	offset  bytes
//	0       1      0x47: no version of a message begins so
//	1       1      kind; 0x80: sealed
//	2       2      0
//	datagrams:
//	4       16     session
//	20      8      counter, big endian
//	streams:
//	4       4      length of the body, big endian
const (
	frameMagic = 0x47
	sealedFlag = 0x80

	idLen       = 16
	tagLen      = chacha20poly1305.Overhead
	minKey      = 16
	frameHeader = 28
	frameExtra  = frameHeader + tagLen // of a datagram
)

// kind is the kind of a frame.
type kind byte

// The kinds. Here and challenge have nonces and make sure that a session is alive and not
// an old one that somebody sends again; see sessions. Greeting and answering begin a
// stream.
const (
	data      kind = 1
	challenge kind = 2 // body: the session that is asked, a nonce
	answer    kind = 3 // body: the nonce
	here      kind = 4 // no body: there is a new session
	greeting  kind = 5 // of who listens: a nonce
	response  kind = 6 // of who connects: a nonce
)

// id is the name of a session, or a nonce: random.
type id [idLen]byte

func newID() (n id) {
	rand.Read(n[:]) // never fails
	return n
}

// checkKey refuses a key that can be guessed.
func checkKey(key []byte) error {
	if key != nil && len(key) < minKey {
		return fmt.Errorf("the key has %d bytes, it must have at least %d", len(key), minKey)
	}
	return nil
}

// derive returns the cipher of a session.
func derive(key []byte, purpose string, salt []byte) cipher.AEAD {
	k, err := hkdf.Key(sha256.New, key, salt, purpose, chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // only for a length that is too large
	}
	aead, err := chacha20poly1305.New(k)
	if err != nil {
		panic(err) // only for another length
	}
	return aead
}

const (
	forDatagrams = "conntrackd datagrams 1"
	forStreams   = "conntrackd streams 1"
)

func nonce(counter uint64) []byte {
	var b [chacha20poly1305.NonceSize]byte
	binary.BigEndian.PutUint64(b[4:], counter)
	return b[:]
}

// closeFrame appends body and tag to dst, which ends with the header of a frame.
func closeFrame(aead cipher.AEAD, counter uint64, dst []byte, header int, body []byte) []byte {
	start := len(dst) - header
	if dst[start+1]&sealedFlag != 0 {
		return aead.Seal(dst, nonce(counter), body, dst[start:])
	}
	dst = append(dst, body...)
	return aead.Seal(dst, nonce(counter), nil, dst[start:])
}

// openFrame returns the body of a frame, in place. ok is false if it was not made with the
// key, or was changed.
func openFrame(aead cipher.AEAD, counter uint64, frame []byte, header int) (body []byte, ok bool) {
	if len(frame) < header+tagLen {
		return nil, false
	}
	if frame[1]&sealedFlag != 0 {
		body, err := aead.Open(frame[header:header], nonce(counter), frame[header:], frame[:header])
		return body, err == nil
	}
	end := len(frame) - tagLen
	_, err := aead.Open(nil, nonce(counter), frame[end:], frame[:end])
	return frame[header:end], err == nil
}
