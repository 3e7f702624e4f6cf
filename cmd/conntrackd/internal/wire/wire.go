// Package wire is what conntrackd's nodes send each other: messages of attributes, as
// conntrack-tools defines them, and the form in which caches keep entries.
//
// A datagram, or the stream of a TCP connection, is messages one behind the other. A
// message is a Header and a payload of attributes: two bytes of length (4 and the
// value's, without its padding), two bytes of number, the value, and padding to a
// multiple of 4. All numbers are big endian, but for those that conntrack-tools
// byte-swaps on little-endian hosts: the ports of translations and the ids of ICMP
// queries. They are written in that form, which is little endian, on every host.
//
// Attributes from 64 to 127 are our own. What conntrack-tools cannot carry is in them:
// keys of GRE, ports of UDP-Lite, zones of one direction, long names, the address of an
// expectation's IPv6 translation.
package wire

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

// Expect reports whether a message of type t is about an expectation.
func (t Type) Expect() bool { return t >= ExpectNew && t <= ExpectDelete }

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

	// flagsRange are the flags of messages with From and To.
	flagsRange = FlagResync | FlagNACK | FlagACK
	// flagsData are those that may accompany data.
	flagsData = FlagHello | FlagHelloBack
)

// Lengths in bytes.
const (
	// HeaderLen is the length of a header, ControlLen that of a message with From and To.
	HeaderLen  = 8
	ControlLen = 16
	// MaxObject is the greatest length of an Object.
	MaxObject = 512
)

// Damage says what is wrong with a message, in the terms of the statistics.
type Damage uint8

// The kinds of damage.
const (
	WrongVersion Damage = iota + 1
	BadHeader
	BadPayload
	BadType
	Truncated
	BadSize
)

var damageNames = [...]string{
	WrongVersion: "wrong protocol version", BadHeader: "malformed header", BadPayload: "malformed payload",
	BadType: "bad message type", Truncated: "truncated message", BadSize: "bad message size",
}

// Error returns the kind of damage in words.
func (d Damage) Error() string {
	if d == 0 || int(d) >= len(damageNames) {
		return "malformed message"
	}
	return damageNames[d]
}
