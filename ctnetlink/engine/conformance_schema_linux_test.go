package engine_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// Messages and attributes by number (linux/netfilter/nfnetlink_conntrack.h).
// They are written here a second time so that the test finds a wrong number in
// the library.
const (
	ctNew            = 1 << 8 // IPCTNL_MSG_CT_NEW
	ctGet            = 1<<8 | 1
	ctDelete         = 1<<8 | 2
	ctGetCtrZero     = 1<<8 | 3
	ctGetStatsCPU    = 1<<8 | 4
	ctGetStats       = 1<<8 | 5
	ctGetDying       = 1<<8 | 6
	ctGetUnconfirmed = 1<<8 | 7
	expNew           = 2 << 8 // IPCTNL_MSG_EXP_NEW
	expGet           = 2<<8 | 1
	expDelete        = 2<<8 | 2
	expGetStatsCPU   = 2<<8 | 3
	expStatsAnswer   = 1<<8 | 3 // type of the kernel's answer to expGetStatsCPU

	ctaTupleOrig  = 1
	ctaTupleReply = 2
	ctaStatus     = 3
	ctaProtoInfo  = 4
	ctaHelp       = 5
	ctaNATSrc     = 6
	ctaTimeout    = 7
	ctaMark       = 8
	ctaCntOrig    = 9
	ctaCntReply   = 10
	ctaUse        = 11
	ctaID         = 12
	ctaNATDst     = 13
	ctaMaster     = 14
	ctaSeqOrig    = 15
	ctaSeqReply   = 16
	ctaSecMark    = 17
	ctaZone       = 18
	ctaSecCtx     = 19
	ctaTimestamp  = 20
	ctaMarkMask   = 21
	ctaLabels     = 22
	ctaLabelsMask = 23
	ctaSynproxy   = 24
	ctaFilter     = 25
	ctaStatusMask = 26
	ctaTimeEvent  = 27

	ctaExpMaster   = 1
	ctaExpTuple    = 2
	ctaExpMask     = 3
	ctaExpTimeout  = 4
	ctaExpID       = 5
	ctaExpHelpName = 6
	ctaExpZone     = 7
	ctaExpFlags    = 8
	ctaExpClass    = 9
	ctaExpNAT      = 10
	ctaExpFn       = 11

	nlmsgError = 2
	nlmsgDone  = 3

	flagRequest = 0x01
	flagMulti   = 0x02
	flagAck     = 0x04
	flagEcho    = 0x08
	flagDump    = 0x300
	flagExcl    = 0x200
	flagCreate  = 0x400

	statusSrcNAT   = 0x10
	statusDstNAT   = 0x20
	statusNATDone  = 0x180
	familyIPv4     = 2
	familyIPv6     = 10
	statusConfirms = 8
)

// aside says how two tables may differ in an attribute.
type aside int

const (
	exact   aside = iota
	ident         // a number that the table chooses
	seconds       // may differ by the time between the two requests
	moment        // a time stamp: both tables send it or neither
	use           // includes a master's children: while a sweep removes some, the order of the walk decides
	port          // may be chosen at random when the entry is translated
)

// field describes an attribute; schema, the attributes of a nest.
type field struct {
	name  string
	kids  schema
	aside aside
	show  func([]byte) string
}

type schema map[uint16]field

var (
	ipSchema = schema{1: {name: "v4src", show: addr}, 2: {name: "v4dst", show: addr}, 3: {name: "v6src", show: addr},
		4: {name: "v6dst", show: addr}}

	protoSchema = schema{
		1: {name: "num", show: number}, 2: {name: "sport", show: number, aside: port},
		3: {name: "dport", show: number, aside: port},
		4: {name: "id", show: number, aside: port}, 5: {name: "type", show: number}, 6: {name: "code", show: number},
		7: {name: "id6", show: number, aside: port}, 8: {name: "type6", show: number}, 9: {name: "code6", show: number},
	}
	tupleSchema = schema{1: {name: "ip", kids: ipSchema}, 2: {name: "proto", kids: protoSchema},
		3: {name: "zone", show: number}}

	infoSchema = schema{
		1: {name: "tcp", kids: schema{
			1: {name: "state", show: number}, 2: {name: "wscale-orig", show: number}, 3: {name: "wscale-reply", show: number},
			4: {name: "flags-orig"}, 5: {name: "flags-reply"},
		}},
		2: {name: "dccp", kids: schema{1: {name: "state", show: number}, 2: {name: "role", show: number}, 3: {name: "seq"}}},
		3: {name: "sctp", kids: schema{1: {name: "state", show: number}, 2: {name: "vtag-orig"}, 3: {name: "vtag-reply"}}},
	}
	natSchema = schema{
		1: {name: "min4", show: addr}, 2: {name: "max4", show: addr}, 4: {name: "min6", show: addr},
		5: {name: "max6", show: addr},
		3: {name: "ports", kids: schema{1: {name: "min", show: number}, 2: {name: "max", show: number}}},
	}
	countersSchema = schema{1: {name: "packets", show: number}, 2: {name: "bytes", show: number}, 3: {name: "packets32"},
		4: {name: "bytes32"}}
	seqSchema = schema{1: {name: "pos", show: number}, 2: {name: "before", show: number},
		3: {name: "after", show: number}}
	helpSchema = schema{1: {name: "name", show: text}, 2: {name: "info"}}

	entrySchema = schema{
		ctaTupleOrig: {name: "ORIG", kids: tupleSchema}, ctaTupleReply: {name: "REPLY", kids: tupleSchema},
		ctaStatus: {name: "STATUS", show: hex}, ctaProtoInfo: {name: "PROTOINFO", kids: infoSchema},
		ctaHelp: {name: "HELP", kids: helpSchema}, ctaNATSrc: {name: "NAT_SRC", kids: natSchema},
		ctaTimeout: {name: "TIMEOUT", show: number, aside: seconds}, ctaMark: {name: "MARK", show: hex},
		ctaCntOrig:  {name: "COUNTERS_ORIG", kids: countersSchema},
		ctaCntReply: {name: "COUNTERS_REPLY", kids: countersSchema},
		ctaUse:      {name: "USE", show: number, aside: use}, ctaID: {name: "ID", show: hex, aside: ident},
		ctaNATDst: {name: "NAT_DST", kids: natSchema}, ctaMaster: {name: "MASTER", kids: tupleSchema},
		ctaSeqOrig: {name: "SEQ_ADJ_ORIG", kids: seqSchema}, ctaSeqReply: {name: "SEQ_ADJ_REPLY", kids: seqSchema},
		ctaSecMark: {name: "SECMARK"}, ctaZone: {name: "ZONE", show: number},
		ctaSecCtx:    {name: "SECCTX", kids: schema{1: {name: "name", show: text}}},
		ctaTimestamp: {name: "TIMESTAMP", kids: schema{1: {name: "start", aside: moment}, 2: {name: "stop", aside: moment}}},
		ctaMarkMask:  {name: "MARK_MASK", show: hex}, ctaLabels: {name: "LABELS"}, ctaLabelsMask: {name: "LABELS_MASK"},
		ctaSynproxy:   {name: "SYNPROXY", kids: schema{1: {name: "isn"}, 2: {name: "its"}, 3: {name: "tsoff"}}},
		ctaFilter:     {name: "FILTER", kids: schema{1: {name: "orig", show: hostHex}, 2: {name: "reply", show: hostHex}}},
		ctaStatusMask: {name: "STATUS_MASK", show: hex}, ctaTimeEvent: {name: "TIMESTAMP_EVENT", aside: moment},
	}
	expectSchema = schema{
		ctaExpMaster: {name: "MASTER", kids: tupleSchema}, ctaExpTuple: {name: "TUPLE", kids: tupleSchema},
		ctaExpMask:    {name: "MASK", kids: tupleSchema},
		ctaExpTimeout: {name: "TIMEOUT", show: number, aside: seconds}, ctaExpID: {name: "ID", show: hex, aside: ident},
		ctaExpHelpName: {name: "HELP_NAME", show: text}, ctaExpZone: {name: "ZONE", show: number},
		ctaExpFlags: {name: "FLAGS", show: hex},
		ctaExpClass: {name: "CLASS", show: number}, ctaExpFn: {name: "FN", show: text},
		ctaExpNAT: {name: "NAT", kids: schema{1: {name: "dir", show: number}, 2: {name: "tuple", kids: tupleSchema}}},
	}
	// Statistics are printed by number.
	statsSchema = schema{}
	// max is that of the whole machine
	globalSchema = schema{1: {name: "entries", show: number}, 2: {name: "max", show: number, aside: ident}}
)

// schemaOf returns the schema of a message type.
func schemaOf(typ uint16) schema {
	switch {
	case typ == ctGetStats:
		return globalSchema
	case typ == ctGetStatsCPU || typ == expStatsAnswer:
		return statsSchema
	case typ>>8 == 2:
		return expectSchema
	default:
		return entrySchema
	}
}

func addr(b []byte) string {
	if a, ok := netip.AddrFromSlice(b); ok {
		return a.String()
	}
	return hex(b)
}

func number(b []byte) string {
	switch len(b) {
	case 1:
		return fmt.Sprint(b[0])
	case 2:
		return fmt.Sprint(binary.BigEndian.Uint16(b))
	case 4:
		return fmt.Sprint(binary.BigEndian.Uint32(b))
	case 8:
		return fmt.Sprint(binary.BigEndian.Uint64(b))
	}
	return hex(b)
}

func hex(b []byte) string {
	if len(b) == 4 {
		return fmt.Sprintf("%#x", binary.BigEndian.Uint32(b))
	}
	return fmt.Sprintf("[%x]", b)
}

func hostHex(b []byte) string {
	if len(b) == 4 {
		return fmt.Sprintf("%#x", binary.NativeEndian.Uint32(b))
	}
	return hex(b)
}

func text(b []byte) string { return fmt.Sprintf("%q", b) }

// show describes attributes: NAME=value, NAME{…}. A type that is not in the
// schema is shown as a number, and bytes that are no attribute as they are.
func (s schema) show(b []byte) string {
	var out []string
	for len(b) > 0 {
		typ, val, rest, ok := attribute(b)
		if !ok {
			out = append(out, fmt.Sprintf("rubbish[%x]", b))
			break
		}
		f, known := s[typ&^(3<<14)]
		name := f.name
		if !known {
			name = fmt.Sprint("#", typ&^(3<<14))
		}
		switch {
		case known && f.kids != nil:
			plain := ""
			if typ&nested == 0 {
				plain = "(plain)"
			}
			out = append(out, name+plain+"{"+f.kids.show(val)+"}")
		case f.show != nil:
			out = append(out, name+"="+f.show(val))
		default:
			out = append(out, fmt.Sprintf("%s=[%x]", name, val))
		}
		b = rest
	}
	return strings.Join(out, " ")
}

// attribute splits the first attribute off b.
func attribute(b []byte) (typ uint16, val, rest []byte, ok bool) {
	if len(b) < 4 {
		return 0, nil, nil, false
	}
	n := int(binary.NativeEndian.Uint16(b))
	if n < 4 || n > len(b) {
		return 0, nil, nil, false
	}
	return binary.NativeEndian.Uint16(b[2:]), b[4:n], b[min((n+3)&^3, len(b)):], true
}

// find returns the first attribute of a type; with more types, the one inside
// it.
func find(b []byte, path ...uint16) []byte {
	for len(b) > 0 {
		typ, val, rest, ok := attribute(b)
		if !ok {
			return nil
		}
		if typ&^(3<<14) == path[0] {
			if len(path) == 1 {
				return val
			}
			return find(val, path[1:]...)
		}
		b = rest
	}
	return nil
}

// messageName returns the name of a message type.
func messageName(typ uint16) string {
	names := map[uint16]string{
		ctNew:            "ct NEW",
		ctGet:            "ct GET",
		ctDelete:         "ct DELETE",
		ctGetCtrZero:     "ct GET_CTRZERO (answer: expectation statistics)",
		ctGetStatsCPU:    "ct GET_STATS_CPU",
		ctGetStats:       "ct GET_STATS",
		ctGetDying:       "ct GET_DYING",
		ctGetUnconfirmed: "ct GET_UNCONFIRMED",
		expNew:           "expect NEW",
		expGet:           "expect GET",
		expDelete:        "expect DELETE",
		expGetStatsCPU:   "expect GET_STATS_CPU",
		nlmsgError:       "ERROR",
		nlmsgDone:        "DONE",
	}
	if n, ok := names[typ]; ok {
		return n
	}
	return fmt.Sprintf("type %#x", typ)
}
