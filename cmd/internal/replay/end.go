package replay

import (
	"bytes"
	"strconv"

	"github.com/gonntrack/gonntrack/cmd/internal/action"
	"github.com/gonntrack/gonntrack/cmd/internal/target"
	"github.com/gonntrack/gonntrack/ctnetlink/engine"
	"github.com/gonntrack/gonntrack/format"
)

// endPackets ends the list of packets. INVALID ones are counted by their reasons.
func (r *run) endPackets() error {
	w := r.packets
	w.out.Buf = w.printer.AppendFooter(w.out.Buf)
	records := format.IsRecordStyle(r.options.request.Output.Style)
	if r.options.mode == showInvalid && !records {
		for i, c := range ranked(w.count.reasons) {
			if i == 0 {
				w.out.Buf = append(w.out.Buf, '\n')
			}
			w.out.Buf = append(w.count.appendCount(w.out.Buf, c), '\n')
		}
	}
	if err := r.Out.Flush(); err != nil {
		return err
	}
	switch r.options.mode {
	case showInvalid:
		invalid, shown := r.count.verdicts[engine.StateInvalid], ""
		if w.shown != invalid {
			shown = ", " + strconv.Itoa(w.shown) + " of them shown"
		}
		r.say("%d of %d packets %s INVALID%s.", invalid, r.count.records, are(invalid), shown)
		if records {
			for _, c := range ranked(w.count.reasons) {
				r.Err.Printf("%s\n", w.count.appendCount(nil, c))
			}
		}
	default:
		of := ""
		if w.shown != r.count.records {
			of = " of " + strconv.Itoa(r.count.records)
		}
		r.say("%d"+of+" packets have been shown.", w.shown)
	}
	return nil
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// appendCount appends a line with how many packets had a reason: its name, and the
// words of the first one.
func (c *counts) appendCount(b []byte, code engine.ReasonCode) []byte {
	n := c.reasons[code]
	for limit := 100_000; limit > max(n, 1); limit /= 10 {
		b = append(b, ' ')
	}
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(append(append(b, ' '), code.Name()...), ": "...)
	start := len(b)
	b = c.first[code].AppendText(b)
	if n > 1 && bytes.ContainsAny(b[start:], "0123456789") {
		b = append(b, " (the first)"...)
	}
	if s := code.Sysctl(); s != "" {
		b = append(append(append(b, "; "...), s...), " decides"...)
	}
	return b
}

// tableOf returns the table for actions.
func (r *run) tableOf() *target.Table { return target.InMemory(r.table.Dial, r.now) }

// writeTable writes the table to the file of --table.
func (r *run) writeTable() error {
	n, err := action.WriteTable(r.options.tableFile, r.options.request, r.tableOf())
	if err == nil {
		r.say("%d flow entries have been written to %s.", n, r.options.tableFile)
	}
	return err
}
