// Package snapshot reads and writes snapshots: a connection tracking table as a
// stream of bytes. `conntrack -L -o netlink` writes one, a table file (package
// tablefile) holds one.
//
// # Format
//
// A snapshot has three parts: a header, messages, an end mark. Its words are in
// the byte order of the machine that wrote it, as netlink's own words are; the
// [Reader] of a machine with the other order converts them.
//
// The header has 32 bytes:
//
//	0   8  89 43 54 4e 0d 0a 1a 0a ("\x89CTN\r\n\x1a\n"): neither text, nor
//	       unchanged by a transfer as text
//	8   2  u16 0xfeff, the byte order mark: ff fe little endian, fe ff big endian
//	10  2  u16 1, the version
//	12  4  u32 32, the length of the header
//	16  8  i64 nanoseconds since 1970-01-01 00:00 UTC: the time from which the
//	       remaining timeouts (CTA_TIMEOUT, CTA_EXPECT_TIMEOUT) count
//	24  8  u64: the highest bit is 1 if the timeouts do not run; the other bits are
//	       the serial, which differs between any two states of the same table
//
// Messages follow as in a dump by the kernel, each padded to a multiple of 4
// bytes: IPCTNL_MSG_CT_NEW of subsystem 1 (type 0x100) for an entry,
// IPCTNL_MSG_EXP_NEW of subsystem 2 (type 0x200) for an expectation. Sequence
// number and port id are 0, the flags are NLM_F_MULTI.
//
// The end mark is an NLMSG_DONE message of 28 bytes. A stream that broke off
// between two messages lacks it:
//
//	0   16  nlmsghdr: length 28, type 3, the rest 0
//	16  8   u64 the number of messages before it
//	24  4   u32 CRC-32C (Castagnoli, RFC 3720) of all bytes before these four
//
// Nothing follows it.
package snapshot
