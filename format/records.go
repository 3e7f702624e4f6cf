package format

import "time"

// Records writes records of names and values, for example counters, in StyleJSON,
// StyleJSONL or StyleCSV. One Records writes all records of a document.
type Records struct {
	style Style
	list  bool
	n     int
	named bool // the names of CSV were written
}

// Value is a named value of a record: Number, or Text if IsText is set, or Rate if
// IsRate is set.
type Value struct {
	Name   string
	Number uint64
	Text   string
	IsText bool
	Rate   float64 // per second
	IsRate bool
}

// append appends a value that is no text.
func (v *Value) append(dst []byte) []byte {
	if v.IsRate {
		return appendRate(dst, v.Rate)
	}
	return appendUint(dst, v.Number)
}

// Number returns a numeric value.
func Number(name string, v uint64) Value { return Value{Name: name, Number: v} }

// Text returns a text value, which may contain any bytes.
func Text(name, v string) Value { return Value{Name: name, Text: v, IsText: true} }

// Time returns a value that is a time, in the form of JSON records.
func Time(name string, t time.Time) Value { return Text(name, string(appendTime(nil, nanos(t)))) }

// IsRecordStyle reports whether Records writes a style.
func IsRecordStyle(s Style) bool {
	return s == StyleJSON || s == StyleJSONL || s == StyleCSV
}

// NewRecords returns a Records. With list, StyleJSON is an array of records,
// otherwise its one record is the document.
func NewRecords(s Style, list bool) *Records {
	return &Records{style: s, list: list && s == StyleJSON}
}

// Append appends a record. In CSV the names of the first record are the header, and
// all records must have the same names.
func (r *Records) Append(dst []byte, values []Value) []byte {
	first := r.n == 0
	r.n++
	if r.style == StyleCSV {
		if !r.named {
			dst = r.appendNames(dst, values)
		}
		for i := range values {
			if v := &values[i]; v.IsText {
				dst = appendCSVName(dst, v.Text)
			} else {
				dst = v.append(dst)
			}
			dst = append(dst, ',')
		}
		return csvEnd(dst)
	}
	switch {
	case r.list && first:
		dst = append(dst, jsonOpen...)
	case r.list:
		dst = append(dst, ",\n"...)
	}
	start := len(dst)
	dst = append(dst, '{')
	for i := range values {
		v := &values[i]
		dst = append(appendJSONString(dst, v.Name), ':')
		if v.IsText {
			dst = appendJSONString(dst, v.Text)
		} else {
			dst = v.append(dst)
		}
		dst = append(dst, ',')
	}
	dst = closeJSON(dst, start, '}')
	if r.list {
		return dst
	}
	return append(dst, '\n')
}

// appendNames appends the header of CSV, and nothing in other styles. It is for
// documents that may have no record; otherwise Append does it.
func (r *Records) appendNames(dst []byte, values []Value) []byte {
	if r.style != StyleCSV {
		return dst
	}
	r.named = true
	for i := range values {
		dst = append(appendCSVName(dst, values[i].Name), ',')
	}
	return csvEnd(dst)
}

// AppendEnd ends the document, which may have no records.
func (r *Records) AppendEnd(dst []byte) []byte {
	switch {
	case !r.list:
		return dst
	case r.n == 0:
		return append(dst, jsonEmpty...)
	}
	return append(dst, jsonClose...)
}
