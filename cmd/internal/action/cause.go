package action

import (
	"errors"
	"fmt"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// Cause returns what is wrong with a request that a table refused, "" if the text of
// the error says it or nothing is known. It is printed on lines of its own, because
// the classic command has the text alone. Nothing in it can change a terminal.
func Cause(err error) (lines []string) {
	var refused *refusal
	if !errors.As(err, &refused) {
		return nil
	}
	errno, ok := ctnetlink.AsErrno(refused.err)
	if !ok || errno == ctnetlink.EPERM {
		return nil
	}
	r := refused.request
	if text := cause(r, errno); text != "" {
		lines = append(lines, text)
	}
	if errors.Is(refused.err, errTaken) {
		lines = append(lines, errTaken.text)
	}
	for _, line := range r.Misread() {
		lines = append(lines, printable.String(line))
	}
	return lines
}

// cause returns what is wrong with a request that was refused with an error number.
func cause(r *cmdline.Request, errno ctnetlink.Errno) string {
	creates := r.Command.Is(cmdline.CmdCreate, cmdline.CmdAdd)
	switch {
	case r.Table == cmdline.TableExpect:
		if r.Command == cmdline.CmdCreate && errno == ctnetlink.EOPNOTSUPP {
			return "the master connection has no helper, which an expectation needs"
		}
		return ""
	case errno == ctnetlink.EBUSY && r.StatusSet&ctnetlink.StatusExpected != 0:
		return "the status EXPECTED cannot be set: connections have it that a helper expected"
	case errno != ctnetlink.EINVAL:
		return ""
	case r.Has(cmdline.OptStatus) && r.StatusSet|r.StatusClear == 0 && !creates:
		return "the list of --status has nothing that can be compared"
	case !creates && r.Command != cmdline.CmdGet:
		return ""
	}
	o := &r.Orig
	isICMP := o.Proto == ctnetlink.ProtoICMP || o.Proto == ctnetlink.ProtoICMPv6
	if isICMP && o.Has&ctnetlink.FieldICMPType != 0 {
		if _, ok := o.Proto.InverseICMPType(o.ICMPType); !ok {
			types := "0, 8 and 13 to 18"
			if o.Proto == ctnetlink.ProtoICMPv6 {
				types = "128, 129, 139 and 140"
			}
			return fmt.Sprintf("type %d is not tracked: the types of queries and replies are %s", o.ICMPType, types)
		}
	}
	if want := icmpFamily(o.Proto); isICMP && family(r) != want {
		return fmt.Sprintf("%v belongs to IPv%d", o.Proto, ipVersion(want))
	}
	const addrs, ports = ctnetlink.FieldAddrs, ctnetlink.FieldPorts
	if creates && r.Reply.Has&(addrs|ports) == addrs && o.Has&addrs == addrs {
		switch {
		case o.Proto.HasPorts():
			return "with all four addresses, --reply-port-src or --reply-port-dst is needed"
		case o.Proto == ctnetlink.ProtoGRE:
			return "with all four addresses, --reply-key-src or --reply-key-dst is needed"
		}
	}
	zones := 0
	for _, z := range []uint16{r.Zone, o.Zone, r.Reply.Zone} {
		if z != 0 {
			zones++
		}
	}
	if zones > 1 {
		return "an entry has a zone for both directions (--zone), or for one (--orig-zone or --reply-zone)"
	}
	return ""
}

// taken is EEXIST for an entry whose original tuple no entry has.
type taken struct{ text string }

func (*taken) Error() string { return ctnetlink.EEXIST.Error() }

func (*taken) Unwrap() error { return ctnetlink.EEXIST }

var errTaken = &taken{"another entry has the reply tuple"}

// explainExists returns EEXIST with the reason if another entry has the reply tuple of
// en: -U would not find an entry to change.
func explainExists(c *ctnetlink.Conn, en *ctnetlink.FlowSpec, err error) error {
	if !errors.Is(err, ctnetlink.EEXIST) {
		return err
	}
	if _, missing := c.Get(originally(en)); errors.Is(missing, ctnetlink.ENOENT) {
		return errTaken
	}
	return err
}
