package format

// Parameters of the control function SGR (ECMA-48, select graphic rendition).
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// paint returns a text in a colour.
func paint(color, text string) string {
	if text == "" {
		return ""
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// stateColor returns the colour of a state: green if both sides can send, yellow
// while a connection is being opened, faint while it is being closed and after, and
// "" for none.
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

// colorCell returns a cell in the colour of its state. Only columns of states have
// colours.
func colorCell(column, cell string) string {
	if column != "condition" && column != "state" {
		return cell
	}
	if color := stateColor(cell); color != "" {
		return paint(color, cell)
	}
	return cell
}
