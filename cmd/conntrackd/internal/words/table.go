package words

import "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/control"

// option is an option of conntrack-tools that is a request.
type option struct {
	none   control.Request // without a value
	values []value         // in the order in which they are tried
	strict bool            // a word behind it that is no value is an error
}

type value struct {
	name    string
	request control.Request
}

func two(first string, a control.Request, second string, b control.Request) []value {
	return []value{{first, a}, {second, b}}
}

// options are the requests by the letter of their option.
var options = map[byte]option{
	'c': {none: control.CommitAll, values: two("ct", control.Commit, "expect", control.CommitExpect)},
	'i': {none: control.DumpInternal, values: two("ct", control.DumpInternal, "expect", control.DumpInternalExpect)},
	'e': {none: control.DumpExternal, values: two("ct", control.DumpExternal, "expect", control.DumpExternalExpect)},
	'F': {none: control.FlushKernelAll, values: two("ct", control.FlushKernel, "expect", control.FlushKernelExpect)},
	'R': {none: control.ResyncAll, values: two("ct", control.ResyncKernel, "expect", control.ResyncKernelExpect)},
	'f': {
		none:   control.FlushCaches,
		values: two("internal", control.FlushInternal, "external", control.FlushExternal),
		strict: true,
	},
	'B': {none: control.Bulk},
	'n': {none: control.RequestResync},
	't': {none: control.Purge},
	'k': {none: control.Kill},
	's': {
		none: control.Stats,
		values: []value{
			{"network", control.StatsNetwork},
			{"cache", control.StatsCache},
			{"runtime", control.StatsRuntime},
			{"link", control.StatsLink},
			{"rsqueue", control.StatsResend},
			{"process", control.StatsProcess},
			{"queue", control.StatsQueue},
			{"ct", control.Stats},
			{"expect", control.StatsExpect},
			{"multicast", control.StatsLink},
		},
		strict: true,
	},
}

// xml are the listings that -x makes of others.
var xml = map[control.Request]control.Request{
	control.DumpInternal:       control.DumpInternalXML,
	control.DumpExternal:       control.DumpExternalXML,
	control.DumpInternalExpect: control.DumpInternalExpectXML,
	control.DumpExternalExpect: control.DumpExternalExpectXML,
}
