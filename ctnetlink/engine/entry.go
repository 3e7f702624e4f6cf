package engine

import (
	"math"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// entry is one connection. Entries lie in slabs and never move, so that a
// *entry is good until remove is called for it; afterwards its slot is another's.
// It holds no pointers, which spares the garbage collector a million of them.
type entry struct {
	tuples   [2]tuple
	next     [2]link // the hash chain's next, by direction
	slot     slot    // its own
	id       uint32
	status   ctnetlink.Status
	mark     uint32
	refs     uint32 // entries whose master it is
	has      features
	zone     zone
	proto    protoState
	deadline tick
	start    int64 // nanoseconds since the epoch, with hasTimes
	counters [2]counter
}

// counter counts packets of one direction, with hasCounters.
type counter struct{ packets, bytes uint64 }

// protoState is what TCP or SCTP knows of the connection.
type protoState struct {
	state  uint8
	wscale [2]uint8  // TCP
	flags  [2]uint8  // TCP
	vtag   [2]uint32 // SCTP, as it is read off the wire
}

// features are what an entry got, once and for all, at its creation.
type features uint8

const (
	hasCounters  features = 1 << iota // nf_conntrack_acct was on
	hasTimes                          // nf_conntrack_timestamp was on
	hasEvents                         // somebody listened, or nf_conntrack_events was 1
	hasSynproxy                       // it was made by a request
	hasTimeout                        // it was not offloaded when it was dumped
	hasExtension                      // there is an extension in Table.ext
	alive                             // the slot is taken
)

// extension is what few entries have.
type extension struct {
	helper   *helper // nil: none, or none any more
	hasHelp  bool    // it was created with a helper
	labels   [labelsLen]byte
	master   *master
	seqAdj   [2]seqAdj
	synproxy [3]uint32 // ISN, ITS, TSOFF
	secCtx   []byte    // CTA_SECCTX's payload, of restored entries
	dccp     []byte    // CTA_PROTOINFO's payload of DCCP, of restored entries
}

// labelsLen is the length of the label bitmap (NF_CT_LABELS_MAX_SIZE).
const labelsLen = 16

// seqAdj corrects TCP sequence numbers after a helper changed a packet's length.
type seqAdj struct{ pos, before, after uint32 }

// settableStatus are the status bits that a request can set; it clears none.
const settableStatus = ctnetlink.StatusSeenReply | ctnetlink.StatusAssured | ctnetlink.StatusFixedTimeout |
	ctnetlink.StatusHelper

// tick is the table's clock, in steps of tickLen since the epoch. The kernel
// counts timeouts in jiffies; four milliseconds is its step at HZ=250.
type tick int64

const (
	tickLen        = 4_000_000 // nanoseconds
	ticksPerSecond = 250
	// maxTimeout is the longest timeout, in ticks: the kernel's are 32 bits.
	maxTimeout = math.MaxInt32
	never      = tick(math.MaxInt64)
)

// after returns the tick that is so many seconds later.
func (now tick) after(seconds uint32) tick {
	return now + tick(min(uint64(seconds)*ticksPerSecond, maxTimeout))
}

// remaining returns the whole seconds that the entry has left.
func (e *entry) remaining(now tick) uint32 {
	if e.deadline <= now {
		return 0
	}
	return uint32((e.deadline - now) / ticksPerSecond)
}

func (e *entry) expired(now tick) bool { return e.deadline <= now }

func (e *entry) family() uint8 { return e.tuples[original].family }

// protocol is the transport protocol's number, the same in both directions.
func (e *entry) protocol() uint8 { return e.tuples[original].proto }

// extension returns what few entries have, nil if this one has none of it.
func (t *Table) extension(e *entry) *extension {
	if e.has&hasExtension == 0 {
		return nil
	}
	return t.ext[e.slot]
}

// extend returns the entry's extension, a new one if need be.
func (t *Table) extend(e *entry) *extension {
	if x := t.extension(e); x != nil {
		return x
	}
	x := new(extension)
	t.ext[e.slot] = x
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
