package top

// scroll is a cursor in a list, and the part of the list that the screen shows.
type scroll struct {
	cursor, top int // indexes in the list
	total       int // length of the list
	lines       int // how many of it the screen shows
}

// fit takes the length of the list and the lines of the screen, and moves the cursor
// and what is shown no more than needed.
func (s *scroll) fit(total, lines int) {
	s.total, s.lines = max(total, 0), max(lines, 1)
	s.move(0)
}

// move moves the cursor.
func (s *scroll) move(by int) {
	s.cursor = max(min(s.cursor+by, s.total-1), 0)
	s.top = max(min(s.top, s.cursor, s.total-s.lines), s.cursor-s.lines+1, 0)
}

// jump moves the cursor to an index of the list that keeps its place on the screen.
func (s *scroll) jump(cursor int) {
	s.top += cursor - s.cursor
	s.cursor = cursor
	s.move(0)
}

// roll moves what is shown, and the cursor with it where it would be left behind.
func (s *scroll) roll(by int) {
	s.top = max(min(s.top+by, s.total-s.lines), 0)
	s.cursor = max(min(s.cursor, s.top+s.lines-1, s.total-1), s.top)
}

// key moves the cursor as a key says, and reports whether the key moves it.
func (s *scroll) key(key string) bool {
	switch key {
	case "up", "k":
		s.move(-1)
	case "down", "j":
		s.move(1)
	case "pgup", "ctrl+b":
		s.jump(s.cursor - s.lines)
	case "pgdown", "ctrl+f":
		s.jump(s.cursor + s.lines)
	case "home":
		s.move(-s.total)
	case "end", "G":
		s.move(s.total)
	default:
		return false
	}
	return true
}
