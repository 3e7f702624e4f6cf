package show

import (
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

func compare(t *testing.T, got []byte, want string) {
	t.Helper()
	// > stands for a TAB.
	if g := strings.ReplaceAll(string(got), "\t", ">"); g != want {
		t.Errorf("got\n%s\nwant\n%s", g, want)
	}
}

var (
	someInternal = &cache.Stats{Active: 1, Total: 2, Created: 3, CreateFailed: 4, NoMemory: 5, NoSpace: 6, Updated: 7,
		UpdateFailed: 8, UpdateNotFound: 9, Deleted: 10, DeleteFailed: 11, DeleteNotFound: 12}
	someExternal = &cache.Stats{Active: 21, Total: 1 << 40}
	someLink     = &Link{Interface: "sy0", Kind: config.TCP, Status: "NO-CARRIER", Server: true,
		SentBytes: 31, RecvBytes: 32, SentPackets: 33, RecvPackets: 34, SendErrors: 35, RecvErrors: 36}
)

func TestGeneral(t *testing.T) {
	g := &General{
		Caches: Caches{Internal: someInternal, Inject: &Inject{41, 42, 43, 44, 45, 46}}, Link: someLink,
		Bytes: 51, Packets: 52, Malformed: 53, Lost: 54,
	}
	compare(t, AppendGeneral(nil, g), `cache internal:
current active connections:>           1
connections created:>>           3>failed:>           4
connections updated:>>           7>failed:>           8
connections destroyed:>>          10>failed:>          11

external inject:
connections created:>>          41>failed:>          42
connections updated:>>          43>failed:>          44
connections destroyed:>>          45>failed:>          46

traffic processed:
                  51 Bytes                        52 Pckts

TCP traffic (active device=sy0) server=connected client=disconnected:
                  31 Bytes sent                   32 Bytes recv
                  33 Pckts sent                   34 Pckts recv
                  35 Error send                   36 Error recv

message tracking:
                  53 Malformed msgs                   54 Lost msgs

`)
	compare(t, AppendGeneral(nil, &General{Caches: Caches{Stats: someInternal}, Bytes: 51, Packets: 52}), `cache stats:
current active connections:>           1
connections created:>>           3>failed:>           4
connections updated:>>           7>failed:>           8
connections destroyed:>>          10>failed:>          11

traffic processed:
                  51 Bytes                        52 Pckts

`)
}

func TestCaches(t *testing.T) {
	compare(t, AppendCaches(nil, &Caches{Internal: someInternal, External: someExternal}),
		`cache:internal>active objects:>>           2
>active/total entries:>>           1/           2
>creation OK/failed:>>           3/           4
>>no memory available:>           5
>>no space left in cache:>           6
>update OK/failed:>>           7/           8
>>entry not found:>           9
>deletion created/failed:>          10/          11
>>entry not found:>          12

cache:external>active objects:>>1099511627776
>active/total entries:>>          21/1099511627776
>creation OK/failed:>>           0/           0
>>no memory available:>           0
>>no space left in cache:>           0
>update OK/failed:>>           0/           0
>>entry not found:>           0
>deletion created/failed:>           0/           0
>>entry not found:>           0

`)
	compare(t, AppendCaches(nil, &Caches{Bypass: &Bypass{61, 62, 63}}), `internal bypass:
connections new:>>          61
connections updated:>>          62
connections destroyed:>>          63

`)
}

func TestNetworkAndLinks(t *testing.T) {
	n := &Network{Malformed: 1, WrongVersion: 2, BadHeader: 3, BadPayload: 4, BadType: 5, Truncated: 6, BadSize: 7,
		SendMalformed: 8, Lost: 9, Before: 10}
	compare(t, AppendNetwork(nil, n), `network statistics:
>recv:
>>Malformed messages:>                   1
>>Wrong protocol version:>                   2
>>Malformed header:>                   3
>>Malformed payload:>                   4
>>Bad message type:>                   5
>>Truncated message:>                   6
>>Bad message size:>                   7
>send:
>>Malformed messages:>                   8

sequence tracking statistics:
>recv:
>>Packets lost:>>                   9
>>Packets before:>>                  10

`)
	links := []Link{*someLink, {Kind: config.Multicast, Interface: "sy1", Status: "RUNNING", Active: true}}
	compare(t, AppendLinks(nil, links), `TCP traffic device=sy0 status=NO-CARRIER role=BACKUP:
                  31 Bytes sent                   32 Bytes recv
                  33 Pckts sent                   34 Pckts recv
                  35 Error send                   36 Error recv

multicast traffic device=sy1 status=RUNNING role=ACTIVE:
                   0 Bytes sent                    0 Bytes recv
                   0 Pckts sent                    0 Pckts recv
                   0 Error send                    0 Error recv

`)
}

func TestQueuesAndResends(t *testing.T) {
	queues := []Queue{{"txqueue", 4, 0, 0}, {"rsqueue", 5, 131072, 6}}
	compare(t, AppendQueues(nil, 3, queues), `allocated queue nodes:>>           3

queue txqueue:
current elements:>>           4
maximum elements:>>  2147483647
not enough space errors:>           0

queue rsqueue:
current elements:>>           5
maximum elements:>>      131072
not enough space errors:>           6

`)
	compare(t, AppendResends(nil, []Resend{{Control: true, Seq: 4294967295, Flags: 8}, {Seq: 1}}),
		"resent queue (len=2)\ncontrol -> seq:4294967295 flags:8\nobject -> seq:1\n")
	compare(t, AppendProcess(nil, 77, "flush"), "PID=77 type=flush\n")
}

func TestRuntime(t *testing.T) {
	r := &Runtime{Received: 1, Filtered: 2, UnknownType: 3, EventFailed: 4, DumpUnknown: 5, Overruns: 6, Flushes: 7,
		Resyncs: 8, Buffer: 9, JobFailed: 10, ReadFailed: 11, UnknownRequest: 12}
	compare(t, AppendRuntime(nil, r), `daemon uptime: 0 min

netlink stats:
>events received:>                   1
>events filtered:>                   2
>events unknown type:>>           3
>catch event failed:>>           4
>dump unknown type:>>           5
>netlink overrun:>>           6
>flush kernel table:>>           7
>resync with kernel table:>           8
>current buffer size (in bytes):>           9

runtime stats:
>child process failed:>>          10
>>child process segfault:>           0
>>child process termsig:>           0
>select failed:>>>           0
>wait failed:>>>           0
>local read failed:>>          11
>local unknown request:>>          12

`)
	for _, c := range []struct {
		up   time.Duration
		want string
	}{
		{59 * time.Second, "0 min"},
		{61 * time.Minute, "1 h 1 min"},
		{24 * time.Hour, "1 day 0 min"},
		{27*time.Hour + 5*time.Minute, "1 day 3 h 5 min"},
		{75*time.Hour + 59*time.Minute + 59*time.Second, "3 days 3 h 59 min"},
	} {
		text := string(AppendRuntime(nil, &Runtime{Uptime: c.up}))
		if line, _, _ := strings.Cut(text, "\n"); line != "daemon uptime: "+c.want {
			t.Errorf("%v: %s, want %s", c.up, line, c.want)
		}
	}
}
