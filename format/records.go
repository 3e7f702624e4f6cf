package format

// Records writes records of names and values, such as counters, in StyleJSON,
// StyleJSONL or StyleCSV. All that is of one kind goes through one Records.
type Records struct {
	style Style
	list  bool
	n     int
}

// Value is a named value of a record: a number, or with IsText a text.
type Value struct {
	Name   string
	Number uint64
	Text   string
	IsText bool
}

// Number returns a value that is a number.
func Number(name string, v uint64) Value { return Value{Name: name, Number: v} }

// Text returns a value that is a text, of any bytes.
func Text(name, v string) Value { return Value{Name: name, Text: v, IsText: true} }

// IsRecordStyle tells whether a style is one of Records.
func IsRecordStyle(s Style) bool {
	return s == StyleJSON || s == StyleJSONL || s == StyleCSV
}

// NewRecords returns a Records. list says that StyleJSON is an array of the
// records; otherwise there is one record, which is the document.
func NewRecords(s Style, list bool) *Records {
	return &Records{style: s, list: list && s == StyleJSON}
}

// Append appends a record. In CSV the first one's names are the header, and
// all that follow must have the same.
func (r *Records) Append(dst []byte, values []Value) []byte {
	first := r.n == 0
	r.n++
	if r.style == StyleCSV {
		if first {
			dst = r.appendNames(dst, values)
		}
		for i := range values {
			if v := &values[i]; v.IsText {
				dst = appendCSVName(dst, v.Text)
			} else {
				dst = appendUint(dst, v.Number)
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
			dst = appendUint(dst, v.Number)
		}
		dst = append(dst, ',')
	}
	dst = closeJSON(dst, start, '}')
	if r.list {
		return dst
	}
	return append(dst, '\n')
}

// appendNames appends the header of CSV, in other styles nothing. It is for
// those who may have no record: Append does it otherwise.
func (r *Records) appendNames(dst []byte, values []Value) []byte {
	if r.style != StyleCSV {
		return dst
	}
	r.n++
	for i := range values {
		dst = append(appendCSVName(dst, values[i].Name), ',')
	}
	return csvEnd(dst)
}

// AppendEnd appends what stands behind the last record, or in place of all.
func (r *Records) AppendEnd(dst []byte) []byte {
	switch {
	case !r.list:
		return dst
	case r.n == 0:
		return append(dst, jsonEmpty...)
	}
	return append(dst, jsonClose...)
}
