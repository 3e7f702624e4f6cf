package live

import "slices"

// order is an order of entries: it gives each its code, see place.
type order struct {
	keys []orderKey
	code []byte
}

type orderKey struct {
	reader
	descending bool
}

// compile makes the order that of a query.
func (o *order) compile(q *question, keys []Key) error {
	o.keys = o.keys[:0]
	for i := range keys {
		r, err := q.reader(&keys[i].Key)
		if err != nil {
			return err
		}
		o.keys = append(o.keys, orderKey{r, keys[i].Descending})
	}
	return nil
}

// slow reports whether entries are read as messages.
func (o *order) slow() bool {
	return slices.ContainsFunc(o.keys, func(k orderKey) bool { return k.slow() })
}

// place returns the code of the entry that is looked at, valid until the next call. The
// rest may be left out if the selection does not want the head.
//
// If the first key is a number it is the head, absent as 0 and any other number as one
// more than it is. Else the head is the first bytes of its value, and the rest begins
// with the others.
func (o *order) place(q *question, e *entry) (head uint64, rest []byte) {
	if len(o.keys) == 0 {
		return 0, nil
	}
	first := &o.keys[0]
	value := o.code[:0]
	switch {
	case first.number != nil:
		if v, ok := first.read(q, e); ok {
			if head = v + 1; head == 0 {
				head = v
			}
		}
	case q.odd:
		value = first.append(value, q, e)
		head, _ = headOf(value)
	case first.head != nil:
		head = first.head(q, e)
	case first.missing == nil || !first.missing(e):
		value = first.append(value, q, e)
		head, _ = headOf(value)
	}
	if first.descending {
		head = ^head
	}
	if !q.selection.wants(head) {
		return head, nil
	}
	start := 0
	if first.number == nil {
		if len(value) == 0 {
			value = first.append(value, q, e)
		}
		if start = min(len(value), 8); first.descending {
			invert(value[start:])
		}
	}
	o.code = value
	for i := 1; i < len(o.keys); i++ {
		k := &o.keys[i]
		from := len(o.code)
		if o.code = k.append(o.code, q, e); k.descending {
			invert(o.code[from:])
		}
	}
	return head, o.code[start:]
}

// invert reverses the order of a code: no code of a value is the beginning of another.
func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}
