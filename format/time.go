package format

import (
	"strconv"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

const second = uint64(time.Second)

// Times are written in the local time zone. Package time reads it at the first use,
// so that it costs nothing when no time is written.

// localTime returns the time at a number of nanoseconds since 1970.
func localTime(ns uint64) time.Time {
	return time.Unix(int64(ns/second), int64(ns%second))
}

// unixNanos returns a time that the table sent as it was sent: in nanoseconds
// since 1970.
func unixNanos(t time.Time, ok bool) (uint64, bool) {
	if !ok {
		return 0, false
	}
	return uint64(t.Unix())*second + uint64(t.Nanosecond()), true
}

// wholeSeconds returns a timeout in seconds.
func wholeSeconds(d time.Duration, ok bool) (uint64, bool) { return uint64(d / time.Second), ok }

// eventTime returns the time of an event, or the current time if the kernel sent
// none.
func eventTime(f *ctnetlink.Flow, c *Context) time.Time {
	if t, ok := f.EventTime(); ok {
		return t
	}
	return c.now()
}

// nanos returns the number of nanoseconds from 1970 to a time, at least 0.
func nanos(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }

// appendTime appends the time at a number of nanoseconds since 1970 in the form of
// RFC 3339, in UTC and with nine digits of the fraction: these texts sort as the
// times do.
func appendTime(b []byte, ns uint64) []byte {
	t := localTime(ns).UTC()
	year, month, day := t.Date()
	hour, minute, sec := t.Clock()
	b = append(appendTwo(appendTwo(b, year/100), year%100), '-')
	b = append(appendTwo(b, int(month)), '-')
	b = append(appendTwo(b, day), 'T')
	b = append(appendTwo(b, hour), ':')
	b = append(appendTwo(b, minute), ':')
	b = append(appendTwo(b, sec), '.')
	n := t.Nanosecond()
	b = appendTwo(appendTwo(b, n/1e7), n/1e5%100)
	b = appendTwo(appendTwo(b, n/1e3%100), n/10%100)
	return append(b, byte('0'+n%10), 'Z')
}

// appendTwo appends the two digits of a number below 100.
func appendTwo(b []byte, n int) []byte { return append(b, pairs[2*n], pairs[2*n+1]) }

// appendCtime appends a time in the form of ctime(3), without the newline.
func appendCtime(b []byte, ns uint64) []byte {
	return localTime(ns).AppendFormat(b, time.ANSIC)
}

// appendSeconds appends t as "[seconds.microseconds]\t", padded with zeros to 8 and
// 6 digits.
func appendSeconds(b []byte, t time.Time) []byte {
	b = append(b, '[')
	b = appendZeroPadded(b, max(t.Unix(), 0), 8)
	b = append(b, '.')
	b = appendZeroPadded(b, int64(t.Nanosecond()/1000), 6)
	return append(b, "]\t"...)
}

// appendSecondsBlank is appendSeconds with blanks after the digits in place of
// zeros, as in the classic lines of expectations.
func appendSecondsBlank(b []byte, t time.Time) []byte {
	b = append(b, '[')
	b = appendBlankPadded(b, max(t.Unix(), 0), 8)
	b = append(b, '.')
	b = appendBlankPadded(b, int64(t.Nanosecond()/1000), 6)
	return append(b, "]\t"...)
}

func appendZeroPadded(b []byte, v int64, width int) []byte {
	for limit := int64(10); width > 1; width-- {
		if v < limit {
			for range width - 1 {
				b = append(b, '0')
			}
			break
		}
		limit *= 10
	}
	return strconv.AppendInt(b, v, 10)
}

func appendBlankPadded(b []byte, v int64, width int) []byte {
	end := len(b) + width
	for b = strconv.AppendInt(b, v, 10); len(b) < end; {
		b = append(b, ' ')
	}
	return b
}

// appendWhen appends t as the <when> element of XML. wday is 1 for Sunday.
func appendWhen(b []byte, t time.Time) []byte {
	t = t.Local()
	year, month, day := t.Date()
	hour, minute, sec := t.Clock()
	b = appendElement(append(b, "<when>"...), "hour", uint64(hour))
	b = append(appendZeroPadded(append(b, "<min>"...), int64(minute), 2), "</min>"...)
	b = append(appendZeroPadded(append(b, "<sec>"...), int64(sec), 2), "</sec>"...)
	b = appendElement(b, "wday", uint64(t.Weekday())+1)
	b = appendElement(b, "day", uint64(day))
	b = appendElement(b, "month", uint64(month))
	b = appendElement(b, "year", uint64(max(year, 0)))
	return append(b, "</when>"...)
}

// age returns how long an entry has existed, or had existed when it ended: the
// difference of two times in whole seconds. It is 0 if the clock was set back.
func age(f *ctnetlink.Flow, c *Context) (seconds uint64, ok bool) {
	start, ok := unixNanos(f.Start())
	if !ok {
		return 0, false
	}
	start /= second
	end, ok := unixNanos(f.Stop())
	if ok {
		end /= second
	} else {
		end = uint64(max(c.now().Unix(), 0))
	}
	return max(end, start) - start, true
}
