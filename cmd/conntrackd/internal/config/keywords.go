package config

import "strings"

// keywords are the words that are keywords everywhere: no interface and no helper can
// have such a name.
var keywords = func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(`
		Sync Stats General Helper
		Mode Multicast UDP TCP Default Options
		ResendQueueSize ACKWindowSize CommitTimeout PurgeTimeout RefreshTime CacheTimeout
		DisableExternalCache DisableInternalCache StartupResync
		IPv4_address IPv6_address IPv4_interface IPv6_interface Interface
		IPv4_Destination_Address IPv6_Destination_Address Group Port
		SndSocketBuffer RcvSocketBuffer Checksum ErrorQueueLength
		TCPWindowTracking ExpectationSync
		HashSize HashLimit LogFile Syslog LockFile UNIX Path Backlog Nice
		SocketBufferSize SocketBufferSizeMaxGrown SocketBufferSizeMaxGrowth
		NetlinkBufferSize NetlinkBufferSizeMaxGrown NetlinkBufferSizeMaxGrowth
		NetlinkOverrunResync NetlinkEventsReliable PollSecs EventIterationLimit
		Filter From Userspace Kernelspace Protocol Address State Accept Ignore for
		SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE CLOSED LISTEN
		Scheduler Type Priority Systemd
		Setup QueueNum QueueLen Policy ExpectMax ExpectTimeout`) {
		m[w] = true
	}
	return m
}()

// wordKind returns what a word is. The words of modes and switches are free of case.
func wordKind(text string) kind {
	if keywords[text] {
		return keyword
	}
	switch strings.ToLower(text) {
	case "on", "off", "yes", "no":
		return boolean
	case "ftfw", "notrack", "alarm", "nack":
		return keyword
	}
	return word
}
