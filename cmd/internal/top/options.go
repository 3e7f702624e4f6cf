package top

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
	"github.com/gonntrack/gonntrack/format"
)

// options are a command line.
type options struct {
	request  *cmdline.Request // filters, --by, --sort, tables, the output of --once
	interval time.Duration    // from one look at the table to the next
	once     bool
	batch    bool
	times    int // of --batch, 0: without end
	readOnly bool
	help     bool
	// filterWords are the options of request that select entries, as they were given.
	filterWords []string
}

// takers take the values of the options.
var takers = map[string]func(o *options, value string) error{
	"interval":   takeInterval,
	"once":       func(o *options, _ string) error { o.once = true; return nil },
	"batch":      func(o *options, _ string) error { o.batch = true; return nil },
	"iterations": takeIterations,
	"read-only":  func(o *options, _ string) error { o.readOnly = true; return nil },
	"help":       func(o *options, _ string) error { o.help = true; return nil },
}

// parse reads a command line.
func parse(args []string, stderr *console.Messages) (*options, error) {
	o := &options{interval: defaultInterval}
	b := &cmdline.Beside{
		Own: cmdline.BesideWords(cmdline.TopOptions), Refused: cmdline.NotTop, Numbers: cmdline.TopNumbers, Live: true,
	}
	err := b.Scan(args)
	if err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, occurrence := range b.Given {
		name, value := occurrence.Word.Long, occurrence.Value
		if before, twice := given[name]; twice && before != value {
			return nil, cmdline.Usagef("--%s is given twice, with `%s' and `%s'", name, before, value)
		}
		given[name] = value
		if err := takers[name](o, value); err != nil {
			return nil, err
		}
	}
	if o.help {
		return o, nil
	}
	if len(b.Arguments) > 0 {
		return nil, cmdline.Usagef("`%s' is one word too many for `top'", b.Arguments[0])
	}
	if o.request, err = b.Request(cmdline.CmdList, stderr); err != nil {
		return nil, err
	}
	o.filterWords = b.FilterWords()
	if err := o.validate(); err != nil {
		return nil, err
	}
	return o, nil
}

// validate refuses what cannot be together.
func (o *options) validate() error {
	r := o.request
	prints := o.once || o.batch
	style := r.Output.Style
	switch {
	case o.once && o.batch:
		return cmdline.Usagef("--once cannot be used with --batch: --batch -n 1 prints once")
	case o.times > 0 && !o.batch:
		return cmdline.Usagef("--iterations (-n NUMBER) can only be used with --batch")
	case r.Has(cmdline.OptOutput) && !prints:
		return cmdline.Usagef("-o can only be used with --once and --batch")
	case r.Has(cmdline.OptLimit) && !prints:
		return cmdline.Usagef("--limit can only be used with --once and --batch: a screen has as many rows as fit")
	case style != format.StyleTable && style != format.StyleJSON && style != format.StyleJSONL && style != format.StyleCSV:
		return cmdline.Usagef("-o of `top' takes table, json, jsonl and csv only")
	case o.batch && style == format.StyleJSON:
		r.Output.Style = format.StyleJSONL // the records of all looks are one stream
	}
	if v := r.View(); v.By != nil && len(v.Order) > 1 {
		return cmdline.Usagef("groups are sorted by one key: --sort has %d", len(v.Order))
	}
	if err := o.validateFields(); err != nil {
		return err
	}
	return r.ValidateFilter()
}

// validateFields refuses fields that are not known of all entries.
func (o *options) validateFields() error {
	r := o.request
	keys := append(slices.Clone(r.View().By), r.View().SortBy...)
	for i := range keys {
		if keys[i].Field.IsProcess() {
			return cmdline.Usagef("`%s' is found for the entries that are shown only: top cannot sort or group by it",
				keys[i].Name)
		}
	}
	fields := slices.Clone(r.Output.Columns)
	for i := range keys {
		fields = append(fields, keys[i].Field)
	}
	for _, d := range fields {
		if !isKept(d) {
			return cmdline.Usagef("top does not keep `%s' of the entries it follows: `conntrack -L' shows it", d.Name)
		}
	}
	return nil
}

// isKept reports whether the copy of the tables has a field of entries.
func isKept(d *format.Field) bool {
	return d.Name != "role" && !strings.HasPrefix(d.Name, "master") && !strings.HasSuffix(d.Name, "_vtag")
}

// The shortest, the usual and the longest time from one look to the next.
const (
	minInterval     = 100 * time.Millisecond
	defaultInterval = time.Second
	maxInterval     = 24 * time.Hour
)

// parseInterval reads a time: seconds, or a number with a unit (500ms, 2s, 1m30s).
func parseInterval(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if n, nerr := strconv.ParseFloat(value, 64); nerr == nil && math.Abs(n) <= maxInterval.Seconds() {
		d, err = time.Duration(n*float64(time.Second)), nil
	}
	switch {
	case err != nil || d < 0 || d > maxInterval:
		return 0, cmdline.Usagef("`%s' is no interval: 2 or 2s, 500ms and 1m are, up to 24h", value)
	case d < minInterval:
		return 0, cmdline.Usagef("an interval of %s is too short: at least %s are needed, because each look reads the whole table",
			value, minInterval)
	}
	return d, nil
}

func takeInterval(o *options, value string) (err error) {
	o.interval, err = parseInterval(value)
	return err
}

func takeIterations(o *options, value string) error {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil || n == 0 {
		return cmdline.Usagef("unexpected value '%s' with --iterations: a number of at least 1 is required", value)
	}
	o.times = int(n)
	return nil
}
