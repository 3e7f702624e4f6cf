package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// list returns messages as text, one a line.
func lines(messages []Message) string {
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "%d %s %s\n", m.Line, [...]string{"notice", "warning", "error"}[m.Level], m.Text)
	}
	return b.String()
}

func TestStarting(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"General { UNIX { Path /x } }", "0 warning No running mode specified. Defaulting to statistics mode.\n"},
		{"Stats { } General { UNIX { Path /x } }", ""},
		{"Sync { } General { UNIX { Path /x } }",
			"0 warning No synchronization mode specified. Defaulting to FT-FW mode.\n"},
		{"Stats { }\nHelper { }\nHelper { Type ftp inet tcp { } } General { UNIX { Path /x } }",
			"3 warning helpers in user space are not supported, ignoring the section `Helper'. " +
				"The helpers of the kernel go on\n"},
		{"Stats { }", "0 warning there is no `Path' in `UNIX': no client will reach the daemon\n"},
		{"Sync { Mode ALARM { }\nUDP { IPv4_address 10.0.0.1 IPv6_Destination_Address ::2 Interface lo }\n" +
			"UDP { IPv6_address ::1 Port 65536 } } General { UNIX { Path /x } }",
			"2 warning the dedicated link in line 2 lacks a Port\n" +
				"2 warning the dedicated link in line 2 has addresses of two families\n" +
				"3 warning the dedicated link in line 3 lacks an Interface, a destination address\n" +
				"3 warning the dedicated link in line 3 has the port 65536, the greatest is 65535\n"},
		{"Sync { Mode ALARM { }\nMulticast { IPv4_address 10.0.0.1 Interface lo Group 5 }\n" +
			"Multicast { IPv6_address ff02::1 Interface lo Group 5 } } General { UNIX { Path /x } }",
			"2 warning the dedicated link in line 2 lacks an IPv4_interface\n" +
				"2 warning 10.0.0.1 is not a multicast group\n"},
	} {
		conf, messages := Parse([]byte(c.file))
		if conf == nil {
			t.Errorf("%s: %v", c.file, messages)
		} else if got := lines(conf.Starting()); got != c.want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", c.file, got, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("sixteen letters.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	unread := "the KeyFile " + key + " must be a file that its owner alone can read (mode 0600)"
	files := " LockFile " + dir + "/lock\nLogFile " + dir + "/log\nUNIX { Path " + dir + "/ctl }\nHashLimit 2000000000\n"
	for _, c := range []struct{ file, want string }{
		{"Stats { } General {" + files + "}", ""},
		{"Stats { } General {" + files + "LockFile /nowhere/lock\nMetrics " + dir + "/not/m\nLogFile " + dir + " }",
			"5 warning `LockFile' is in line 1 already, the last one is used\n" +
				"5 error LockFile: there is no directory /nowhere\n" +
				"6 error Metrics: there is no directory " + dir + "/not\n" +
				"7 warning `LogFile' is in line 2 already, the last one is used\n" +
				"7 error LogFile: " + dir + " is a directory\n"},
		{"Stats { } General {" + files + "PollSecs 5\nNetlinkEventsReliable on\nScheduler { Priority 0 }\n" +
			"Filter { State Accept { }\nAddress Ignore { } } }",
			"6 warning `NetlinkEventsReliable' has no effect with PollSecs\n" +
				"7 warning the kernel refuses the Priority 0: scheduling will be ordinary\n" +
				"8 warning the list of `State Accept' is empty\n"},
		{"Stats { } General {" + files + "NetlinkBufferSizeMaxGrowth 4\nNetlinkBufferSize 5 }",
			"6 notice conntrack-tools' conntrackd would not use this size, because it is greater than " +
				"NetlinkBufferSizeMaxGrowth (4)\n"},
		{"Stats { } General {" + files + "NetlinkBufferSizeMaxGrowth 5\nNetlinkBufferSize 5 }", ""},
		{"General {" + files + "} Sync {\nMode NOTRACK { } Mode FTFW { } RefreshTime 5\n KeyFile " + key + " }",
			"0 error there is no dedicated link: Multicast, UDP or TCP\n" +
				"6 warning there is more than one Mode: of FTFW, ALARM and NOTRACK the first one is used\n" +
				"6 warning `RefreshTime' has an effect in Mode ALARM only\n" +
				"7 error " + unread + "\n"},
		{"General {" + files + "} Sync { Mode FTFW { ResendQueueSize 10 } }\nSync { UDP { IPv4_address 127.0.0.1 " +
			"IPv4_Destination_Address 127.0.0.2 Port 5 Interface lo } }\n" +
			"General { Filter { Address Ignore { IPv4_address 127.0.0.0/8 } } }",
			"5 warning ResendQueueSize is less than ACKWindowSize: messages are forgotten before they are acknowledged\n"},
		{"General {" + files + "} Sync {\nMode ALARM { RefreshTime 180 }\n" +
			"UDP { IPv4_address 127.0.0.1 IPv4_Destination_Address 127.0.0.2 Port 5 Interface lo }\n" +
			"UDP { IPv4_address 127.0.0.1 IPv4_Destination_Address 127.0.0.2 Port 5 Interface nowhere }\n" +
			"UDP { IPv4_address 192.0.2.1 IPv4_Destination_Address 127.0.0.2 Port 5 Interface lo } }" +
			"General { Filter { Address Ignore { IPv4_address 192.0.2.0/24 } } }",
			"6 warning RefreshTime is not less than CacheTimeout: entries of a peer expire before they are refreshed\n" +
				"7 notice the Filter does not leave out 127.0.0.1: connections of the daemon itself are kept alike\n" +
				"8 warning the dedicated link in line 8 has the addresses and the port of the one in line 7\n" +
				"8 error there is no interface nowhere\n" +
				"9 error 192.0.2.1 is not an address of the interface lo\n"},
	} {
		conf, messages := Parse([]byte(c.file))
		if conf == nil {
			t.Errorf("%s: %v", c.file, messages)
		} else if got := lines(Check(conf)); got != c.want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", c.file, got, c.want)
		}
	}
}

func TestReadKey(t *testing.T) {
	name := filepath.Join(t.TempDir(), "key")
	for _, c := range []struct {
		text string
		mode os.FileMode
		want string // in the error, "" for none
	}{
		{" a key of seventeen \n", 0o600, ""},
		{"a key of seventeen", 0o640, "owner alone"},
		{"\n short          \n", 0o400, "at least 16"},
		{strings.Repeat("x", 4097), 0o600, "more than 4096"},
	} {
		os.Remove(name)
		if err := os.WriteFile(name, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		switch b, err := ReadKey(name); {
		case c.want == "" && (err != nil || string(b) != "a key of seventeen"):
			t.Errorf("%q, %v", b, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
	if _, err := ReadKey(t.TempDir()); err == nil {
		t.Error("a directory is a key")
	}
	if _, err := ReadKey(name + ".not"); err == nil {
		t.Error("a file that is not there is a key")
	}
}
