package link

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

// With a key everything arrives as it does without, in datagrams that are not larger.
func TestKey(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	for _, kind := range []config.Kind{config.Multicast, config.UDP, config.TCP} {
		for _, encrypt := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v/sealed=%v", kind, encrypt), func(t *testing.T) {
				var nodes [2]*node
				for i := range nodes {
					nodes[i] = sides[i].start(t, Options{Links: []config.Link{configure(kind, false, i, 0)}, Key: testKey, Encrypt: encrypt})
				}
				a, b := nodes[0], nodes[1]
				greeted(t, a, b)
				greeted(t, b, a)
				before := a.set.Stats()[0]
				const count, size = 200, 92
				for i := range uint32(count) {
					a.set.Append(message(i, size))
				}
				a.set.Flush()
				b.arrived(t, count, size)
				s := a.set.Stats()[0]
				bytes, packets := s.SentBytes-before.SentBytes, s.SentPackets-before.SentPackets
				if kind != config.TCP && (packets != 14 || bytes != count*size+14*frameExtra || slices.Max(b.sizes) != 15*size) {
					t.Errorf("%d bytes in %d datagrams of up to %d", bytes, packets, slices.Max(b.sizes))
				}
				for _, n := range nodes {
					if s := n.set.Stats()[0]; s.Forged != 0 || s.SendErrors != 0 || s.RecvErrors != 0 {
						t.Errorf("%+v", s)
					}
				}
			})
		}
	}
}

// Another key, or none at one end: nothing arrives, and the log says why.
func TestKeyDiffers(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	for _, kind := range []config.Kind{config.UDP, config.TCP} {
		for what, key := range map[string][]byte{"another": []byte("another key, of 32 bytes too ..."), "none": nil} {
			t.Run(fmt.Sprintf("%v/%s", kind, what), func(t *testing.T) {
				a := sides[0].start(t, Options{Links: []config.Link{configure(kind, false, 0, 0)}, Key: testKey})
				b := sides[1].start(t, Options{Links: []config.Link{configure(kind, false, 1, 0)}, Key: key})
				wait(t, "refusal and its line", func() bool {
					b.set.Append(message(0, 92))
					b.set.Flush()
					a.mu.Lock()
					defer a.mu.Unlock()
					return a.set.Stats()[0].Forged > 0 && slices.ContainsFunc(a.lines, func(s string) bool {
						return strings.Contains(s, errForged.Error())
					})
				})
				if a.count() != 0 {
					t.Errorf("taken: %x", a.messages)
				}
			})
		}
	}
	_, err := Open(Options{Links: []config.Link{configure(config.UDP, false, 0, 0)}, Key: []byte("short")})
	if err == nil || !strings.Contains(err.Error(), "5 bytes") {
		t.Errorf("a key that can be guessed: %v", err)
	}
}

// A stream that was recorded is refused when it is sent again, one that was changed ends.
func TestSealedStream(t *testing.T) {
	t.Parallel()
	for _, encrypt := range []bool{false, true} {
		talk := func(damage func(stream []byte)) ([]byte, error) {
			one, two := net.Pipe()
			var record bytes.Buffer
			go func() {
				defer one.Close()
				x, err := greet(struct {
					io.Reader
					io.Writer
				}{one, &record}, testKey, encrypt)
				if err != nil {
					return
				}
				for i := range uint32(50) {
					record.Write(x.seal(nil, message(i, 92)))
				}
				if damage != nil {
					damage(record.Bytes())
				}
				one.Write(record.Bytes())
			}()
			defer two.Close()
			o, err := receiveGreeting(two, testKey)
			if err != nil {
				return nil, err
			}
			return io.ReadAll(o)
		}
		var recorded []byte
		got, err := talk(func(stream []byte) { recorded = bytes.Clone(stream) })
		if err != nil || len(got) != 50*92 || !bytes.Equal(got[:92], message(0, 92)) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if _, err := talk(func(stream []byte) { copy(stream, recorded) }); !errors.Is(err, errForged) {
			t.Errorf("recorded: %v", err)
		}
		for _, at := range []int{0, 1, 10, 24, 30, len(recorded) / 2, len(recorded) - 1} {
			got, err := talk(func(stream []byte) { stream[at] ^= 1 })
			if err == nil || len(got)%92 != 0 || len(got) == 50*92 {
				t.Errorf("byte %d changed: %d bytes, %v", at, len(got), err)
			}
		}
		cut, err := talk(func(stream []byte) { copy(stream[len(stream)/2:], stream[len(stream)/2+116:]) })
		if !errors.Is(err, errForged) || len(cut) == 0 {
			t.Errorf("one left out: %d bytes, %v", len(cut), err)
		}
	}
}
