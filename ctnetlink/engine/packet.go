package engine

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Packet is one packet that meets the table.
type Packet struct {
	// Data is the packet, starting at its IP header. It is not changed.
	Data []byte
	// Length is the packet's length when it was captured, if Data holds only its
	// beginning; 0: Data holds all of it.
	Length int
	// Time is when the packet is met. It is the table's clock: timeouts run in
	// the time of packets. A time before that of an earlier packet counts as that.
	Time time.Time
	// Where is the way of the packet through the machine.
	Where Where
	// In and Out are the names of the interfaces by which it comes and leaves;
	// "": not known. The addresses of Options.Host tell Out of a packet that is
	// forwarded, if they can.
	In, Out string
}

// Where is the way of a packet through the machine.
type Where uint8

const (
	// Forward is a packet that arrives to be forwarded. It is delivered to this
	// machine if its destination, perhaps after a translation, is an address of
	// it.
	Forward Where = iota
	// Input is a packet that arrives for this machine.
	Input
	// Output is a packet that this machine sends.
	Output
)

// State is what connection tracking says of a packet, as in the rule `ct state`.
type State uint8

const (
	StateNone        State = iota // no verdict: dropped before tracking, or a fragment that waits for others
	StateNew                      // of a connection without a reply so far
	StateEstablished              // of a connection with a reply, or the reply itself
	StateRelated                  // of an expected connection without a reply, or an ICMP error about a connection
	StateInvalid                  // not of a connection, and it cannot begin one
	StateUntracked                // excluded from tracking by a rule or by its type
	StateUnknown                  // cannot be judged, as the capture has too little of the packet
)

var stateNames = [...]string{"NONE", "NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "UNKNOWN"}

// String returns the state's name in capitals, such as "ESTABLISHED".
func (s State) String() string { return stateNames[s] }

// Fate is what becomes of a packet.
type Fate uint8

const (
	Forwarded  Fate = iota // it leaves as it came
	Translated             // it leaves with other addresses, ports or contents
	Delivered              // it is delivered to this machine
	Waits                  // a fragment; it leaves with the last one of its packet
	Dropped                // it does not leave; Verdict.Reason says why
)

var fateNames = [...]string{"forwarded", "translated", "delivered", "waits", "dropped"}

// String returns a word such as "translated".
func (f Fate) String() string { return fateNames[f] }

// Verdict is what the table says of one packet.
type Verdict struct {
	State State
	// Reply reports whether the packet is of the reply direction. It has a meaning
	// for packets that are NEW, ESTABLISHED or RELATED. An ICMP error has the direction opposite to that
	// of the packet it quotes.
	Reply  bool
	Reason Reason // why it is INVALID, UNKNOWN, ignored or dropped
	// Also is a second thing to say of the packet: an INVALID one can lower the
	// entry's timeout.
	Also Reason
	Fate Fate
	// DroppedBy is what dropped the packet if Fate is Dropped. Reason is another one
	// if the packet was INVALID or ignored before.
	DroppedBy ReasonCode
	// Leaves are the packets as they leave: none if it was dropped, waits or is
	// delivered; several if it came in fragments. They are valid until the next
	// call. A packet that leaves unchanged is Packet.Data itself.
	Leaves [][]byte
	// Entry is the packet's entry, as it is after the packet; the zero Entry if it
	// has none. It is valid until the next call of a method of the table.
	Entry Entry
	// Before and After are the state of a TCP or SCTP entry before and after the
	// packet; 0 for other protocols, and Before for a new entry.
	Before, After ctnetlink.State
	// Ignored reports whether the packet passed without having changed the entry:
	// it is neither counted, nor does it refresh the timeout.
	Ignored bool
	// New reports whether the packet made the entry.
	New bool
	// Confirmed reports whether the entry is in the table after the packet.
	Confirmed bool
}

// AppendReason appends Reason and Also in words to b, with "; " between them.
func (v *Verdict) AppendReason(b []byte) []byte { return v.appendBoth(b, Reason.AppendText) }

// AppendKernel appends the texts of the kernel's log for Reason and Also, with
// "; " between them.
func (v *Verdict) AppendKernel(b []byte) []byte { return v.appendBoth(b, Reason.AppendKernel) }

func (v *Verdict) appendBoth(b []byte, text func(Reason, []byte) []byte) []byte {
	b = text(v.Reason, b)
	if v.Also.Code != NoReason {
		b = text(v.Also, append(b, "; "...))
	}
	return b
}

// Track takes one packet through the table, as nf_conntrack, the NAT and the
// helpers of Linux do, and returns what became of it. Events are sent to the
// sockets that are in the groups. Nothing is allocated for a packet on the
// usual way.
func (t *Table) Track(in *Packet) *Verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.path.latest = max(t.path.latest, in.Time.UnixNano())
	t.setClock(t.path.latest)
	t.expireForPacket()
	p := &t.path.pkt
	p.begin(in)
	t.travel(p)
	p.conclude(t)
	return &p.v
}

// setClock sets the time of the table in nanoseconds since 1970.
func (t *Table) setClock(wall int64) {
	t.wall = wall
	t.now = tick(t.wall / tickLen)
}

// Entry is an entry of the table that a packet met.
type Entry struct {
	t *Table
	e *entry
}

// IsZero reports whether there is no entry.
func (n Entry) IsZero() bool { return n.e == nil }

// Append appends the entry as the NEW message of a dump, which
// [ctnetlink.Flow] reads, to b.
func (n Entry) Append(b []byte) []byte {
	n.t.mu.Lock()
	defer n.t.mu.Unlock()
	w := &n.t.path.w
	w.B = b
	n.t.putEntry(w, n.e, answerTo{use: 1})
	return w.B
}

// Timeout returns the seconds until the entry ends, rounded down.
func (n Entry) Timeout() uint32 { return n.e.remaining(n.t.now) }

// Status returns the entry's status.
func (n Entry) Status() ctnetlink.Status { return n.e.status }
