package format

import (
	"fmt"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Explanation is what AppendExplanation knows beside the entry.
type Explanation struct {
	// Now is the clock, for the age. If zero, the system's is asked.
	Now time.Time
	// LabelNames holds the name of each label bit, "" where it has none.
	LabelNames []string
}

// AppendExplanation appends one entry told in words, for a reader who does not
// know the table: who opened it, what is translated, its state and what ends
// it, what its flags mean. It is several lines, each of at most 78 columns
// unless a name is longer, and says only what follows from the attributes that
// the table sent. The wording may change: programs read the other forms. A nil e
// is an Explanation of which nothing is known.
func AppendExplanation(dst []byte, f *ctnetlink.Flow, e *Explanation) []byte {
	if e == nil {
		e = &Explanation{}
	}
	t := &teller{b: dst, f: f, orig: f.Orig(), reply: f.Reply(), e: e}
	t.status, t.hasStatus = f.Status()
	t.proto = protocolWords(t.orig.Proto)
	t.headline()
	t.item("Opened", t.opening())
	t.item("Translated", t.translation())
	t.item("State", t.state())
	t.item("Ends", t.end())
	t.flags()
	t.item("Traffic", t.traffic())
	t.item("Helper", t.helper())
	t.item("Mark", t.mark())
	t.item("Labels", t.labels())
	t.item("Zone", t.zone())
	t.item("Security", t.security())
	if id, ok := f.ID(); ok {
		t.item("Id", fmt.Sprint(id))
	}
	return t.b
}

// teller tells one entry.
type teller struct {
	b           []byte
	f           *ctnetlink.Flow
	orig, reply *ctnetlink.Tuple
	status      ctnetlink.Status
	hasStatus   bool
	proto       *protoWords
	e           *Explanation
}

// Where an item's text begins, and where lines end.
const (
	explainIndent = 12
	explainWidth  = 78
)

// item appends a paragraph under its name, wrapped. An empty one is left out.
func (t *teller) item(name, text string) {
	if text == "" {
		return
	}
	t.wrap(name, explainIndent, text)
}

// wrap appends a text behind what its first line begins with, both in columns
// of their own.
func (t *teller) wrap(first string, indent int, text string) {
	t.b = appendWrapped(t.b, first, indent, explainWidth, text)
}

// headline appends what it is, in a line.
func (t *teller) headline() {
	what := t.proto.what
	if t.orig.Has&ctnetlink.FieldProto == 0 {
		what = "Traffic of an unknown protocol"
	}
	ends := "; the table sent no addresses"
	if t.orig.Has&ctnetlink.FieldAddrs == ctnetlink.FieldAddrs {
		ends = " from " + source(t.orig) + " to " + destination(t.orig)
	}
	t.b = append(append(append(t.b, what...), ends...), "\n\n"...)
}

func source(u *ctnetlink.Tuple) string      { return string(appendSource(nil, u)) }
func destination(u *ctnetlink.Tuple) string { return string(appendDestination(nil, u)) }

// opening tells who opened it, when, and with what.
func (t *teller) opening() string {
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
		s.add("when is not recorded (nf_conntrack_timestamp was 0)")
	}
	master, ok := t.f.Master()
	switch {
	case ok && master.Has&ctnetlink.FieldAddrs == ctnetlink.FieldAddrs:
		s.add(fmt.Sprintf("it was expected: the %s from %s to %s announced it",
			lowerFirst(protocolWords(master.Proto).what), source(&master), destination(&master)))
	case t.status&ctnetlink.StatusExpected != 0:
		s.add("it was expected: another connection announced it")
	}
	return s.String()
}

// with tells what the opener sent, beyond addresses and ports.
func (t *teller) with() string {
	switch u := t.orig; {
	case u.Has&ctnetlink.FieldICMPType != 0:
		with := "with " + article(icmpName(u.Proto, u.ICMPType))
		if u.Has&ctnetlink.FieldICMPID != 0 {
			with += fmt.Sprintf(", id %d", u.ICMPID)
		}
		return with
	case u.Proto == ctnetlink.ProtoGRE && u.Has&ctnetlink.FieldPorts != 0:
		return fmt.Sprintf("with the keys 0x%x (its own) and 0x%x (the other side's)", u.SrcPort, u.DstPort)
	}
	info, _ := t.f.ProtoInfo()
	switch {
	case info.Proto == ctnetlink.ProtoDCCP && info.Has&ctnetlink.InfoRole != 0:
		return "as the " + [2]string{"client", "server"}[info.Role&1]
	case info.Proto == ctnetlink.ProtoSCTP && info.Has&ctnetlink.InfoVTags != 0:
		return fmt.Sprintf("with the verification tags %d in its packets and %d in the replies", info.VTag[0], info.VTag[1])
	}
	return ""
}

// translation tells what becomes of the addresses and ports, and what then
// travels.
func (t *teller) translation() string {
	const addrs = ctnetlink.FieldAddrs
	o, r := t.orig, t.reply
	if o.Has&addrs != addrs || r.Has&addrs != addrs {
		return ""
	}
	src, dst := t.f.SourceNAT(), t.f.DestinationNAT()
	if !src && !dst {
		if reversed(o, r) {
			return "nothing: replies are the original reversed"
		}
		return fmt.Sprintf("nothing that the table says; but replies are expected from %s to %s", source(r), destination(r))
	}
	var changes []string
	if src {
		changes = append(changes, fmt.Sprintf("the source %s becomes %s", natEnd(o, source(o), o.ICMPID), natEnd(r, destination(r), r.ICMPID)))
	}
	if dst {
		changes = append(changes, fmt.Sprintf("the destination %s becomes %s", destination(o), source(r)))
	}
	var s phrases
	s.add(strings.Join(changes, ", "))
	s.add(fmt.Sprintf("so packets arrive at %s as from %s, and replies take the way back", source(r), destination(r)))
	return s.String()
}

// natEnd is a source with the query's id, which the kernel translates as a
// port.
func natEnd(u *ctnetlink.Tuple, end string, id uint16) string {
	if u.Has&ctnetlink.FieldICMPID == 0 {
		return end
	}
	return fmt.Sprintf("%s (id %d)", end, id)
}

// reversed tells whether a reply is the original with its ends exchanged.
func reversed(o, r *ctnetlink.Tuple) bool {
	return o.Src == r.Dst && o.Dst == r.Src &&
		(!o.Proto.HasPorts() || o.SrcPort == r.DstPort && o.DstPort == r.SrcPort)
}

// traffic tells the counters.
func (t *teller) traffic() string {
	packets, bytes, ok := t.f.CountersOrig()
	back, bytesBack, okBack := t.f.CountersReply()
	if !ok && !okBack {
		return "not counted (nf_conntrack_acct was 0)"
	}
	return fmt.Sprintf("%s (%s) from the opener, %d (%s) back",
		plural(packets, "packet"), plural(bytes, "byte"), back, plural(bytesBack, "byte"))
}

func (t *teller) helper() string {
	name, ok := t.f.Helper()
	if !ok {
		return ""
	}
	text := string(AppendName(nil, name))
	for _, h := range helperWords {
		if h.name == text {
			return text + ": " + h.text
		}
	}
	return text + ": it reads the packets, and announces connections that belong to this one"
}

func (t *teller) mark() string {
	switch v, ok := t.f.Mark(); {
	case !ok || v == 0:
		return ""
	case v < 10:
		return fmt.Sprint(v)
	default:
		return fmt.Sprintf("%d (0x%x)", v, v)
	}
}

// labels names the labels; those without a name by their bits.
func (t *teller) labels() string {
	set, ok := t.f.Labels()
	if !ok {
		return ""
	}
	var list []string
	for bit := range set.All() {
		switch {
		case bit < len(t.e.LabelNames) && t.e.LabelNames[bit] != "":
			list = append(list, string(AppendName(nil, t.e.LabelNames[bit])))
		default:
			list = append(list, fmt.Sprintf("bit %d, which has no name", bit))
		}
	}
	return strings.Join(list, "; ")
}

func (t *teller) zone() string {
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

func (t *teller) security() string {
	if v, ok := t.f.SecCtx(); ok {
		return string(AppendName(nil, v))
	}
	if v, ok := t.f.SecMark(); ok && v != 0 {
		return fmt.Sprintf("mark %d", v)
	}
	return ""
}
