package format

import (
	"fmt"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Explanation has the options of AppendExplanation.
type Explanation struct {
	// Now is the current time, for the age. If it is zero, time.Now is called.
	Now time.Time
	// LabelNames is the name of each label bit, "" for a bit without one.
	LabelNames []string
	// NetNS is the name of the entry's network namespace, "" to leave it out.
	NetNS string
	// Width is the number of columns of the terminal that the lines should fit, 0
	// for 78. They are never wider than 78.
	Width int
	// Sysctl returns the value of a setting of the entry's system, such as
	// nf_conntrack_udp_timeout, in seconds if it is a time. ok is false if it is not
	// known. If it is nil, no settings are known, and what set the timeout is not told.
	Sysctl func(name string) (value uint64, ok bool)
}

// AppendExplanation appends a description of an entry in words, for a reader who
// does not know connection tracking: who opened the connection, how it is
// translated, its state, what ends it, and what its flags mean. It consists of
// several lines of at most 78 columns, unless a word is longer. It only states what
// follows from the attributes that the kernel sent. The wording may change: programs
// should read the other forms. A nil e is an empty Explanation.
func AppendExplanation(dst []byte, f *ctnetlink.Flow, e *Explanation) []byte {
	if e == nil {
		e = &Explanation{}
	}
	t := &explainer{b: dst, f: f, orig: f.Orig(), reply: f.Reply(), e: e, width: textColumns(e.Width)}
	t.status, t.hasStatus = f.Status()
	t.proto = protocolWords(t.orig.Proto)
	t.headline()
	t.item("Opened", t.opening())
	t.item("Translated", t.translation())
	t.item("State", t.state())
	t.item("Seen", t.seen())
	t.item("Ends", t.end())
	t.item("Timeout", t.timeout())
	t.flags()
	t.item("Traffic", t.traffic())
	t.item("Helper", t.helper())
	t.item("Mark", t.mark())
	t.item("Labels", t.labels())
	t.item("Zone", t.zone())
	t.item("Security", t.security())
	t.item("Namespace", printable.String(e.NetNS))
	if id, ok := f.ID(); ok {
		t.item("Id", fmt.Sprint(id))
	}
	return t.b
}

// explainer describes one entry.
type explainer struct {
	b           []byte
	f           *ctnetlink.Flow
	orig, reply *ctnetlink.Tuple
	status      ctnetlink.Status
	hasStatus   bool
	proto       *protoWords
	e           *Explanation
	width       int // of lines
}

// The column where the text of an item begins, and the length of lines.
const (
	explainIndent = 12
	explainWidth  = 78
)

// textColumns returns the length of lines of text on a terminal of a width, 0 for any.
func textColumns(width int) int {
	if width > 0 {
		return min(width, explainWidth)
	}
	return explainWidth
}

// item appends a paragraph with its name. An empty paragraph is left out.
func (t *explainer) item(name, text string) {
	if text == "" {
		return
	}
	t.b = appendWrapped(t.b, name, explainIndent, t.width, text)
}

// headline appends a line with the kind of the connection and its ends.
func (t *explainer) headline() {
	what := t.proto.what
	if t.orig.Has&ctnetlink.FieldProto == 0 {
		what = "Traffic of an unknown protocol"
	}
	ends := "from " + source(t.orig) + " to " + destination(t.orig)
	if t.orig.Has&ctnetlink.FieldAddrs != ctnetlink.FieldAddrs {
		what, ends = what+";", "the table sent no addresses"
	}
	t.b = append(appendWrapped(t.b, what, 2, t.width, ends), '\n')
}

func source(u *ctnetlink.Tuple) string      { return string(appendSource(nil, u)) }
func destination(u *ctnetlink.Tuple) string { return string(appendDestination(nil, u)) }

// opening returns who opened the connection, when, and with what.
func (t *explainer) opening() string {
	var s phrases
	who := ""
	if t.orig.Has&ctnetlink.FieldAddrs == ctnetlink.FieldAddrs {
		who = "by " + string(appendAddr(nil, t.orig.Src, 0))
		if with := t.with(); with != "" {
			who += " " + with
		}
	}
	if start, ok := unixNanos(t.f.Start()); ok {
		now := Context{Now: t.e.Now}
		old, _ := age(t.f, &now)
		when := ago(old) + " (" + string(appendCtime(nil, start)) + ")"
		s.add(strings.TrimPrefix(who+", "+when, ", "))
	} else {
		s.add(who)
		s.add("the start time was not recorded (nf_conntrack_timestamp was 0)")
	}
	master, ok := t.f.Master()
	switch {
	case ok && master.Has&ctnetlink.FieldAddrs == ctnetlink.FieldAddrs:
		s.add(fmt.Sprintf("it was expected by the %s from %s to %s",
			lowerFirst(protocolWords(master.Proto).what), source(&master), destination(&master)))
	case t.status&ctnetlink.StatusExpected != 0:
		s.add("it was expected by another connection")
	}
	return s.String()
}

// with returns what the opener sent, apart from addresses and ports.
func (t *explainer) with() string {
	switch u := t.orig; {
	case u.Has&ctnetlink.FieldICMPType != 0:
		with := "with " + article(icmpName(u.Proto, u.ICMPType))
		if u.Has&ctnetlink.FieldICMPID != 0 {
			with += fmt.Sprintf(", id %d", u.ICMPID)
		}
		return with
	case u.Proto == ctnetlink.ProtoGRE && u.Has&ctnetlink.FieldPorts != 0:
		return fmt.Sprintf("with key 0x%x, and 0x%x of the other side", u.SrcPort, u.DstPort)
	}
	info, _ := t.f.ProtoInfo()
	if info.Proto == ctnetlink.ProtoDCCP && info.Has&ctnetlink.InfoRole != 0 {
		return "as the " + [2]string{"client", "server"}[info.Role&1]
	}
	return ""
}

// translation returns what the addresses and ports are translated to, and what the
// packets have then.
func (t *explainer) translation() string {
	const addrs = ctnetlink.FieldAddrs
	o, r := t.orig, t.reply
	if o.Has&addrs != addrs || r.Has&addrs != addrs {
		return ""
	}
	src, dst := t.f.SourceNAT(), t.f.DestinationNAT()
	if !src && !dst {
		if reversed(o, r) {
			return "nothing: the replies are the original reversed"
		}
		return fmt.Sprintf("nothing according to its status, but replies are expected from %s to %s", source(r), destination(r))
	}
	var changes []string
	if src {
		changes = append(changes, fmt.Sprintf("the source %s becomes %s",
			natEnd(o, source(o), o.ICMPID), natEnd(r, destination(r), r.ICMPID)))
	}
	if dst {
		changes = append(changes, fmt.Sprintf("the destination %s becomes %s", destination(o), source(r)))
	}
	var s phrases
	s.add(strings.Join(changes, ", "))
	s.add(fmt.Sprintf("packets arrive at %s from %s, and replies are translated back", source(r), destination(r)))
	return s.String()
}

// natEnd adds the identifier of an ICMP query to a source. The kernel translates it
// as a port.
func natEnd(u *ctnetlink.Tuple, end string, id uint16) string {
	if u.Has&ctnetlink.FieldICMPID == 0 {
		return end
	}
	return fmt.Sprintf("%s (id %d)", end, id)
}

// reversed reports whether the reply is the original with its ends exchanged.
func reversed(o, r *ctnetlink.Tuple) bool {
	return o.Src == r.Dst && o.Dst == r.Src &&
		(!o.Proto.HasPorts() || o.SrcPort == r.DstPort && o.DstPort == r.SrcPort)
}

// traffic returns the counters.
func (t *explainer) traffic() string {
	packets, bytes, ok := t.f.CountersOrig()
	back, bytesBack, okBack := t.f.CountersReply()
	if !ok && !okBack {
		return "not counted (nf_conntrack_acct was 0)"
	}
	return fmt.Sprintf("%s (%s) from the opener, %d (%s) back",
		plural(packets, "packet"), plural(bytes, "byte"), back, plural(bytesBack, "byte"))
}

func (t *explainer) helper() string {
	name, ok := t.f.Helper()
	if !ok {
		return ""
	}
	text := string(printable.Append(nil, name))
	for _, h := range helperWords {
		if h.name == text {
			return text + ": " + h.text
		}
	}
	return text + ": it inspects the packets and expects related connections"
}

func (t *explainer) mark() string {
	switch v, ok := t.f.Mark(); {
	case !ok || v == 0:
		return ""
	case v < 10:
		return fmt.Sprint(v)
	default:
		return fmt.Sprintf("%d (0x%x)", v, v)
	}
}

// labels returns the names of the labels, or their bits where they have none.
func (t *explainer) labels() string {
	set, ok := t.f.Labels()
	if !ok {
		return ""
	}
	var list []string
	for bit := range set.All() {
		switch {
		case bit < len(t.e.LabelNames) && t.e.LabelNames[bit] != "":
			list = append(list, string(printable.Append(nil, t.e.LabelNames[bit])))
		default:
			list = append(list, fmt.Sprintf("bit %d, which has no name", bit))
		}
	}
	return strings.Join(list, "; ")
}

func (t *explainer) zone() string {
	const apart = "entries of other zones may have the same addresses and ports"
	if v, ok := t.f.Zone(); ok {
		return fmt.Sprintf("%d: %s", v, apart)
	}
	switch orig, reply := t.orig.Has&ctnetlink.FieldZone != 0, t.reply.Has&ctnetlink.FieldZone != 0; {
	case orig && reply:
		return fmt.Sprintf("%d for the original direction, %d for the replies: %s", t.orig.Zone, t.reply.Zone, apart)
	case orig:
		return fmt.Sprintf("%d for the original direction only: %s there", t.orig.Zone, apart)
	case reply:
		return fmt.Sprintf("%d for the replies only: %s there", t.reply.Zone, apart)
	}
	return ""
}

func (t *explainer) security() string {
	if v, ok := t.f.SecCtx(); ok {
		return string(printable.Append(nil, v))
	}
	if v, ok := t.f.SecMark(); ok && v != 0 {
		return fmt.Sprintf("mark %d", v)
	}
	return ""
}
