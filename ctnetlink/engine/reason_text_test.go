package engine

import (
	"regexp"
	"slices"
	"testing"
)

func TestReasonText(t *testing.T) {
	for _, c := range []struct {
		r            Reason
		text, kernel string
	}{
		{Reason{}, "", ""},
		{Reason{Code: BadChecksum}, "wrong checksum", "bad checksum"},
		{Reason{TCPSeqOver, [3]int64{1301, 1200}}, "SEQ is 1200 bytes above the receiver's window",
			"SEQ is over upper bound 1301 (over the window of the receiver)"},
		{Reason{BadLength, [3]int64{7, 20}}, "the length field says 7, the packet has 20 bytes", "truncated/malformed packet"},
		{Reason{TCPBadState, [3]int64{1, 0, 3}}, "a SYN/ACK of the original side does not fit the state ESTABLISHED",
			"packet (index 1) in dir 0 invalid, state ESTABLISHED"},
	} {
		if got := c.r.String(); got != c.text {
			t.Errorf("%v: %q, want %q", c.r, got, c.text)
		}
		if got := string(c.r.AppendKernel(nil)); got != c.kernel {
			t.Errorf("%v: kernel's text %q, want %q", c.r, got, c.kernel)
		}
	}
}

// Every reason has a name of its own and a text that can be written, with at
// most the three numbers of a reason.
func TestReasonForms(t *testing.T) {
	verb := regexp.MustCompile(`^(?:[^%]|%[dskoxwlqh]|%\[[1-3]\][dsko])*$`)
	slug := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	names := map[string]ReasonCode{"": NoReason}
	for _, c := range Reasons() {
		r := Reason{Code: c, N: [3]int64{1, 2, 3}}
		if c.Name() == "" || r.String() == "" {
			t.Errorf("reason %d has no name or no text", c)
		}
		for _, form := range []string{reasons[c].text, reasons[c].kernel} {
			if !verb.MatchString(form) {
				t.Errorf("%s: %q has a verb that is not known", c.Name(), form)
			}
		}
		_ = r.AppendKernel(nil)
		if !slug.MatchString(c.Name()) {
			t.Errorf("%q is not a valid name", c.Name())
		}
		if other, dup := names[c.Name()]; dup {
			t.Errorf("reasons %d and %d are both %q", other, c, c.Name())
		}
		names[c.Name()] = c
		if name := c.Counter(); name != "" && !slices.Contains([]string{"invalid", "error", "drop"}, name) {
			t.Errorf("%s: counter %q", c.Name(), name)
		}
	}
}
