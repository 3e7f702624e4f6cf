// Package wire is what conntrackd's nodes send each other: messages of attributes, as
// conntrack-tools defines them, and the form in which caches keep entries.
//
// Everything that conntrack-tools byte-swaps on a little-endian host is written so on
// every host.
package wire

import (
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Type is the type of a message.
type Type uint8

// The types. Extension is our own: conntrack-tools counts it as malformed and goes on.
const (
	New Type = iota
	Update
	Delete
	ExpectNew
	ExpectUpdate
	ExpectDelete
	Extension Type = 9
	Control   Type = 10
)

// Flags of a message.
type Flags uint8

// The flags.
const (
	FlagResync    Flags = 0x02
	FlagNACK      Flags = 0x04
	FlagACK       Flags = 0x08
	FlagAlive     Flags = 0x10
	FlagHello     Flags = 0x20
	FlagHelloBack Flags = 0x40
)

// Header is the header of a message. From and To belong to ACK, NACK and RESYNC.
type Header struct {
	Type     Type
	Flags    Flags
	Length   uint16 // of the whole message, in bytes
	Seq      uint32
	From, To uint32
}

// Lengths in bytes.
const (
	HeaderLen  = 8
	ControlLen = 16
)

// Append appends a message; its length is computed.
func (h *Header) Append(dst []byte, payload []byte) []byte { panic("unwritten") }

// Next returns the first message of a datagram, its payload and the messages behind it.
// After an error that is a *Damage, rest is where reading goes on (empty: nowhere).
func Next(b []byte) (h Header, payload, rest []byte, err error) { panic("unwritten") }

// Damage says what is wrong with a message, in the terms of the statistics.
type Damage uint8

func (d Damage) Error() string { panic("unwritten") }

// The kinds of damage.
const (
	WrongVersion Damage = iota + 1
	BadHeader
	BadPayload
	BadType
	Truncated
	BadSize
)

// Object is an entry as the payload of a message: attributes in the order in which
// conntrack-tools sends them, then ours. It is what caches keep and what is sent.
type Object []byte

// Key is what tells entries apart: the original tuple and the zones. It is comparable.
type Key struct {
	Src, Dst            [16]byte // IPv4: the first 4 bytes
	Ports               [4]byte  // source and destination port; ICMP: type, code, id
	Keys                [4]byte  // of GRE
	IPv6                bool
	Expect              bool
	Proto               uint8
	ZoneOrig, ZoneReply uint16
}

// AppendFlow appends the object of an entry that the table told. Attributes that the
// message lacks are those of before, if that is not nil (events do not tell all).
func AppendFlow(dst []byte, f *ctnetlink.Flow, before Object) (Object, error) { panic("unwritten") }

// AppendExpect is AppendFlow for an expectation.
func AppendExpect(dst []byte, e *ctnetlink.Expect, before Object) (Object, error) { panic("unwritten") }

// Merge appends the object that a received payload makes of before, which may be nil:
// checked, each attribute once and in order. An error is a Damage. A payload without
// what names an entry is refused.
func Merge(dst []byte, t Type, before Object, payload []byte) (Object, error) { panic("unwritten") }

// Key returns the key of an object.
func (o Object) Key() Key { panic("unwritten") }

// Classic returns the part of an object that conntrack-tools knows, nil if what it does
// not know is needed to tell the entry from others (keys of GRE, ports of UDP-Lite,
// zones of one direction).
func (o Object) Classic() []byte { panic("unwritten") }

// Spec sets s to the entry as it was told: both tuples with their translation, status,
// timeout and all else. It is what listings show; package kernel makes a request of it.
func (o Object) Spec(s *ctnetlink.FlowSpec) error { panic("unwritten") }

// ExpectSpec is Spec for an expectation.
func (o Object) ExpectSpec(s *ctnetlink.ExpectSpec) error { panic("unwritten") }
