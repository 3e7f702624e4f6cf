package replay

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/format"
)

// mode is what is shown.
type mode uint8

const (
	showTable mode = iota
	showPackets
	showInvalid
	showEvents
	showSummary
)

// options are a command line.
type options struct {
	files      []string
	mode       mode
	request    *cmdline.Request // filters, and the output
	at         string
	tableFile  string
	write      string
	router     bool
	local      []netip.Addr
	guessLocal bool
	addrs      []engine.Addr
	sysctls    []string // NAME=VALUE, or files
	rules      string
	interfaces map[string]string // by file
	help       bool
}

// takers take the values of the options.
var takers = map[string]func(o *options, value string) error{
	"packets":   modeOption(showPackets),
	"invalid":   modeOption(showInvalid),
	"events":    modeOption(showEvents),
	"summary":   modeOption(showSummary),
	"at":        func(o *options, v string) error { o.at = v; return nil },
	"table":     func(o *options, v string) error { o.tableFile = v; return nil },
	"write":     func(o *options, v string) error { o.write = v; return nil },
	"as":        takeAs,
	"local":     takeLocal,
	"address":   takeAddress,
	"interface": takeInterface,
	"sysctl":    func(o *options, v string) error { o.sysctls = append(o.sysctls, v); return nil },
	"rules":     func(o *options, v string) error { o.rules = v; return nil },
	"help":      func(o *options, _ string) error { o.help = true; return nil },
}

func modeOption(m mode) func(*options, string) error {
	return func(o *options, _ string) error {
		if o.mode != showTable && o.mode != m {
			return cmdline.Usagef("only one of --packets, --invalid, --events and --summary can be given")
		}
		o.mode = m
		return nil
	}
}

// parse reads a command line.
func parse(args []string, stderr *console.Messages) (*options, error) {
	o := &options{interfaces: map[string]string{}}
	b := &cmdline.Beside{Own: cmdline.BesideWords(cmdline.ReplayOptions), Refused: cmdline.NotReplayed}
	if err := b.Scan(args); err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, occurrence := range b.Given {
		name, value := occurrence.Word.Long, occurrence.Value
		i := slices.IndexFunc(cmdline.ReplayOptions, func(own cmdline.BesideOption) bool { return own.Name == name })
		own := &cmdline.ReplayOptions[i]
		if before, twice := given[name]; twice && before != value && !own.Several {
			return nil, cmdline.Usagef("--%s is given twice, with `%s' and `%s'", name, before, value)
		}
		given[name] = value
		if own.Value != "" && value == "" {
			return nil, cmdline.Usagef("--%s requires a value", name)
		}
		if err := takers[name](o, value); err != nil {
			return nil, err
		}
	}
	if o.help {
		return o, nil
	}
	o.files = b.Arguments
	command := cmdline.CmdList
	if o.mode == showEvents {
		command = cmdline.CmdEvents
	}
	var err error
	if o.request, err = b.Request(command, stderr); err != nil {
		return nil, err
	}
	return o, o.validate()
}

// validate refuses what cannot be together.
func (o *options) validate() error {
	if len(o.files) == 0 {
		return cmdline.Usagef("a FILE is required; - is stdin")
	}
	stdin := 0
	for i, name := range o.files {
		switch {
		case name == "-":
			stdin++
		case slices.Contains(o.files[:i], name):
			return cmdline.Usagef("`%s' is given twice", name)
		}
	}
	if stdin > 1 {
		return cmdline.Usagef("`-' is given twice")
	}
	for name := range o.interfaces {
		if name != "" && !slices.Contains(o.files, name) {
			return cmdline.Usagef("--interface names `%s', which is not one of the captures", name)
		}
	}
	r := o.request
	style := r.Output.Style
	switch {
	case o.mode == showTable || o.mode == showEvents:
	case style != format.StyleClassic && !format.IsRecordStyle(style):
		return cmdline.Usagef("%s can only be used with -o json, jsonl and csv", o.mode)
	case r.Has(cmdline.OptSort), r.Has(cmdline.OptLimit), r.View().By != nil, r.Has(cmdline.OptColumns),
		r.Has(cmdline.OptCountOnly), r.Has(cmdline.OptExplain):
		return cmdline.Usagef("%s cannot be used with options that show the table", o.mode)
	}
	if r.Has(cmdline.OptExplain) && stdin > 0 {
		return cmdline.Usagef("--explain reads a capture twice: stdin cannot be")
	}
	if o.guessLocal && stdin > 0 {
		return cmdline.Usagef("--local auto reads the beginning of a capture twice: stdin cannot be")
	}
	if o.tableFile != "" && o.mode == showTable && (r.Has(cmdline.OptOutput) || r.View().By != nil || r.Has(cmdline.OptCountOnly)) {
		return cmdline.Usagef("--table cannot be used with -o: it writes the table to a file")
	}
	return nil
}

// String returns the option of a mode.
func (m mode) String() string {
	return [...]string{"", "--packets", "--invalid", "--events", "--summary"}[m]
}

func takeAs(o *options, v string) error {
	switch v {
	case "router":
		o.router = true
	case "host":
	default:
		return cmdline.Usagef("unexpected value '%s' with --as: router or host is required", v)
	}
	return nil
}

func takeLocal(o *options, v string) error {
	if v == "auto" {
		o.guessLocal = true
		return nil
	}
	for word := range strings.SplitSeq(v, ",") {
		a, err := netip.ParseAddr(word)
		if err != nil {
			return cmdline.Usagef("unexpected value '%s' with --local: IP addresses or auto are required", v)
		}
		o.local = append(o.local, a.Unmap().WithZone(""))
	}
	return nil
}

func takeAddress(o *options, v string) error {
	name, text, ok := strings.Cut(v, "=")
	var p netip.Prefix
	a, err := netip.ParseAddr(text)
	if err == nil {
		p = netip.PrefixFrom(a, a.BitLen())
	} else {
		p, err = netip.ParsePrefix(text)
	}
	if !ok || name == "" || err != nil {
		return cmdline.Usagef("unexpected value '%s' with --address: IF=ADDR or IF=ADDR/LEN is required", v)
	}
	o.addrs = append(o.addrs, engine.Addr{Interface: name, Prefix: p})
	return nil
}

func takeInterface(o *options, v string) error {
	file, name := "", v
	if i := strings.LastIndexByte(v, '='); i >= 0 {
		file, name = v[:i], v[i+1:]
		if file == "" {
			name = ""
		}
	}
	if name == "" {
		return cmdline.Usagef("unexpected value '%s' with --interface: NAME or FILE=NAME is required", v)
	}
	if before, twice := o.interfaces[file]; twice && before != name {
		return cmdline.Usagef("--interface is given twice, with `%s' and `%s'", before, name)
	}
	o.interfaces[file] = name
	return nil
}
