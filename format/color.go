package format

// Colours of a terminal (ECMA-48, select graphic rendition).
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// paint returns text in a colour.
func paint(color, text string) string {
	if text == "" {
		return ""
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// stateColor is the colour of a state: what flows is green, what waits for an
// answer yellow, what is over faint.
func stateColor(state string) string {
	switch state {
	case "ESTABLISHED", "OPEN", "PARTOPEN", "assured", "replied":
		return green
	case "SYN_SENT", "SYN_SENT2", "SYN_RECV", "REQUEST", "RESPOND", "COOKIE_WAIT", "COOKIE_ECHOED",
		"HEARTBEAT_SENT", "unreplied":
		return yellow
	case "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "CLOSED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
		"SHUTDOWN_ACK_SENT", "CLOSEREQ", "CLOSING", "TIMEWAIT":
		return faint
	case "offloaded":
		return cyan
	case "INVALID":
		return red
	}
	return ""
}

// colorCell returns a cell of a column in its colour.
func colorCell(column, cell string) string {
	if column != "condition" && column != "state" {
		return cell
	}
	if color := stateColor(cell); color != "" {
		return paint(color, cell)
	}
	return cell
}
