package difftest

import "slices"

// kind is the kind of an option's value.
type kind int

const (
	flag     kind = iota // takes none
	addr                 // ip[/len]
	plain                // ip
	proto                // protocol
	seconds              // timeout
	status               // list of status bits
	events               // list of events
	output               // list of outputs
	mark                 // value[/mask]
	number32             // u32
	family               // ipv4, ipv6
	nat                  // optional ip[:port]
	size                 // bytes
	zone                 // u16
	labels               // list of labels
	optLabel             // optional list of labels
	path                 // file name
	anything             // ignored value
	port                 // u16, by atoi
	key                  // u16, by strtoul
	byte8                // u8, by atoi
	vtag                 // u32, by atoi
	tcpState             // names, by protocol
	sctpState
	dccpState
	role
	table // optional table word, of a command
)

// An option is one row of the table in docs/classic.md 1.8.
type option struct {
	long  string
	short string // one letter, or ""
	kind  kind
	also  []string // other long names
}

// commands are the options of which a command line has one.
var commands = []option{
	{"dump", "L", table, nil}, {"create", "I", table, nil}, {"add", "A", table, nil},
	{"delete", "D", table, nil}, {"update", "U", table, nil}, {"get", "G", table, nil},
	{"flush", "F", table, nil}, {"event", "E", table, nil}, {"counter", "C", table, nil},
	{"stats", "S", table, nil}, {"version", "V", table, nil}, {"help", "h", table, nil},
}

// options are the general options, in the order of the legality table.
var options = []option{
	{"src", "s", addr, []string{"orig-src"}},
	{"dst", "d", addr, []string{"orig-dst"}},
	{"reply-src", "r", plain, nil},
	{"reply-dst", "q", plain, nil},
	{"protonum", "p", proto, nil},
	{"timeout", "t", seconds, nil},
	{"status", "u", status, nil},
	{"zero", "z", flag, nil},
	{"event-mask", "e", events, nil},
	{"tuple-src", "[", addr, nil},
	{"tuple-dst", "]", addr, nil},
	{"mask-src", "{", plain, nil},
	{"mask-dst", "}", plain, nil},
	{"nat-range", "a", anything, nil},
	{"mark", "m", mark, nil},
	{"id", "i", number32, nil},
	{"family", "f", family, nil},
	{"src-nat", "n", nat, nil},
	{"dst-nat", "g", nat, nil},
	{"output", "o", output, nil},
	{"secmark", "c", number32, nil},
	{"buffer-size", "b", size, nil},
	{"any-nat", "j", nat, nil},
	{"zone", "w", zone, nil},
	{"label", "l", labels, nil},
	{"label-add", "<", labels, nil},
	{"label-del", ">", optLabel, nil},
	{"orig-zone", "(", zone, nil},
	{"reply-zone", ")", zone, nil},
	{"labelmap", "M", path, nil},
}

// ports are the options of every protocol with ports, in the order of its
// legality table.
func ports(more ...option) []option {
	opts := []option{
		{"sport", "", port, []string{"orig-port-src"}},
		{"dport", "", port, []string{"orig-port-dst"}},
		{"reply-port-src", "", port, nil},
		{"reply-port-dst", "", port, nil},
		{"mask-port-src", "", port, nil},
		{"mask-port-dst", "", port, nil},
		{"tuple-port-src", "", port, nil},
		{"tuple-port-dst", "", port, nil},
	}
	return append(opts, more...)
}

// A protocol is a value of -p and the options it brings.
type protocol struct {
	name    string
	options []option
	create  []string // what -I needs besides addresses
	v6only  bool
	v4only  bool
}

var protocols = []protocol{
	{name: "tcp", options: ports(option{"state", "", tcpState, nil}), create: []string{"sport", "dport", "state"}},
	{name: "udp", options: ports(), create: []string{"sport", "dport"}},
	{name: "udplite", options: ports(), create: []string{"sport", "dport"}},
	{name: "sctp", options: ports(option{"state", "", sctpState, nil},
		option{"orig-vtag", "", vtag, nil}, option{"reply-vtag", "", vtag, nil}),
		create: []string{"sport", "dport", "state", "orig-vtag", "reply-vtag"}},
	{name: "dccp", options: ports(option{"state", "", dccpState, nil}, option{"role", "", role, nil}),
		create: []string{"sport", "dport", "state", "role"}},
	{
		name:    "icmp",
		options: []option{{"icmp-type", "", byte8, nil}, {"icmp-code", "", byte8, nil}, {"icmp-id", "", port, nil}},
		create:  []string{"icmp-type", "icmp-code", "icmp-id"},
		v4only:  true,
	},
	{
		name:    "icmpv6",
		options: []option{{"icmpv6-type", "", byte8, nil}, {"icmpv6-code", "", byte8, nil}, {"icmpv6-id", "", port, nil}},
		create:  []string{"icmpv6-type", "icmpv6-code", "icmpv6-id"},
		v6only:  true,
	},
	{name: "gre", options: []option{
		{"srckey", "", key, []string{"orig-key-src"}}, {"dstkey", "", key, []string{"orig-key-dst"}},
		{"reply-key-src", "", key, nil}, {"reply-key-dst", "", key, nil},
		{"mask-key-src", "", key, nil}, {"mask-key-dst", "", key, nil},
		{"tuple-key-src", "", key, nil}, {"tuple-key-dst", "", key, nil}},
		create: []string{"srckey", "dstkey"}},
	{name: "igmp"},
	{name: "99"},
}

// known returns every option there is.
func known() []option {
	all := slices.Concat(commands, options)
	for _, p := range protocols {
		all = append(all, p.options...)
	}
	return all
}

// lookup returns the option of that name, general or of a protocol.
func lookup(opts []option, name string) option {
	i := slices.IndexFunc(opts, func(o option) bool { return o.long == name })
	if i < 0 {
		panic("difftest: no option " + name)
	}
	return opts[i]
}

// allowed is the table of docs/classic.md 4 without what is refused: the
// letters of the general options that each command takes.
var allowed = map[string]string{
	"dump":    "sdrqpuz{}mfngocjwl()",
	"create":  "sdrqptumngw<()",
	"add":     "sdrqptumngw<()",
	"update":  "sdrqptu{}mifngo<>l",
	"delete":  "sdrqptu{}mifngowl()",
	"get":     "sdrqpiol",
	"flush":   "f",
	"event":   "sdrqpe{}mfngocbjwl()",
	"counter": "", "stats": "", "version": "", "help": "p",
}
