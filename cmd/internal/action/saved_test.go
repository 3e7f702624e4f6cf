package action

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// readLine reads a line of -o save as a line of a loaded file is read.
func readLine(line string) (*cmdline.Request, error) {
	if err := cmdline.ValidateLines(nil, "", line, nil); err != nil {
		return nil, err
	}
	requests, stop := cmdline.ReadAhead("", line)
	defer stop()
	for r := range requests {
		return r, nil
	}
	return nil, io.EOF
}

// checkSaved checks that the line of -o save is read as the entry.
func checkSaved(t *testing.T, f *ctnetlink.Flow) {
	t.Helper()
	p := format.NewPrinter(format.Options{Style: format.StyleSave, Complete: true})
	for _, verb := range []byte("AUD") {
		line := string(p.AppendFlow(nil, f, &format.Context{Verb: verb}))
		r, err := readLine(line)
		switch {
		case strings.HasPrefix(line, "#"):
			if !errors.Is(err, io.EOF) {
				t.Errorf("%q: %v", line, err)
			}
			continue
		case !sameFamilies(f):
			continue // no command line has addresses of two families
		case verb == 'U' && strings.HasPrefix(line, "-U -t 0 "):
			continue // is refused, because it would end the entry
		case err != nil:
			t.Errorf("%q is refused: %v", line, err)
			continue
		}
		if verb == 'A' {
			compareSaved(t, line, f, entry(r))
			if fits(f.Orig(), f.Orig().Proto) && fits(f.Reply(), f.Orig().Proto) {
				checkReloaded(t, line, f)
			}
		}
	}
}

// load loads a line into an empty table, and calls each with every entry that is in it
// then. It returns the lines that are saved. ok is false where the table refuses the
// entry, or a part of it.
func load(t *testing.T, line string, each ...func(f *ctnetlink.Flow)) (saved string, ok bool) {
	t.Helper()
	inMemory := engine.New(engine.Options{Now: func() time.Time { return outputTime }})
	table := &target.Table{Conn: ctnetlink.NewConn(inMemory.Dial)}
	defer table.Conn.Close()
	e := &Env{Streams: console.Discard(), Tables: []*target.Table{table}, Report: &quiet{}, Unrestored: &unrestored{}}
	r, err := readLine(line)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if err := runLine(e, r); err != nil || *e.Unrestored != (unrestored{}) {
		return "", false
	}
	p := format.NewPrinter(format.Options{Style: format.StyleSave, Complete: true})
	for f, err := range table.Conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		saved += string(p.AppendFlow(nil, f, nil))
		for _, look := range each {
			look(f)
		}
	}
	return saved, true
}

// checkReloaded checks that a line makes the entry that it was made of, if a table
// accepts it.
func checkReloaded(t *testing.T, line string, saved *ctnetlink.Flow) {
	t.Helper()
	n := 0
	_, ok := load(t, line, func(f *ctnetlink.Flow) {
		n++
		for i, tuples := range [][2]*ctnetlink.Tuple{{saved.Orig(), f.Orig()}, {saved.Reply(), f.Reply()}} {
			has := tuples[0].Has
			if i == 1 {
				has &^= ctnetlink.FieldICMP // a line has it once
			}
			if tuples[0].Zone == 0 {
				has &^= ctnetlink.FieldZone // a table does not send zone 0
			}
			if want, got := tuples[0].Only(has), tuples[1].Only(has); got != want {
				t.Errorf("%q: direction %d is %s, want %s", line, i, &got, &want)
			}
		}
		have, _ := f.State()
		if state, ok := saved.State(); ok && have != state && state.Proto() == f.Orig().Proto &&
			int(state.Number()) < len(f.Orig().Proto.StateNames()) {
			t.Errorf("%q: state %s, want %s", line, have, state)
		}
	})
	if timeout, _ := saved.Timeout(); ok && n != 1 && timeout > 0 {
		t.Errorf("%q makes %d entries", line, n)
	}
}

// fits reports whether a tuple has the fields of a protocol, and no others.
func fits(tuple *ctnetlink.Tuple, proto ctnetlink.Protocol) bool {
	want := ctnetlink.FieldAddrs | ctnetlink.FieldProto
	switch {
	case proto.HasPorts() || proto == ctnetlink.ProtoGRE:
		want |= ctnetlink.FieldPorts
	case proto == ctnetlink.ProtoICMP || proto == ctnetlink.ProtoICMPv6:
		want |= ctnetlink.FieldICMP
	}
	return tuple.Has&^ctnetlink.FieldZone == want && tuple.Proto == proto
}

func sameFamilies(f *ctnetlink.Flow) bool {
	o, r := f.Orig(), f.Reply()
	return o.Src.Is4() == o.Dst.Is4() && (r.Has&ctnetlink.FieldSrc == 0 || r.Src.Is4() == o.Src.Is4()) &&
		(r.Has&ctnetlink.FieldDst == 0 || r.Dst.Is4() == o.Src.Is4())
}

// compareSaved compares the entry that a line creates with the entry that it was
// made of.
func compareSaved(t *testing.T, line string, f *ctnetlink.Flow, made *ctnetlink.FlowSpec) {
	t.Helper()
	different := func(what string, got, want any) {
		t.Helper()
		t.Errorf("%q: %s %v, want %v", line, what, got, want)
	}
	orig := f.Orig()
	if made.Orig.Src != orig.Src || made.Orig.Dst != orig.Dst ||
		orig.Has&ctnetlink.FieldProto != 0 && made.Orig.Proto != orig.Proto {
		different("original", made.Orig.String(), orig)
	}
	if ports := orig.Proto.HasPorts() || orig.Proto == ctnetlink.ProtoGRE; ports &&
		(made.Orig.SrcPort != orig.SrcPort || made.Orig.DstPort != orig.DstPort) {
		different("original", made.Orig.String(), orig)
	}
	if v, ok := f.Mark(); v != made.Mark || ok && v != 0 && !made.Set.Has(ctnetlink.AttrMark) {
		different("mark", made.Mark, v)
	}
	if v, ok := f.Zone(); v != made.Zone || ok != made.Set.Has(ctnetlink.AttrZone) {
		different("zone", made.Zone, v)
	}
	if made.Orig.Zone != orig.Zone || made.Reply.Zone != f.Reply().Zone {
		different("zones", made, f)
	}
	const kept = ctnetlink.StatusSeenReply | ctnetlink.StatusAssured | ctnetlink.StatusFixedTimeout
	if v, _ := f.Status(); v&kept != made.Status&kept {
		different("status", made.Status, v)
	}
	if v, ok := f.Timeout(); ok && made.Timeout != v {
		different("timeout", made.Timeout, v)
	}
	if v, ok := f.Helper(); ok && printable.Is(v) && len(v) > 0 && made.Helper != string(v) {
		different("helper", made.Helper, string(v))
	}
	set, _ := f.Labels()
	for bit := range ctnetlink.MaxLabels {
		if made.Labels.Has(bit) != set.Has(bit) {
			different("label", bit, set.Has(bit))
		}
	}
}

// TestSavedLinesMakeTheSame: entries of all kinds, made in a table, are saved as lines
// that make the same entries in another one.
func TestSavedLinesMakeTheSame(t *testing.T) {
	random := seeded(7)
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	made := 0
	lines := testwait.Size(3000, 900)
	for range lines {
		v6 := random.IntN(3) == 0
		addr := func() string {
			if v6 {
				return pick("fd00::1", "fd00::2", "2001:db8::3")
			}
			return pick("10.0.0.1", "10.0.0.2", "192.0.2.3")
		}
		port := func() string { return pick("1", "53", "443", "1024", "65535") }
		nat := func(option string) string {
			a := addr()
			switch {
			case random.IntN(3) > 0:
				return ""
			case random.IntN(2) == 0:
				return option + a
			case v6:
				return option + "[" + a + "]:" + port()
			}
			return option + a + ":" + port()
		}
		line := "-I -t " + pick("1", "300", "4294967") + " -s " + addr() + " -d " + addr() + nat(" -n ") + nat(" -g ") +
			pick("", " -u SEEN_REPLY", " -u ASSURED,SEEN_REPLY", " -u FIXED_TIMEOUT") + pick("", " -m 7", " -m 0xffffffff") +
			pick("", " -w 3", " --orig-zone 4", " --reply-zone 5") + pick("", " --label-bits 0,63,127") +
			pick("", " --helper ftp")
		ports := " --sport " + port() + " --dport " + port() +
			pick("", " --reply-port-src "+port()) + pick("", " --reply-port-dst "+port())
		switch proto := pick("tcp", "udp", "udplite", "sctp", "dccp", "icmp", "gre", "99"); proto {
		case "tcp":
			line += " -p tcp --state " + pick("NONE", "SYN_SENT", "ESTABLISHED", "TIME_WAIT") + ports
		case "sctp":
			line += " -p sctp --state " + pick("NONE", "ESTABLISHED") + " --orig-vtag 1 --reply-vtag 4294967295" + ports
		case "dccp":
			line += " -p dccp --state OPEN --role " + pick("client", "server") + ports
		case "icmp":
			name := "icmp"
			kind := pick("8", "13")
			if v6 {
				name, kind = "icmpv6", "128"
			}
			line += " -p " + name + " --" + name + "-type " + kind + " --" + name + "-code 0 --" + name + "-id " + port()
		case "gre":
			keys := strings.NewReplacer("-port-", "-key-", "--sport", "--srckey", "--dport", "--dstkey")
			line += " -p gre" + keys.Replace(ports)
		default:
			line += " -p " + proto
			if proto != "99" {
				line += ports
			}
		}
		saved, ok := load(t, line)
		if !ok {
			continue
		}
		made++
		again, ok := load(t, saved)
		if want := saved; !ok || again != want {
			t.Errorf("%s\nis saved as %sand after a load as %s", line, saved, again)
		}
	}
	if made < lines/3 {
		t.Errorf("only %d entries were made", made)
	}
}
