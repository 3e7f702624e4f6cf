package cmdline

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

// namedOptions are the words of every option with a value that a command by name
// can have.
func namedOptions() (all []*Word) {
	for _, w := range AllWords() {
		if w.Argument != NoArgument && w.Option != OptNATRange && w.Option != OptLabelMap {
			all = append(all, w)
		}
	}
	return all
}

// ofProtocol returns the protocol that has an option.
func ofProtocol(w *Word) string {
	for _, proto := range Protocols {
		for _, o := range proto.Options {
			if w.Protocol != 0 && o == w.Protocol {
				return proto.Name
			}
		}
	}
	return "tcp"
}

// FuzzNamed: whatever the value of an option of a command by name is, it is accepted
// or refused with the name of the option, and digits are the number that they are.
func FuzzNamed(f *testing.F) {
	values := []string{"80", "70000", "80x", "0x50", "1,2", "1:2", "!1-3", "10.0.0.1:5", "[::1]:http", "5m", "", "!",
		"10.0.0.1-10.0.0.9,fd00::/8", "established,close", "seen_reply,!assured", "echo-request", ","}
	for i := range 4 * len(values) {
		f.Add(i, values[i%len(values)])
	}
	commands := []Command{CmdList, CmdDelete, CmdUpdate, CmdEvents, CmdCreate, CmdGet}
	f.Fuzz(func(t *testing.T, i int, value string) {
		all := namedOptions()
		w := all[uint(i)%uint(len(all))]
		c := commands[uint(i)/uint(len(all))%uint(len(commands))]
		given := []Occurrence{{Word: w, Value: value, HasValue: true}}
		if w.Protocol != 0 || w.Option != OptProtoNum {
			given = append(given, Occurrence{Word: findShort('p'), Value: ofProtocol(w), HasValue: true})
		}
		r, err := ParseNamed(c, "", given, nil)
		var usage *UsageError
		switch {
		case err != nil && !errors.As(err, &usage):
			t.Fatalf("%c --%s %q: %v is no message", c, w.Long, value, err)
		case err == nil:
			_ = r.ValidateFilter()
			for _, part := range r.Filter().Split() {
				part.Kernel()
			}
			number(t, r, w, value)
		}
	})
}

// number checks that a port of digits was read as that number.
func number(t *testing.T, r *Request, w *Word, value string) {
	if w.Protocol != ProtoOptDstPort || strings.Trim(value, "0123456789") != "" {
		return
	}
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil || uint64(r.Orig.DstPort) != n {
		t.Fatalf("--%s %q is %d", w.Long, value, r.Orig.DstPort)
	}
}
