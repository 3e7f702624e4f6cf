package config

import (
	"net/netip"
	"strings"
)

// validMetrics reports whether text is a path of a socket or ADDRESS:PORT.
func validMetrics(text string) bool {
	if strings.HasPrefix(text, "/") {
		return len(text) > 1 && len(text) <= maxSocket
	}
	a, err := netip.ParseAddrPort(text)
	return err == nil && a.Port() != 0
}
