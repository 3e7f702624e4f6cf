package wire

import (
	"bytes"
	"encoding/binary"
	"iter"
	"net/netip"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// The numbers of the attributes that have the time left, the addresses of the original
// direction, and the destination of the reply if it is another one than the source.
const (
	numTimeout       = 6
	numExpectTimeout = 12
	numIPv4          = 0
	numIPv6          = 1
	numSNATIPv4      = 12
	numSNATIPv6      = 29
)

// attributes returns the number and the bytes of each attribute, with its header and what
// it is padded with. It ends at one that is not whole.
func (o Object) attributes() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for i := 0; ; {
			num, _, end := o.next(i)
			if end == 0 || end > len(o) || !yield(num, o[i:end]) {
				return
			}
			i = end
		}
	}
}

// timeoutNumber returns the number of the attribute that has the time left.
func (o Object) timeoutNumber() int {
	if o.Expect() {
		return numExpectTimeout
	}
	return numTimeout
}

// attribute returns the value of an attribute, nil if it is not there.
func (o Object) attribute(number int) []byte {
	for i := 0; ; {
		num, v, end := o.next(i)
		if end == 0 || num == number {
			return v
		}
		i = end
	}
}

// number32 returns an attribute of 32 bits, and whether it is there.
func (o Object) number32(number int) (uint32, bool) {
	b := o.attribute(number)
	if len(b) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b), true
}

// Timeout returns the time left in seconds, and whether the object tells it.
func (o Object) Timeout() (uint32, bool) { return o.number32(o.timeoutNumber()) }

// Status returns the status of an entry, 0 of an expectation.
func (o Object) Status() ctnetlink.Status {
	if o.Expect() {
		return 0
	}
	status, _ := o.number32(numStatus)
	return ctnetlink.Status(status)
}

// ReplyTo returns the destination of an entry's replies.
func (o Object) ReplyTo() netip.Addr {
	for _, number := range [...]int{numSNATIPv4, numSNATIPv6} {
		if a, ok := netip.AddrFromSlice(o.attribute(number)); ok {
			return a
		}
	}
	for _, number := range [...]int{numIPv4, numIPv6} {
		if b := o.attribute(number); b != nil {
			a, _ := netip.AddrFromSlice(b[:len(b)/2])
			return a
		}
	}
	return netip.Addr{}
}

// Timeless returns the attributes of an object without the time left, in turn.
func (o Object) Timeless() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		timeout := o.timeoutNumber()
		for num, b := range o.attributes() {
			if num != timeout && !yield(b) {
				return
			}
		}
	}
}

// SameButTimeout reports whether two objects tell the same, the time left excepted.
func (o Object) SameButTimeout(p Object) bool {
	if len(o) != len(p) {
		return false
	}
	timeout, at := o.timeoutNumber(), 0
	for num, b := range o.attributes() {
		other := p[at : at+len(b)]
		if !bytes.Equal(b, other) && (num != timeout || !bytes.Equal(b[:4], other[:4])) {
			return false
		}
		at += len(b)
	}
	return bytes.Equal(o[at:], p[at:])
}
