package format

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// jsonEntry is what a reader of JSON makes of an entry, by encoding/json.
type jsonEntry struct {
	Event, Family, Proto, State, SecCtx, Helper, Program string
	Time, Start, Stop                                    time.Time
	ProtoNum                                             uint8
	Timeout, Mark, SecMark, ID, Use, PortID              *uint32
	Zone                                                 *uint16
	Age                                                  *uint64
	Orig, Reply                                          jsonDirection
	Status, Labels                                       []string
}

type jsonDirection struct {
	Src, Dst                     string
	SPort, DPort, SrcKey, DstKey uint16
	Type, Code                   uint8
	ICMPID                       uint16 `json:"icmp_id"`
	Zone                         *uint16
	Packets, Bytes               *uint64
	VTag                         *uint32
}

// line returns the classic line of the entry: what JSON says must be enough to
// write all that the classic line says.
func (e *jsonEntry) line() string {
	var b strings.Builder
	put := func(form string, args ...any) { fmt.Fprintf(&b, form+" ", args...) }
	if e.Event != "" {
		fmt.Fprintf(&b, "[%08d.%06d]\t%9s ", e.Time.Unix(), e.Time.Nanosecond()/1000, "["+strings.ToUpper(e.Event)+"]")
	}
	put("%-8s %d", e.Family, map[string]int{"ipv4": 2, "ipv6": 10}[e.Family])
	put("%-8s %d", e.Proto, e.ProtoNum)
	if e.Timeout != nil {
		put("%d", *e.Timeout)
	}
	if e.State == "UNKNOWN" {
		e.State = "NONE"
	}
	if e.State != "" {
		put("%s", e.State)
	}
	direction := func(d *jsonDirection, name string) {
		put("src=%s dst=%s", d.Src, d.Dst)
		switch e.Proto {
		case "tcp", "udp", "udplite", "sctp", "dccp":
			put("sport=%d dport=%d", d.SPort, d.DPort)
		case "icmp", "icmpv6":
			put("type=%d code=%d id=%d", d.Type, d.Code, d.ICMPID)
		case "gre":
			put("srckey=0x%x dstkey=0x%x", d.SrcKey, d.DstKey)
		}
		if d.Zone != nil {
			put("zone-%s=%d", name, *d.Zone)
		}
		if d.Packets != nil {
			put("packets=%d bytes=%d", *d.Packets, *d.Bytes)
		}
	}
	direction(&e.Orig, "orig")
	if e.Status != nil && !slices.Contains(e.Status, "SEEN_REPLY") {
		put("[UNREPLIED]")
	}
	direction(&e.Reply, "reply")
	for _, flag := range []string{"HW_OFFLOAD", "OFFLOAD", "ASSURED"} {
		if slices.Contains(e.Status, flag) {
			put("[%s]", flag)
			break
		}
	}
	if e.Mark != nil {
		put("mark=%d", *e.Mark)
	}
	if e.SecMark != nil {
		put("secmark=%d", *e.SecMark)
	}
	if e.SecCtx != "" {
		put("secctx=%s", e.SecCtx)
	}
	if e.Zone != nil {
		put("zone=%d", *e.Zone)
	}
	if e.Age != nil {
		put("delta-time=%d", *e.Age)
	}
	if !e.Start.IsZero() {
		put("[start=%s]", e.Start.Local().Format(time.ANSIC))
	}
	if !e.Stop.IsZero() {
		put("[stop=%s]", e.Stop.Local().Format(time.ANSIC))
	}
	if e.Helper != "" {
		put("helper=%s", e.Helper)
	}
	if e.Use != nil {
		put("use=%d", *e.Use)
	}
	if e.ID != nil {
		put("id=%d", *e.ID)
	}
	named := slices.DeleteFunc(slices.Clone(e.Labels), func(l string) bool { return strings.HasPrefix(l, "#") })
	if len(named) > 0 {
		put("labels=%s", strings.Join(named, ","))
	}
	if e.PortID != nil {
		put("[USERSPACE] portid=%d", *e.PortID)
	}
	if e.Program != "" {
		put("progname=%s", e.Program)
	}
	return strings.TrimSuffix(b.String(), " ") + "\n"
}

// checkLine holds JSON against the classic line of the same entry.
func checkLine(t *testing.T, f *ctnetlink.Flow, c *Context) {
	t.Helper()
	o := everything(StyleJSON)
	doc := NewPrinter(o).AppendFlow(nil, f, c)
	o.Style = StyleClassic
	want := string(NewPrinter(o).AppendFlow(nil, f, c))
	var e jsonEntry
	if err := json.Unmarshal(doc, &e); err != nil {
		t.Fatalf("%v: %s", err, doc)
	}
	if got := e.line(); got != want {
		t.Errorf("JSON says\n%sthe classic line is\n%s%s", got, want, doc)
	}
}

// TestJSONSaysAll: the classic line can be written from JSON.
func TestJSONSaysAll(t *testing.T) {
	for _, f := range everyKind(t) {
		if name, _ := f.Helper(); strings.Contains(string(name), "\x1b") {
			continue // the classic line escapes in its own way
		}
		checkLine(t, f, &Context{Now: now})
		checkLine(t, f, &Context{Now: now, Event: EventDestroy, PortID: 7, Program: "conntrack"})
	}
}
