// Package wire reads and writes netlink messages: [Messages] walks the messages
// in a datagram, [Attrs] and [Find] the attributes in a message, [Builder] makes
// both. It has the numbers of netlink, nfnetlink and ctnetlink that package
// ctnetlink does not export, for clients and tables alike.
//
// Netlink's own fields (lengths, types, flags, sequence numbers) are in host
// byte order; numbers in ctnetlink's attributes are big endian, with few
// exceptions. Reading allocates nothing: what is returned aliases the input.
package wire
