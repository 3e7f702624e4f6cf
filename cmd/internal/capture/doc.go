// Package capture reads the IP packets of captures: pcap and pcapng, compressed
// with gzip or not, from files or from a pipe, one or several merged by time.
package capture
