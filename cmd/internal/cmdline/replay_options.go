package cmdline

// ReplayOptions are the options of conntrack-replay beside those of `list', for the
// program itself, and for help and completion, which do without it.
var ReplayOptions = []BesideOption{
	{Name: "packets", Text: "show each packet and its verdict"},
	{Name: "invalid", Text: "show the packets that are INVALID, and how many by reason"},
	{Name: "events", Text: "show the events, with the times of the capture"},
	{Name: "summary", Text: "count packets by verdict and reason, and entries by protocol"},
	{Name: "at", Value: "time", Text: "end at this time"},
	{Name: "table", Value: "file", Text: "write the table at the end to a table file"},
	{Name: "write", Value: "file", Text: "write the packets as they leave to a capture"},
	{Name: "as", Value: "view", Text: "whose view: host (the default) or router"},
	{Name: "local", Value: "list", Text: "addresses of this machine; auto guesses them", Several: true},
	{Name: "address", Value: "if=addr[/len]", Text: "address of an interface", Several: true},
	{Name: "interface", Value: "[file=]name", Text: "interface of a capture", Several: true},
	{Name: "sysctl", Value: "name=value", Text: "a variable of the machine, or a file of sysctl -a", Several: true},
	{Name: "rules", Value: "file", Text: "rules of nft"},
	{Name: "help", Short: 'h', Text: "print this help"},
}

// NotReplayed are options of `list' and `events' without a meaning for
// conntrack-replay.
var NotReplayed = []Option{
	OptNetNS, OptAllNetNS, OptNow, OptWatch, OptGrowing, OptIdle, OptProcesses, OptZero, OptQueue, OptResync,
	OptBufferSize, OptTable,
}
