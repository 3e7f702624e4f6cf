package engine

import (
	"math"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// entry is one connection. Entries are in slabs and never move: a *entry is
// valid until remove is called for it; after that its slot may hold another
// entry. It holds no pointers, so that the garbage collector need not scan a
// million of them.
type entry struct {
	tuples   [2]tuple
	status   ctnetlink.Status
	deadline tick
	zone     zone
	has      features
	pending  notes // events that were not sent yet
	counters [2]counter
	proto    protoState
	slot     slot // where this entry is
	id       uint32
	mark     uint32
	refs     uint32 // number of entries that have this one as their master
	start    int64  // nanoseconds since 1970, if hasTimes
	later    uint32 // the next entry in the list of its end (wheel): its slot + 1; 0: none
	earlier  uint32 // the previous one
	// The neighbours in the chain of sources, if SRC_NAT_DONE.
	nextSource, prevSource slotRef
	filed                  uint16 // the list + 1; 0: it is in none
	masqueraded            uint16 // the interface whose address it has: its index in path.outs + 1; 0: none
	_                      [entryLen - 252]byte
}

// entryLen is the length of an entry. It is a multiple of that of a line of the
// processor's cache, as the fields are in an order in which a packet of TCP needs
// the first three lines.
const entryLen = 256

// counter counts the packets of one direction, if hasCounters.
type counter struct{ packets, bytes uint64 }

// protoState is the protocol state of a TCP or SCTP connection.
type protoState struct {
	state  uint8
	wscale [2]uint8 // TCP
	flags  [2]uint8 // TCP
	tcp    tcpState
	vtag   [2]uint32 // SCTP, read as big endian
	since  tick      // UDP: when the entry may become a stream
}

// features are properties that an entry gets when it is created.
type features uint8

const (
	hasCounters  features = 1 << iota // nf_conntrack_acct was on
	hasTimes                          // nf_conntrack_timestamp was on
	hasEvents                         // a socket was in a group, or nf_conntrack_events was 1
	hasSynproxy                       // it was created by a request
	hasTimeout                        // it has a timeout: it was not offloaded when it was dumped
	hasExtension                      // Table.ext has an extension for it
	alive                             // the slot is in use
)

// extension holds what few entries have.
type extension struct {
	helper      *helper   // nil: none, or it was removed
	hasHelp     bool      // it was created with a helper
	policy      *Timeouts // its own timeouts; nil: those of the system
	labels      [labelsLen]byte
	master      *master
	seqAdj      [2]seqAdj
	synproxy    [3]uint32 // ISN, ITS, TSOFF
	ftp         ftpState
	sip         sipState
	pptp        pptpState
	saneStarted bool  // the client of SANE waits for the port
	kept        *kept // on restored entries: what the engine does not read; nil: nothing
}

// kept are parts of a restored entry that are sent as they came.
type kept struct {
	help       []byte // payload of CTA_HELP, if it has more than the helper's name
	moreLabels []byte // CTA_LABELS behind the first labelsLen bytes
	secCtx     []byte // payload of CTA_SECCTX
	protoInfo  []byte // payload of CTA_PROTOINFO, unless the entry is of TCP or SCTP
	unknown    []byte // attributes that the engine does not know, with their headers
}

// keep returns the extension's kept, and makes one if it has none.
func (x *extension) keep() *kept {
	if x.kept == nil {
		x.kept = new(kept)
	}
	return x.kept
}

// extensions are the extensions by slot, in pages.
type extensions []*[slabLen]*extension

func (x extensions) at(s slot) *extension { return x[s/slabLen][s%slabLen] }

func (x *extensions) set(s slot, to *extension) {
	for int(s/slabLen) >= len(*x) {
		*x = append(*x, nil)
	}
	page := &(*x)[s/slabLen]
	if *page == nil {
		*page = new([slabLen]*extension)
	}
	(*page)[s%slabLen] = to
}

// drop drops the extension of an entry, if it has one.
func (x extensions) drop(e *entry) {
	if e.has&hasExtension != 0 {
		x[e.slot/slabLen][e.slot%slabLen] = nil
	}
}

// labelsLen is the length of the label bitmap (NF_CT_LABELS_MAX_SIZE).
const labelsLen = 16

// seqAdj is the correction of TCP sequence numbers after a helper changed the
// length of a packet.
type seqAdj struct{ pos, before, after uint32 }

// settableStatus are the status bits that a request can set; it clears none.
const settableStatus = ctnetlink.StatusSeenReply | ctnetlink.StatusAssured | ctnetlink.StatusFixedTimeout |
	ctnetlink.StatusHelper

// tick is the table's time in units of tickLen since 1970. The kernel counts
// timeouts in jiffies; at HZ=250 a jiffy is 4 ms.
type tick int64

const (
	tickLen        = 4_000_000 // nanoseconds
	ticksPerSecond = 250
	// maxTimeout is the longest timeout in ticks; the kernel's have 32 bits.
	maxTimeout = math.MaxInt32
	never      = tick(math.MaxInt64)
)

// after returns the tick a number of seconds later.
func (now tick) after(seconds uint32) tick {
	return now + tick(min(uint64(seconds)*ticksPerSecond, maxTimeout))
}

// remaining returns the whole seconds until the entry's deadline.
func (e *entry) remaining(now tick) uint32 {
	if e.deadline <= now {
		return 0
	}
	return uint32((e.deadline - now) / ticksPerSecond)
}

func (e *entry) expired(now tick) bool { return e.deadline <= now }

func (e *entry) family() ctnetlink.Family { return e.tuples[original].family }

// protocol returns the number of the transport protocol, which is the same in
// both directions.
func (e *entry) protocol() ctnetlink.Protocol { return e.tuples[original].proto }

// state returns the state of a TCP or SCTP entry, 0 for other protocols.
func (e *entry) state() ctnetlink.State {
	if p := e.protocol(); p == ctnetlink.ProtoTCP || p == ctnetlink.ProtoSCTP {
		return ctnetlink.NewState(p, e.proto.state)
	}
	return 0
}

// extension returns the entry's extension, nil if it has none.
func (t *Table) extension(e *entry) *extension {
	if e.has&hasExtension == 0 {
		return nil
	}
	return t.ext.at(e.slot)
}

// extend returns the entry's extension, and makes one if it has none.
func (t *Table) extend(e *entry) *extension {
	if x := t.extension(e); x != nil {
		return x
	}
	x := new(extension)
	t.ext.set(e.slot, x)
	e.has |= hasExtension
	return x
}

// helper returns the entry's helper, nil if it has none.
func (t *Table) helper(e *entry) *helper {
	if x := t.extension(e); x != nil {
		return x.helper
	}
	return nil
}
