package daemon

import (
	_ "github.com/coreos/go-systemd/v22/daemon" // notify
	_ "golang.org/x/crypto/chacha20poly1305"    // keys
)
