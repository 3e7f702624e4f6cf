package format

import (
	"math"
	"strconv"
	"strings"
)

// Rates are what an entry, or several, counted per second between two looks at
// the table.
type Rates struct {
	// Known reports that there were two looks, and that the kernel counts.
	Known                                            bool
	OrigPackets, OrigBytes, ReplyPackets, ReplyBytes float64
}

// Packets returns the packets per second of both directions.
func (r *Rates) Packets() float64 { return r.OrigPackets + r.ReplyPackets }

// Bytes returns the bytes per second of both directions.
func (r *Rates) Bytes() float64 { return r.OrigBytes + r.ReplyBytes }

// IsRate reports whether the field is a rate, for which a Context must have Rates.
func (d *Field) IsRate() bool { return d.rate != nil }

// Rate returns the value of a field of KindRate, and reports whether it is known. A
// nil c is an empty Context.
func (d *Field) Rate(c *Context) (float64, bool) {
	if d.rate == nil || c == nil || c.Rates == nil || !c.Rates.Known {
		return 0, false
	}
	v := d.rate(c.Rates)
	return v, isRate(v)
}

// isRate reports whether v can be a rate of counters: NaN and what is too large for
// them is none.
func isRate(v float64) bool { return v >= 0 && v < 1<<63 }

func origPacketRate(r *Rates) float64  { return r.OrigPackets }
func origByteRate(r *Rates) float64    { return r.OrigBytes }
func replyPacketRate(r *Rates) float64 { return r.ReplyPackets }
func replyByteRate(r *Rates) float64   { return r.ReplyBytes }

// appendRate appends a rate as programs read it: a number with three decimals at
// most.
func appendRate(b []byte, v float64) []byte {
	return strconv.AppendFloat(b, math.Round(v*1000)/1000, 'f', -1, 64)
}

// AppendRate appends a rate as people read it, in packets or in bytes: 0.2/s, 1.2k/s
// or, in bytes, 3.4M/s.
func AppendRate(b []byte, v float64, bytes bool) []byte {
	switch tenths := math.Round(v * 10); {
	case v == 0 || !isRate(v):
		return append(b, '0')
	case tenths == 0:
		return append(b, "<0.1/s"...)
	case tenths < 100:
		b = strconv.AppendFloat(b, tenths/10, 'f', -1, 64)
	case bytes:
		b = appendBytes(b, uint64(math.Round(v)))
	default:
		b = appendScaled(b, uint64(math.Round(v)), 1000, countUnits)
	}
	return append(b, "/s"...)
}

// appendRateCell appends what a table shows of a rate.
func appendRateCell(cell []byte, d *Field, c *Context) []byte {
	if v, ok := d.Rate(c); ok {
		return AppendRate(cell, v, strings.HasSuffix(d.Name, "byte_rate"))
	}
	return cell
}

// jsonRates appends the rates of a direction.
func jsonRates(b []byte, packets, bytes float64) []byte {
	if isRate(packets) {
		b = append(appendRate(append(b, `"packet_rate":`...), packets), ',')
	}
	if isRate(bytes) {
		b = append(appendRate(append(b, `"byte_rate":`...), bytes), ',')
	}
	return b
}

// rateNumber returns a rate as a whole number, for those who compare numbers.
func (d *Field) rateNumber(c *Context) (uint64, bool) {
	if v, ok := d.Rate(c); ok {
		return uint64(math.Round(v)), true
	}
	return 0, false
}
