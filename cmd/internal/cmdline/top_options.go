package cmdline

// TopOptions are the options of conntrack-top beside those of `list', for the program
// itself, and for help and completion, which do without it.
var TopOptions = []BesideOption{
	{Name: "interval", Value: "time", Text: "look again after this time: 1s (the default), 500ms, 2"},
	{Name: "once", Text: "print one screen as a plain table, and end"},
	{Name: "batch", Short: 'b', Text: "print one after the other"},
	{Name: "iterations", Value: "number", Text: "end --batch after this many (-n NUMBER)"},
	{Name: "read-only", Text: "delete and change nothing"},
	{Name: "help", Short: 'h', Text: "print this help"},
}

// TopNumbers are letters that a plain number can follow, as those of top(1), and the
// options that it is the value of. Before an address they are filters: a number is
// none.
var TopNumbers = map[byte]string{'n': "iterations", 'd': "interval"}

// NotTop are options of `list' without a meaning for conntrack-top.
var NotTop = []Option{OptZero, OptGrowing, OptIdle, OptCountOnly, OptWatch, OptExplain}

// LiveOutputs are the forms of output of a live view.
var LiveOutputs = []string{"table", "json", "jsonl", "csv"}
