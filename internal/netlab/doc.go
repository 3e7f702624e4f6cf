// Package netlab puts packets through the Linux kernel, for tests: in a network
// namespace of its own, with connection tracking, NAT and helpers. It returns all
// that the kernel reports about each packet.
//
// The namespace has two TUN devices, a and b. What is put in at one passes
// PREROUTING, FORWARD and POSTROUTING and leaves by the other, whatever its
// addresses are. The kernel handles a packet inside the write to the device:
// when [Lab.Send] returns, all that came of the packet has been collected, and
// nothing has to be waited for.
//
// It needs the right to make network namespaces, and the programs ip and nft.
package netlab
