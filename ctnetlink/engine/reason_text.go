package engine

import (
	"bytes"
	"math/bits"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// String returns the reason in words, "" for none.
func (r Reason) String() string { return string(r.AppendText(nil)) }

// AppendText appends the reason in words to b.
func (r Reason) AppendText(b []byte) []byte { return r.append(b, reasons[r.Code].text) }

// AppendKernel appends the text of the kernel's log for the reason, nothing if it
// has none.
func (r Reason) AppendKernel(b []byte) []byte { return r.append(b, reasons[r.Code].kernel) }

// Name returns the reason's name in `conntrack help invalid' and in outputs for
// programs, "" for none.
func (c ReasonCode) Name() string { return reasons[c].slug }

// Sysctl returns the name of the variable that decides whether there is this
// reason, such as "nf_conntrack_checksum" or "net.ipv4.ipfrag_high_thresh", "" if
// there is none.
func (c ReasonCode) Sysctl() string {
	name := reasons[c].sysctl
	if name == "" || strings.HasPrefix(name, "net.") {
		return name
	}
	return "nf_conntrack_" + name
}

// Counter returns the name of the counter of `conntrack -S' that a packet with
// this reason moves, such as "invalid", "" if there is none. A packet that is
// dropped at the end of its way moves "insert_failed" besides "drop".
func (c ReasonCode) Counter() string { return counterNames[reasons[c].counts] }

var counterNames = [...]string{countNothing: "", countInvalid: "invalid", countError: "error", countDrop: "drop"}

// Reasons returns all reasons but NoReason.
func Reasons() []ReasonCode {
	all := make([]ReasonCode, 0, reasonsEnd-1)
	for c := NoReason + 1; c < reasonsEnd; c++ {
		all = append(all, c)
	}
	return all
}

// append appends a text with the reason's numbers: %d is the next of them, %[2]d
// the second. %s is the name of the state of TCP that it is, %o that of the direction,
// %k that of the kind of TCP packet. %x is hexadecimal; %w
// and %l are numbers of 16 and of 32 bits in network byte order as the kernel
// prints them on a little-endian machine: a decimal and a hexadecimal one.
func (r Reason) append(b []byte, form string) []byte {
	next := 0
	for i := 0; i < len(form); i++ {
		if form[i] != '%' {
			b = append(b, form[i])
			continue
		}
		if i++; form[i] == '[' {
			next = int(form[i+1] - '1')
			i += 3
		}
		switch n := r.N[next]; form[i] {
		case 'q':
			b = append(b, ftpNames[n&3]...)
		case 'h':
			b = append(b, loggingHelpers[int(n)%len(loggingHelpers)]...)
		case 's':
			b = append(b, ctnetlink.NewState(ctnetlink.ProtoTCP, uint8(n)).String()...)
		case 'o':
			b = append(b, directionNames[n&1]...)
		case 'k':
			name := tcpKindNames[n]
			if (name[0] == 'A' || name[0] == 'R') && bytes.HasSuffix(b, []byte("a ")) { // an ACK, an RST
				b = append(b[:len(b)-1], "n "...)
			}
			b = append(b, name...)
		case 'x':
			b = strconv.AppendInt(b, n, 16)
		case 'w':
			b = strconv.AppendInt(b, int64(bits.ReverseBytes16(uint16(n))), 10)
		case 'l':
			b = strconv.AppendInt(b, int64(bits.ReverseBytes32(uint32(n))), 16)
		default:
			b = strconv.AppendInt(b, n, 10)
		}
		next++
	}
	return b
}

var directionNames = [...]string{original: "original", reply: "reply"}
