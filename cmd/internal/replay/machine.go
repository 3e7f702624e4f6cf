package replay

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// machine returns the options of a table on the machine that the command line
// describes. Counters and times are kept: they cost nothing here.
func (o *options) machine() (engine.Options, error) {
	e := engine.Options{
		Accounting: true, Timestamps: true, AlwaysEvents: o.mode == showEvents,
		Sysctls: engine.DefaultSysctls(),
		Host:    engine.Host{Addrs: o.addrs, Router: o.router},
	}
	for _, v := range o.sysctls {
		name, value, single := strings.Cut(v, "=")
		if !single {
			if err := sysctlFile(&e, v); err != nil {
				return e, err
			}
			continue
		}
		known, err := setSysctl(&e, strings.TrimSpace(name), strings.TrimSpace(value))
		switch {
		case err != nil:
			return e, cmdline.Usagef("unexpected value '%s' with --sysctl: %s", v, err)
		case !known:
			return e, cmdline.Usagef("unexpected value '%s' with --sysctl: `%s' has no effect on packets", v, name)
		}
	}
	for _, a := range o.local {
		e.Host.Addrs = append(e.Host.Addrs, hostAddr(a))
	}
	return e, nil
}

// setSysctl sets a variable by its name.
func setSysctl(e *engine.Options, name, value string) (known bool, err error) {
	var flag *bool
	switch strings.TrimPrefix(strings.TrimPrefix(strings.ReplaceAll(name, "/", "."), "net.netfilter."), "nf_conntrack_") {
	case "max", "net.nf_conntrack_max":
		n, err := strconv.ParseUint(value, 10, 31)
		if err == nil {
			if e.Max = int(n); n == 0 {
				e.Max = -1 // there is no limit
			}
		}
		return true, numberError(value, err)
	case "acct":
		flag = &e.Accounting
	case "timestamp":
		flag = &e.Timestamps
	default:
		return e.Sysctls.Set(name, value)
	}
	n, err := strconv.ParseUint(value, 10, 31)
	*flag = n != 0
	return true, numberError(value, err)
}

func numberError(value string, err error) error {
	if err != nil {
		return cmdline.Usagef("`%s' is not a number", value)
	}
	return nil
}

// sysctlFile sets the variables that decide about packets from the output of
// `sysctl -a'. Others are ignored.
func sysctlFile(e *engine.Options, path string) error {
	file, err := console.OpenNamed(path)
	if err != nil {
		return cmdline.Usagef("unexpected value '%s' with --sysctl: NAME=VALUE or a file of `sysctl -a' is required (%s)",
			path, console.ErrorText(err))
	}
	_ = file.Close()
	text, err := console.ReadFile(path)
	if err != nil {
		return cmdline.Failuref("%s: %s", path, console.ErrorText(err))
	}
	n, taken := 0, false
	for line := range bytes.Lines(text) {
		n++
		name, value, ok := strings.Cut(string(bytes.TrimSpace(line)), "=")
		if name = strings.TrimSpace(name); !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if !strings.Contains(name, "conntrack") && !strings.Contains(name, "ipfrag") {
			continue
		}
		known, err := setSysctl(e, name, strings.TrimSpace(value))
		if err != nil {
			return cmdline.Failuref("%s:%d: %s", path, n, err)
		}
		taken = taken || known
	}
	if !taken {
		return cmdline.Failuref("%s has no variable of connection tracking, such as net.netfilter.nf_conntrack_max = 262144", path)
	}
	return nil
}
