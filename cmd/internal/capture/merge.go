package capture

import (
	"errors"
	"io"
)

// Merge reads several captures in the order of time. Records with the same time
// are in the order of the files. A capture whose times go back is read in its own
// order.
type Merge struct {
	// Failed is called when a file cannot be read to its end. The others are read
	// on.
	Failed func(err error)
	heads  []head
	last   int // the file whose record was returned last, -1: none
}

type head struct {
	file   *File
	record Record
}

// NewMerge returns a Merge of files.
func NewMerge(files []*File) *Merge {
	m := &Merge{last: -1}
	for _, f := range files {
		m.heads = append(m.heads, head{file: f})
	}
	return m
}

// Next returns the next record, valid until the next call, or nil after the last.
func (m *Merge) Next() *Record {
	if m.last < 0 {
		for i := 0; i < len(m.heads); {
			if m.advance(i) {
				i++
			}
		}
	} else {
		m.advance(m.last)
	}
	if len(m.heads) == 0 {
		return nil
	}
	m.last = 0
	for i := range m.heads[1:] {
		if m.heads[i+1].record.Time.Before(m.heads[m.last].record.Time) {
			m.last = i + 1
		}
	}
	return &m.heads[m.last].record
}

// advance reads the next record of a file, which is removed at its end.
func (m *Merge) advance(i int) bool {
	h := &m.heads[i]
	err := h.file.Next(&h.record)
	if err == nil {
		return true
	}
	if !errors.Is(err, io.EOF) && m.Failed != nil {
		m.Failed(err)
	}
	m.heads = append(m.heads[:i], m.heads[i+1:]...)
	return false
}
