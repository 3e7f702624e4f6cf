package console

import (
	"io"

	"github.com/gonntrack/gonntrack/internal/printable"
)

// Messages is where messages for people go, a standard error. Whatever is put into
// a message is made printable. So it is no io.Writer: nothing can be written that
// was not looked at. A nil Messages goes nowhere.
type Messages struct{ w io.Writer }

// NewMessages returns messages that are written to w, each with one call.
func NewMessages(w io.Writer) *Messages { return &Messages{w} }

// Printf writes a message, with printable.Sprintf. A message that cannot be written
// is lost: there is nowhere to report it.
func (m *Messages) Printf(form string, args ...any) {
	if m != nil {
		_, _ = io.WriteString(m.w, printable.Sprintf(form, args...))
	}
}

// Writer returns a writer for libraries that write messages of their own. Their
// newlines stay.
func (m *Messages) Writer() io.Writer { return messageWriter{m} }

type messageWriter struct{ m *Messages }

func (w messageWriter) Write(text []byte) (int, error) {
	w.m.Printf("%s", printable.Lines(text))
	return len(text), nil
}
