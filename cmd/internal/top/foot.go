package top

import "github.com/gonntrack/gonntrack/internal/printable"

// foot returns the last line: a message, or the keys.
func (m *Model) foot(hints []hint) string {
	if m.message != "" {
		p := bold
		if m.failed {
			p = alarm
		}
		return m.style.on(p, printable.String(m.message))
	}
	if m.over == nil {
		hints = append(append([]hint{}, globalHints[:2]...), append(hints, globalHints[2:6]...)...)
	}
	parts := make([]part, len(hints))
	for i, h := range hints {
		parts[i] = part{texts: []string{m.style.on(bold, h.key) + " " + h.text}, rank: i}
	}
	line, _ := m.style.join(parts, m.width)
	return line
}
