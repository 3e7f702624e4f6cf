package show

import (
	"fmt"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Link is a dedicated link with its counters. Its fields are those of link.Stats.
type Link struct {
	Interface                string
	Kind                     config.Kind
	Status                   string // RUNNING, NO-CARRIER, DOWN
	Active                   bool
	Server, Client           bool // TCP: connected
	SentBytes, RecvBytes     uint64
	SentPackets, RecvPackets uint64
	SendErrors, RecvErrors   uint64
	Forged, Replayed         uint64 // with a key: refused
	ErrorQueue               int    // datagrams that wait to be sent again
}

func kindName(k config.Kind) string {
	switch k {
	case config.UDP:
		return "UDP"
	case config.TCP:
		return "TCP"
	}
	return "multicast"
}

// appendActive appends the block of the active link in -s and -s network.
func (l *Link) appendActive(dst []byte) []byte {
	dst = fmt.Appendf(dst, "%s traffic (active device=%s)", kindName(l.Kind), printable.String(l.Interface))
	if l.Kind == config.TCP {
		dst = fmt.Appendf(dst, " server=%s client=%s", connected(l.Server), connected(l.Client))
	}
	return l.appendTraffic(append(dst, ":\n"...))
}

func connected(yes bool) string {
	if yes {
		return "connected"
	}
	return "disconnected"
}

func (l *Link) appendTraffic(dst []byte) []byte {
	return fmt.Appendf(dst, "%20d Bytes sent %20d Bytes recv\n"+
		"%20d Pckts sent %20d Pckts recv\n"+
		"%20d Error send %20d Error recv\n\n",
		l.SentBytes, l.RecvBytes, l.SentPackets, l.RecvPackets, l.SendErrors, l.RecvErrors)
}

// AppendLinks appends the text of -s link.
func AppendLinks(dst []byte, links []Link) []byte {
	for i := range links {
		l := &links[i]
		role := "BACKUP"
		if l.Active {
			role = "ACTIVE"
		}
		dst = fmt.Appendf(dst, "%s traffic device=%s status=%s role=%s:\n",
			kindName(l.Kind), printable.String(l.Interface), l.Status, role)
		dst = l.appendTraffic(dst)
	}
	return dst
}

// Network is what -s network shows.
type Network struct {
	Malformed, WrongVersion, BadHeader, BadPayload, BadType, Truncated, BadSize uint64 // received
	SendMalformed                                                               uint64
	Lost, Before                                                                uint64
	Link                                                                        *Link // the active one
}

// AppendNetwork appends the text of -s network.
func AppendNetwork(dst []byte, n *Network) []byte {
	dst = fmt.Appendf(dst, "network statistics:\n"+
		"\trecv:\n"+
		"\t\tMalformed messages:\t%20d\n"+
		"\t\tWrong protocol version:\t%20d\n"+
		"\t\tMalformed header:\t%20d\n"+
		"\t\tMalformed payload:\t%20d\n"+
		"\t\tBad message type:\t%20d\n"+
		"\t\tTruncated message:\t%20d\n"+
		"\t\tBad message size:\t%20d\n"+
		"\tsend:\n"+
		"\t\tMalformed messages:\t%20d\n\n"+
		"sequence tracking statistics:\n"+
		"\trecv:\n"+
		"\t\tPackets lost:\t\t%20d\n"+
		"\t\tPackets before:\t\t%20d\n\n",
		n.Malformed, n.WrongVersion, n.BadHeader, n.BadPayload, n.BadType, n.Truncated, n.BadSize,
		n.SendMalformed, n.Lost, n.Before)
	if n.Link != nil {
		dst = n.Link.appendActive(dst)
	}
	return dst
}
