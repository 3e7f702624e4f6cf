// Package control is the control socket: what the program that sends a request and the
// daemon that answers it say to each other.
//
// A client connects to the socket, which is a stream, sends a number of 4 bytes in host
// byte order and reads text until the end. There is no length, no version, and, for the
// requests that conntrack-tools knows, no status.
package control

// Request is the number of a request.
type Request uint32

// The requests of conntrack-tools. Its numbers have gaps.
const (
	FlushKernel           Request = 0  // -F ct
	ResyncKernel          Request = 1  // -R ct
	DumpInternal          Request = 16 // -i
	DumpExternal          Request = 17 // -e
	Commit                Request = 18 // -c ct
	StatsCT               Request = 19 // the same as Stats; no word asks for it
	Kill                  Request = 20 // -k
	Stats                 Request = 21 // -s
	Bulk                  Request = 22 // -B
	RequestResync         Request = 23 // -n
	DumpInternalXML       Request = 24 // -i -x
	DumpExternalXML       Request = 25 // -e -x
	Purge                 Request = 26 // -t
	StatsNetwork          Request = 28
	StatsCache            Request = 29
	StatsRuntime          Request = 30
	StatsLink             Request = 31
	StatsResend           Request = 32 // -s rsqueue
	FlushInternal         Request = 33 // -f internal
	FlushExternal         Request = 34 // -f external
	StatsProcess          Request = 35
	StatsQueue            Request = 36
	StatsExpect           Request = 37
	FlushKernelExpect     Request = 38 // -F expect
	ResyncKernelExpect    Request = 39 // -R expect
	DumpInternalExpect    Request = 40 // -i expect
	DumpExternalExpect    Request = 41 // -e expect
	CommitExpect          Request = 42 // -c expect
	FlushKernelAll        Request = 43 // -F
	ResyncAll             Request = 44 // -R
	FlushCaches           Request = 45 // -f
	CommitAll             Request = 46 // -c
	DumpInternalExpectXML Request = 47 // -i expect -x
	DumpExternalExpectXML Request = 48 // -e expect -x
)

// None is no request: nothing is done.
const None Request = 0xffffffff

// Our own requests. conntrack-tools answers numbers that it does not know with nothing.
// The answer begins with a line that has the exit status of the client.
const (
	Status     Request = 0x67630001
	StatusJSON Request = 0x67630002
	StatusProm Request = 0x67630003
	Diff       Request = 0x67630004
	Demote     Request = 0x67630005
)

// Own reports whether a request is one of our own, whose answer begins with a status.
func (r Request) Own() bool { return r >= Status && r <= Demote }
