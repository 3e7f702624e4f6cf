package ctnetlink

import "strconv"

// Family is an address family, numbered as by Linux (linux/socket.h) on every
// system.
type Family uint8

const (
	FamilyAny  Family = 0  // AF_UNSPEC: both
	FamilyIPv4 Family = 2  // AF_INET
	FamilyIPv6 Family = 10 // AF_INET6
)

// String returns "any", "ipv4", "ipv6", or the number.
func (f Family) String() string {
	switch f {
	case FamilyAny:
		return "any"
	case FamilyIPv4:
		return "ipv4"
	case FamilyIPv6:
		return "ipv6"
	}
	return strconv.Itoa(int(f))
}
