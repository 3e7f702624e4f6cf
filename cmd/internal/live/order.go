package live

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

// place returns the code of the entry that is looked at, valid until the next call. If
// it is after that of the selection's bound, all but the first bytes may be left out.
//
// If the first key is a number, the code begins with its bytes: absent is 0, any other
// number is one more than it is.
func (o *order) place(q *question, e *entry) (head uint64, rest []byte) {
	switch {
	case len(o.keys) == 0:
		return 0, nil
	case o.keys[0].number == nil:
		return headOf(o.codes(q, e, 0))
	}
	first := &o.keys[0]
	if v, ok := first.read(q, e); ok {
		if head = v + 1; head == 0 {
			head = v
		}
	}
	if first.descending {
		head = ^head
	}
	if len(o.keys) == 1 || !q.selection.wants(head) {
		return head, nil
	}
	return head, o.codes(q, e, 1)
}

// codes returns the codes of the keys from one on.
func (o *order) codes(q *question, e *entry, from int) []byte {
	b := o.code[:0]
	for i := from; i < len(o.keys); i++ {
		start := len(b)
		b = o.keys[i].append(b, q, e)
		if o.keys[i].descending {
			invert(b[start:])
		}
	}
	o.code = b
	return b
}

// invert reverses the order of a code: no code of a value is the beginning of another.
func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}
