package cmd

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// plainValue says an entry's value for a key in the plainest way.
func plainValue(name string, f *ctnetlink.Flow) string {
	o, r := f.Orig(), f.Reply()
	status, _ := f.Status()
	number := func(v any, ok bool) string {
		if !ok {
			return "-"
		}
		return fmt.Sprint(v)
	}
	network := func(a netip.Addr, n4, n6 int) string {
		if a.Is6() {
			n4 = n6
		}
		return netip.PrefixFrom(a, n4).Masked().String()
	}
	switch name {
	case "proto":
		return number(map[uint8]string{1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 132: "sctp", 99: "99"}[o.Proto], true)
	case "family":
		return map[uint8]string{2: "ipv4", 10: "ipv6"}[f.Family]
	case "src":
		return o.Src.String()
	case "reply_dst":
		return r.Dst.String()
	case "src/24":
		return network(o.Src, 24, 24)
	case "dst/23/61":
		return network(o.Dst, 23, 61)
	case "src/64":
		return network(o.Src, 32, 64)
	case "dport":
		return number(o.DstPort, ctnetlink.HasPorts(o.Proto))
	case "icmp_id":
		return number(o.ICMPID, o.Proto == ctnetlink.ProtoICMP)
	case "nat_src":
		return number(r.Dst, status&ctnetlink.StatusSrcNATDone != 0 && r.Dst != o.Src)
	case "nat_dst":
		return number(r.Src, status&ctnetlink.StatusDstNATDone != 0 && r.Src != o.Dst)
	case "state":
		v, ok := f.State()
		return number(append(slices.Clone(ctnetlink.StateNames(o.Proto)), "UNKNOWN", "UNKNOWN")[v:][:1], ok)
	case "mark":
		return number(f.Mark())
	case "timeout":
		return number(f.Timeout())
	case "zone":
		return number(f.Zone())
	case "helper":
		h, ok := f.Helper()
		return number(string(h), ok)
	case "labels":
		set, _ := f.Labels()
		var names []string
		for n := range set.All() {
			if n == 3 {
				names = append(names, "web")
			} else {
				names = append(names, fmt.Sprint("#", n))
			}
		}
		return number(strings.Join(names, "|"), len(names) > 0)
	case "bytes":
		_, a, ok := f.CountersOrig()
		_, b, _ := f.CountersReply()
		return number(a+b, ok)
	}
	panic(name)
}

// groupValue says a group's value in the same way.
func groupValue(v *stats.Value, name string) string {
	switch v.Kind {
	case stats.Number:
		return fmt.Sprint(v.Number)
	case stats.Addr:
		return v.Addr.String()
	case stats.Network:
		return netip.PrefixFrom(v.Addr, v.Bits).String()
	case stats.Text:
		if name == "state" {
			return "[" + string(v.Text) + "]"
		}
		return string(v.Text)
	}
	return "-"
}

// TestKeys holds the groups of each key, and of keys in company, against a
// count by text.
func TestKeys(t *testing.T) {
	messages := randomEntries(rand.New(rand.NewPCG(6, 1)), 2000, true)
	for _, by := range []string{"proto", "family", "src", "reply-dst", "src/24", "dst/23/61", "src/64", "dport", "icmp_id", "nat_src", "nat_dst", "state",
		"mark", "timeout", "zone", "helper", "label", "bytes", "nat,helper,dport", "labels,state,zone,mark,src/24,proto"} {
		keys, err := parseKeys("by", by)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, k := range keys {
			names = append(names, k.name)
		}
		r := &Request{Output: format.Options{LabelNames: []string{3: "web"}}}
		reader := r.newKeyReader(keys, &format.Context{})
		s := stats.NewSummary(names)
		want := map[string]uint64{}
		flows(t, messages, func(f *ctnetlink.Flow) {
			packets, bytes, counted := counters(f)
			s.Add(reader.read(f), packets, bytes, counted)
			var values []string
			for _, name := range names {
				values = append(values, plainValue(name, f))
			}
			want[strings.Join(values, " & ")]++
		})
		groups, err := s.Sorted(nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for g := range groups {
			var values []string
			for i := range g.Values {
				values = append(values, groupValue(&g.Values[i], names[i]))
			}
			if key := strings.Join(values, " & "); g.Entries != want[key] {
				t.Errorf("%s: %d entries of %s, want %d", by, g.Entries, key, want[key])
			}
			n++
		}
		if n != len(want) {
			t.Errorf("%s: %d groups, want %d", by, n, len(want))
		}
	}
}

// TestKeyReaderAllocates nothing for an entry.
func TestKeyReaderAllocates(t *testing.T) {
	messages := randomEntries(rand.New(rand.NewPCG(6, 2)), 100, true)
	keys, err := parseKeys("by", "src,dst/24,proto,sport,dport,state,condition,zone,mark,labels,helper,nat,bytes,status")
	if err != nil {
		t.Fatal(err)
	}
	reader := new(Request).newKeyReader(keys, &format.Context{})
	flows(t, messages, func(f *ctnetlink.Flow) { reader.read(f) })
	flows(t, messages, func(f *ctnetlink.Flow) {
		if n := testing.AllocsPerRun(1, func() { reader.read(f) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// TestView holds what command lines ask to be shown.
func TestView(t *testing.T) {
	for _, c := range []struct {
		line string
		err  string // "" if it is a good one
	}{
		{"-L --by src,dst/24,label", ""},
		{"-L --by src --sort -entries,src --limit 4 -o json", ""},
		{"-L --by nat --sort nat_src:desc,packets", ""},
		{"-L -o table --columns source,nat,orig-bytes", ""},
		{"-L --columns src", ""},
		{"-L expect --columns master,mask_src", ""},
		{"-L -o xml --sort -bytes,id --limit 10", ""},
		{"-L --sort -src/24", ""},
		{"-S -o prom", ""},
		{"-S expect -o table", ""},
		{"-G -p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 1 --dport 2 -o table", ""},
		{"-L --by", "option `--by' requires an argument"},
		{"-L --by ''", "unknown field `' with --by"},
		{"-L --by src,", "unknown field `' with --by"},
		{"-L --by source/24", "`source' is not an address field"},
		{"-L --by dport/8", "`dport' is not an address field"},
		{"-L --by src/33/64", "invalid prefix length in `src/33/64'"},
		{"-L --by src/129", "invalid prefix length"},
		{"-L --by src/", "invalid prefix length"},
		{"-L --by mask_src", "entries have no `mask_src'"},
		{"-L --by src --sort dport", "groups have no `dport'"},
		{"-L --by src -o xml", "--by can only be used with -o table, json, jsonl and csv"},
		{"-L --by src --columns src", "--columns cannot be used with --by"},
		{"-L --by src -o csv --columns src", "--columns cannot be used with --by"},
		{"-L --sort entries", "unknown field `entries' with --sort"},
		{"-L --sort ''", "--sort needs a key"},
		{"-L --sort src,,dst", "unknown field `' with --sort"},
		{"-L --limit 0", "unexpected value '0' with --limit"},
		{"-L --limit -1", "unexpected value '-1' with --limit"},
		{"-L --limit x", "unexpected value 'x' with --limit"},
		{"-L --limit 99999999999", "unexpected value '99999999999' with --limit"},
		{"-L -z --limit 5", "Can't use -z with --limit"},
		{"-L -o xml --columns src", "--columns can only be used with -o table and -o csv"},
		{"-L --columns zzz", "unknown field `zzz' with --columns"},
		{"-L expect --columns reply_src", "expectations have no `reply_src'"},
		{"-L expect --sort src", "Illegal option `--sort'"},
		{"-D -s 1.1.1.1 --limit 5", "Illegal option `--limit'"},
		{"-D -s 1.1.1.1 -o table", "-o table can only be used with -L, -G and -S"},
		{"-E -o table", "-o table can only be used with -L, -G and -S"},
		{"-L -o prom", "-o prom can only be used with -S"},
		{"-S -o xml", "Illegal option `--output'"},
		{"-C -o table", "Illegal option `--output'"},
	} {
		var args []string
		for word := range strings.FieldsSeq(c.line) {
			args = append(args, strings.Trim(word, "'"))
		}
		_, err := parseClassic(args, io.Discard)
		var usage *usageError
		switch {
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", c.line, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, want %q", c.line, err, c.err)
		case err != nil && !errors.As(err, &usage):
			t.Errorf("%s: %v is no fault of the command line", c.line, err)
		}
	}
}
