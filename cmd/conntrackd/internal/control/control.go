// Package control is the control socket: what the program that sends a request and the
// daemon that answers it say to each other.
package control

// The numbers of requests. A client sends one as 4 bytes in host byte order and reads
// text until the end.
const (
	FlushKernel  = 0
	ResyncKernel = 1
	DumpInternal = 16
	DumpExternal = 17
	Commit       = 18
	StatsGeneral = 19 // 21 is the same
	Kill         = 20
	// … all of them, by the page's table
	Status     = 0x67630001 // and our own, from here on
	StatusJSON = 0x67630002
	StatusProm = 0x67630003
	Diff       = 0x67630004
	Demote     = 0x67630005
)
