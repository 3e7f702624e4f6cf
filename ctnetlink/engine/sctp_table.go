package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// States of the table (enum sctp_conntrack of
// linux/netfilter/nf_conntrack_sctp.h). sIV is an INVALID packet.
const (
	sNO = uint8(ctnetlink.SCTPNone & 0xff)
	sCL = uint8(ctnetlink.SCTPClosed & 0xff)
	sCW = uint8(ctnetlink.SCTPCookieWait & 0xff)
	sCE = uint8(ctnetlink.SCTPCookieEchoed & 0xff)
	sES = uint8(ctnetlink.SCTPEstablished & 0xff)
	sSS = uint8(ctnetlink.SCTPShutdownSent & 0xff)
	sSR = uint8(ctnetlink.SCTPShutdownRecd & 0xff)
	sSA = uint8(ctnetlink.SCTPShutdownAckSent & 0xff)
	sHB = uint8(ctnetlink.SCTPHeartbeatSent & 0xff)
	sIV = 100
)

// sctpNext is the state machine of SCTP: by direction, state and kind of chunk
// the new state. Chunks that are not in it, such as DATA and SACK, leave the
// state as it is.
var sctpNext = [2][9][11]uint8{
	original: {
		//    INIT          COOKIE   SHUTDOWN         ABORT    HEARTBEAT
		//         INIT_ACK ECHO ACK      ACK COMPLETE     ERROR    HEARTBEAT_ACK
		sNO: {sCL, sCL, sCL, sCL, sCL, sSA, sCL, sCL, sCL, sHB, sCL},
		sCL: {sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL},
		sCW: {sCW, sCW, sCE, sCW, sCW, sCW, sCW, sCL, sCW, sCW, sCW},
		sCE: {sCE, sCE, sCE, sES, sCE, sCE, sCE, sCL, sCE, sCE, sCE},
		sES: {sES, sES, sES, sES, sSS, sES, sES, sCL, sES, sES, sES},
		sSS: {sCL, sSS, sSS, sSS, sSS, sSA, sSS, sCL, sSS, sSS, sSS},
		sSR: {sCL, sSR, sSR, sSR, sSR, sSA, sSR, sCL, sSR, sSR, sSR},
		sSA: {sSA, sSA, sSA, sSA, sSA, sSA, sCL, sCL, sSA, sSA, sSA},
		sHB: {sCW, sCL, sCL, sCL, sCL, sSA, sCL, sCL, sCL, sHB, sHB},
	},
	reply: {
		//    INIT          COOKIE   SHUTDOWN         ABORT    HEARTBEAT
		//         INIT_ACK ECHO ACK      ACK COMPLETE     ERROR    HEARTBEAT_ACK
		sNO: {sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV},
		sCL: {sCL, sCW, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL, sCL},
		sCW: {sCW, sCW, sCE, sCW, sCW, sCW, sCW, sCL, sCW, sCW, sCW},
		sCE: {sCE, sCE, sCE, sES, sCE, sCE, sCE, sCL, sCL, sCE, sCE},
		sES: {sES, sES, sES, sES, sSR, sES, sES, sCL, sES, sES, sES},
		sSS: {sSS, sSS, sSS, sSS, sSS, sSA, sSS, sCL, sSS, sSS, sSS},
		sSR: {sSR, sSR, sSR, sSR, sSR, sSA, sSR, sCL, sSR, sSR, sSR},
		sSA: {sSA, sSA, sSA, sSA, sSA, sSA, sCL, sCL, sSA, sSA, sSA},
		sHB: {sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sIV, sHB, sES},
	},
}

// chunkKind is a column of sctpNext.
type chunkKind uint8

const (
	chunkInit chunkKind = iota
	chunkInitAck
	chunkCookieEcho
	chunkCookieAck
	chunkShutdown
	chunkShutdownAck
	chunkShutdownComplete
	chunkAbort
	chunkError
	chunkHeartbeat
	chunkHeartbeatAck
	chunkOther
)

// chunkData is the type of a DATA chunk.
const chunkData = 0

// sctpChunks has the kinds of chunks by their type (RFC 9260).
var sctpChunks = [15]chunkKind{
	chunkOther, chunkInit, chunkInitAck, chunkOther, chunkHeartbeat, chunkHeartbeatAck, chunkAbort, chunkShutdown,
	chunkShutdownAck, chunkError, chunkCookieEcho, chunkCookieAck, chunkOther, chunkOther, chunkShutdownComplete,
}

func kindOfChunk(typ uint8) chunkKind {
	if int(typ) < len(sctpChunks) {
		return sctpChunks[typ]
	}
	return chunkOther
}

// chunkSet is a set of kinds, with a bit for DATA in addition.
type chunkSet uint16

const setData chunkSet = 1 << 15

func (s chunkSet) has(k chunkKind) bool { return s>>k&1 != 0 }

const (
	// chunkOwnTag are the kinds of chunks with a rule of their own for the
	// verification tag, or none. A packet without one must have the tag of its
	// direction.
	chunkOwnTag chunkSet = 1<<chunkInit | 1<<chunkCookieEcho | 1<<chunkShutdownAck | 1<<chunkShutdownComplete | 1<<chunkAbort |
		1<<chunkHeartbeat | 1<<chunkHeartbeatAck
	// chunkAlone are those that share a packet with no other.
	chunkAlone chunkSet = 1<<chunkInit | 1<<chunkInitAck | 1<<chunkShutdownComplete
	// chunkFirst are those that have no other before them.
	chunkFirst chunkSet = 1<<chunkCookieEcho | 1<<chunkCookieAck
	// chunkNotNew are those that no packet of a new connection has.
	chunkNotNew chunkSet = 1<<chunkCookieAck | 1<<chunkShutdownComplete | 1<<chunkAbort | 1<<chunkOther
)
