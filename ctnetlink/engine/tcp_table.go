package engine

import "github.com/gonntrack/gonntrack/ctnetlink"

// Cells of the table: a state that the connection is in behind the packet, or
// what else becomes of the packet.
const (
	tNO  = uint8(ctnetlink.TCPNone & 0xff)
	tSS  = uint8(ctnetlink.TCPSynSent & 0xff)
	tSR  = uint8(ctnetlink.TCPSynRecv & 0xff)
	tES  = uint8(ctnetlink.TCPEstablished & 0xff)
	tFW  = uint8(ctnetlink.TCPFinWait & 0xff)
	tCW  = uint8(ctnetlink.TCPCloseWait & 0xff)
	tLA  = uint8(ctnetlink.TCPLastAck & 0xff)
	tTW  = uint8(ctnetlink.TCPTimeWait & 0xff)
	tCL  = uint8(ctnetlink.TCPClose & 0xff)
	tS2  = uint8(ctnetlink.TCPSynSent2 & 0xff)
	tIV  = 100 // INVALID
	tIG  = 101 // the packet passes and changes nothing, but it is remembered
	tNEW = 102 // the entry is removed; the packet begins a new one
	tRE  = 103 // tNEW if the connection was closed by FINs or by its originator's RST, or else tIG
)

// tcpNext is the state machine of TCP: by direction, state and kind of packet
// the new state. A SYN/ACK, ACK or RST that arrives in the original direction is
// one that the side sent which opened the connection.
//
// Who closed the connection is not told apart. So FIN_WAIT is: one FIN was seen;
// CLOSE_WAIT: and an ACK after it; LAST_ACK: and another FIN; TIME_WAIT: and an
// ACK after that.
var tcpNext = [2][10][5]uint8{
	original: {
		//    SYN   SYN/ACK FIN ACK  RST
		tNO: {tSS, tIV, tIV, tES, tIV},
		tSS: {tSS, tIV, tIV, tIV, tCL},
		tSR: {tIG, tSR, tFW, tES, tCL},
		tES: {tIG, tIV, tFW, tES, tCL},
		tFW: {tIG, tIV, tLA, tCW, tCL},
		tCW: {tIG, tIV, tLA, tCW, tCL},
		tLA: {tIG, tIV, tLA, tTW, tCL},
		tTW: {tRE, tIV, tTW, tTW, tCL},
		tCL: {tRE, tIV, tCL, tCL, tCL},
		tS2: {tS2, tSR, tIV, tIV, tCL},
	},
	reply: {
		//    SYN   SYN/ACK FIN ACK  RST
		tNO: {tIV, tIV, tIV, tIV, tIV},
		tSS: {tS2, tSR, tIV, tIG, tCL},
		tSR: {tIV, tIG, tFW, tSR, tCL},
		tES: {tIV, tIG, tFW, tES, tCL},
		tFW: {tIV, tIG, tLA, tCW, tCL},
		tCW: {tIV, tIG, tLA, tCW, tCL},
		tLA: {tIV, tIG, tLA, tTW, tCL},
		tTW: {tRE, tIG, tTW, tTW, tCL},
		tCL: {tIV, tIG, tCL, tCL, tCL},
		tS2: {tS2, tSR, tIV, tIG, tCL},
	},
}
