package action

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
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
		return number(
			map[ctnetlink.Protocol]string{1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 132: "sctp", 99: "99"}[o.Proto],
			true,
		)
	case "family":
		return map[ctnetlink.Family]string{2: "ipv4", 10: "ipv6"}[f.Family()]
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
		return number(o.DstPort, o.Proto.HasPorts())
	case "icmp_id":
		return number(o.ICMPID, o.Proto == ctnetlink.ProtoICMP)
	case "nat_src":
		return number(r.Dst, status&ctnetlink.StatusSrcNATDone != 0 && r.Dst != o.Src)
	case "nat_dst":
		return number(r.Src, status&ctnetlink.StatusDstNATDone != 0 && r.Src != o.Dst)
	case "state":
		v, ok := f.State()
		return number(append(slices.Clone(o.Proto.StateNames()), "UNKNOWN", "UNKNOWN")[v.Number():][:1], ok)
	case "mark":
		return number(f.Mark())
	case "timeout":
		left, ok := f.Timeout()
		return number(int(left/time.Second), ok)
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

// parseKeys returns the keys of a --by.
func parseKeys(by string) ([]cmdline.Key, error) {
	r, err := cmdline.ParseClassic([]string{"-L", "--by", by}, nil)
	if err != nil {
		return nil, err
	}
	return r.View().By, nil
}

// TestKeys holds the groups of each key, and of keys in company, against a
// count by text.
func TestKeys(t *testing.T) {
	messages := randomEntries(rand.New(rand.NewPCG(6, 1)), 2000, true)
	for _, by := range []string{"proto", "family", "src", "reply-dst", "src/24", "dst/23/61", "src/64", "dport", "icmp_id", "nat_src", "nat_dst", "state",
		"mark", "timeout", "zone", "helper", "label", "bytes", "nat,helper,dport", "labels,state,zone,mark,src/24,proto"} {
		keys, err := parseKeys(by)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, k := range keys {
			names = append(names, k.Name)
		}
		values := cmdline.NewKeyValues(keys, []string{3: "web"}, &format.Context{})
		s := stats.NewSummary(names)
		want := map[string]uint64{}
		flows(t, messages, func(f *ctnetlink.Flow) {
			packets, bytes, counted := counters(f)
			s.Add(values.Read(f), packets, bytes, counted)
			var plain []string
			for _, name := range names {
				plain = append(plain, plainValue(name, f))
			}
			want[strings.Join(plain, " & ")]++
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

// TestKeyValuesAllocate checks that nothing is allocated for an entry.
func TestKeyValuesAllocate(t *testing.T) {
	messages := randomEntries(rand.New(rand.NewPCG(6, 2)), 100, true)
	keys, err := parseKeys("src,dst/24,proto,sport,dport,state,condition,zone,mark,labels,helper,nat,bytes,status")
	if err != nil {
		t.Fatal(err)
	}
	values := cmdline.NewKeyValues(keys, nil, &format.Context{})
	flows(t, messages, func(f *ctnetlink.Flow) { values.Read(f) })
	flows(t, messages, func(f *ctnetlink.Flow) {
		if n := testing.AllocsPerRun(1, func() { values.Read(f) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
