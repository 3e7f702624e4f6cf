package show

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// someStatus is that of a backup in a pair: everything of its peer is here.
func someStatus() *Status {
	return &Status{
		Version: "1.4.9", Host: "fw2", Now: noon, Started: noon.Add(-26 * time.Hour),
		Mode: config.FTFW, Role: "backup", Since: noon.Add(-25 * time.Hour), Table: 17,
		Internal: &cache.Stats{Active: 15, Total: 16, Created: 115, Updated: 230, Deleted: 100},
		External: &cache.Stats{Active: 11900, Total: 11900, Created: 20000, Deleted: 8100, NoSpace: 2},
		Events:   445, Filtered: 3, Overruns: 1,
		Malformed: 4, Lost: 5, Before: 6,
		Committed: noon.Add(-25 * time.Hour), Took: 1234 * time.Millisecond, New: 99, Failed: 1,
		Waiting: 1, Unacked: 2, Held: 0,
		Links: []Link{{
			Interface: "sy0", Kind: config.UDP, Status: "RUNNING", Active: true, SentBytes: 1 << 40, RecvBytes: 2000,
			SentPackets: 10, RecvPackets: 20, SendErrors: 1, RecvErrors: 2, Forged: 7, Replayed: 8, ErrorQueue: 9,
		}},
		Peers: []Peer{{
			Name: "fw1", Address: "10.99.0.1:41234", Ours: true, Role: "primary", Heard: noon.Add(-200 * time.Millisecond),
			Lag: 12 * time.Millisecond, Unacked: 2, Entries: 11900, Has: 11905, LastBulk: noon.Add(-5 * time.Minute),
			Generation: 3, Lost: 5,
		}},
	}
}

func TestStatusText(t *testing.T) {
	const want = `fw2: backup, ready to take over

conntrackd  1.4.9, mode ftfw, up 1 d 2 h
role        backup for 1 d 1 h
table       17 entries
internal    15 connections (and 1 that ended)
external    11900 connections, no space for 2
to send     1 changes, 2 not acknowledged, 0 ends held back
events      445, 3 filtered, 1 overruns
messages    4 malformed, 5 lost, 6 late
commit      99 entries, 1 failed, in 1.2 s, 1 d 1 h ago

link        sy0 UDP, RUNNING, active, 9 datagrams wait
            sent 1099511627776 bytes, 10 packets, 1 errors
            received 2000 bytes, 20 packets, 2 errors
            refused 7 forged, 8 repeated

peer        fw1 (10.99.0.1:41234): primary, heard 200 ms ago
            lag 12 ms, 2 not acknowledged, 5 messages lost
            11900 entries here of 11905, 5 missing, last bulk 5 min ago
`
	if got := string(AppendStatus(nil, someStatus())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestJudge tells in which situations a node is ready to take over.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(s *Status)
		want    Readiness
		reasons string // part of them
		notes   string
	}{
		{"a pair at work", func(s *Status) {}, Ready, "", ""},
		{"the peer died", func(s *Status) {
			s.Peers[0].Away, s.Peers[0].Heard = true, noon.Add(-time.Minute)
			s.Links[0].Status = "NO-CARRIER"
		}, Ready, "", "fw1 is silent for 1 min"},
		{"a bulk runs", func(s *Status) { s.Ready, s.Reasons = Partly, []string{"a reason"} }, Partly, "a reason", ""},
		{"nothing has come", func(s *Status) { s.Ready, s.Reasons, s.Peers = Nothing, []string{"no peer was heard"}, nil },
			Nothing, "no peer was heard", ""},
		{"the peer has more", func(s *Status) { s.Peers[0].Has = 20000 }, Partly,
			"fw1 has 8100 entries that are not here", ""},
		{"the peer has few more", func(s *Status) { s.Peers[0].Has = 12000 }, Ready, "", ""},
		{"the peer does not say", func(s *Status) { s.Peers[0].Has = -1 }, Ready, "", ""},
		{"a primary alone", func(s *Status) {
			s.Ready, s.Reasons, s.Peers, s.Role = Nothing, []string{"no peer was heard"}, nil, "primary"
		}, Ready, "", "no peer was heard"},
		{"a primary whose backup opens connections", func(s *Status) { s.Role, s.Peers[0].Has = "primary", 99999 }, Ready, "",
			"fw1 has 88099 entries that are not here"},
		{"a primary that has lost events", func(s *Status) { s.Role, s.Resync = "primary", true }, Partly,
			"events of the kernel", ""},
		{"a peer of conntrack-tools", func(s *Status) {
			p := &s.Peers[0]
			p.Ours, p.Name, p.Has, p.LastBulk = false, "", -1, time.Time{}
		}, Ready, "", "10.99.0.1:41234 is conntrack-tools"},
		{"a slow peer", func(s *Status) { s.Peers[0].Lag = 4 * time.Second }, Ready, "", "fw1 is 4.0 s behind"},
		{"ends held back", func(s *Status) { s.Held = 3 }, Ready, "", "3 ends"},
		{"statistics", func(s *Status) { *s = Status{Mode: config.Stats, Table: -1} }, Ready, "", "statistics"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := someStatus()
			c.change(s)
			got, reasons, notes := s.Judge()
			r, n := strings.Join(reasons, "; "), strings.Join(notes, "; ")
			if got != c.want || !strings.Contains(r, c.reasons) || (c.reasons == "") != (r == "") ||
				!strings.Contains(n, c.notes) {
				t.Errorf("%d (%s; %s), want %d (%s; %s)", got, r, n, c.want, c.reasons, c.notes)
			}
			text := string(AppendStatus(nil, s))
			for _, l := range append(reasons, notes...) {
				if !strings.Contains(text, l) {
					t.Errorf("the text does not say %q", l)
				}
			}
		})
	}
}

// TestStatusJSON looks at what programs look at, and at what an empty status leaves out.
func TestStatusJSON(t *testing.T) {
	s := someStatus()
	s.Peers[0].Name = "fw\x1b[31m\"<1>"
	var v map[string]any
	b := AppendStatusJSON(nil, s)
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	p := v["peers"].([]any)[0].(map[string]any)
	if v["status"] != 0.0 || v["ready"] != true || v["uptime"] != 93600.0 || p["lag_ms"] != 12.0 || p["missing"] != 5.0 ||
		p["name"] != `fw\x1b[31m"<1>` || v["external"].(map[string]any)["entries"] != 11900.0 ||
		p["heard"] != "2026-11-27T11:59:59.800000000Z" {
		t.Errorf("%s", b)
	}
	var empty map[string]any
	b = AppendStatusJSON(nil, &Status{Table: -1, Mode: config.NoTrack, Peers: []Peer{{Has: -1}}})
	if err := json.Unmarshal(b, &empty); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	p = empty["peers"].([]any)[0].(map[string]any)
	for _, name := range []string{"table", "internal", "external", "commit", "role_since"} {
		if _, ok := empty[name]; ok {
			t.Errorf("%s is there: %s", name, b)
		}
	}
	for _, name := range []string{"has", "missing", "heard", "last_bulk", "role", "name"} {
		if _, ok := p[name]; ok {
			t.Errorf("%s is there: %s", name, b)
		}
	}
	if empty["reasons"] == nil || empty["links"] == nil {
		t.Errorf("a list is null: %s", b)
	}
}

// statusSchema compiles docs/schema/conntrackd-status.json.
func statusSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	const at = "https://raw.githubusercontent.com/gonntrack/gonntrack/main/docs/schema/"
	for _, name := range []string{"entry.json", "conntrackd-status.json"} {
		b, err := os.ReadFile(filepath.Join("../../../../docs/schema", name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(at+name, doc); err != nil {
			t.Fatal(err)
		}
	}
	return c.MustCompile(at + "conntrackd-status.json")
}

// TestStatusSchema: the schema has every member that is written, and no other.
func TestStatusSchema(t *testing.T) {
	schema := statusSchema(t)
	full := someStatus()
	full.InternalExpect, full.ExternalExpect = &cache.Stats{}, &cache.Stats{}
	old := Peer{Address: "10.99.0.3:1", Has: -1}
	full.Peers = append(full.Peers, old)
	lacking := &Status{Now: noon, Started: noon, Role: "unknown", Mode: config.Stats, Table: -1}
	seen := map[string]bool{}
	for _, s := range []*Status{full, lacking, {Now: noon, Role: "demoted", Ready: Nothing, Reasons: []string{"a"}}} {
		b := AppendStatusJSON(nil, s)
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, b)
		}
		for _, m := range regexp.MustCompile(`"([a-z_]+)":`).FindAllStringSubmatch(string(b), -1) {
			seen[m[1]] = true
		}
	}
	parts := []*jsonschema.Schema{
		schema, schema.Properties["peers"].Items2020.Ref, schema.Properties["links"].Items2020.Ref,
	}
	for _, s := range parts {
		for name := range s.Properties {
			if !seen[name] {
				t.Errorf("no %q was written", name)
			}
		}
	}
	b := AppendStatusJSON(nil, full)
	for _, change := range [][2]string{
		{`"lag_ms": 12`, `"lag": 12`}, {`"role": "primary"`, `"role": "master"`}, {`"ready": true`, `"ready": 1`},
	} {
		bad := bytes.Replace(b, []byte(change[0]), []byte(change[1]), 1)
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(bad))
		if err != nil || bytes.Equal(bad, b) {
			t.Fatal(err, change)
		}
		if schema.Validate(v) == nil {
			t.Errorf("%s is accepted", change[1])
		}
	}
}

var (
	promLabel  = `[a-z_]+="(?:[^"\\\n]|\\["\\n])*"`
	promSample = regexp.MustCompile(`^([a-z_]+)(\{` + promLabel + `(?:,` + promLabel + `)*\})? ([0-9.]+)$`)
	promType   = regexp.MustCompile(`^# TYPE ([a-z_]+) (gauge|counter|info|stateset)$`)
	promHelp   = regexp.MustCompile(`^# HELP ([a-z_]+) [^\n\\]+\.$`)
)

// TestStatusProm reads the text as its specification has it: each family is declared
// once, its samples follow, none is there twice, counters end in _total.
func TestStatusProm(t *testing.T) {
	s := someStatus()
	s.Links = append(s.Links, s.Links[0]) // two links on one interface
	s.Peers = append(s.Peers, Peer{Address: "10.99.0.3:1", Name: "a\"b\\c\nd", Has: -1})
	text := string(AppendStatusProm(nil, s))
	if !strings.HasSuffix(text, "\n# EOF\n") {
		t.Errorf("no end: %q", text[max(len(text)-40, 0):])
	}
	values := map[string]string{}
	families := map[string]bool{}
	var family, kind string
	for line := range strings.Lines(strings.TrimSuffix(text, "# EOF\n")) {
		line = strings.TrimSuffix(line, "\n")
		if m := promHelp.FindStringSubmatch(line); m != nil {
			if families[m[1]] {
				t.Errorf("family %s twice", m[1])
			}
			families[m[1]] = true
			family = m[1]
			continue
		}
		if m := promType.FindStringSubmatch(line); m != nil {
			if kind = m[2]; m[1] != family {
				t.Errorf("type of %s in %s", m[1], family)
			}
			continue
		}
		m := promSample.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("no sample: %s", line)
			continue
		}
		name := family
		switch kind {
		case "counter":
			name += "_total"
		case "info":
			name += "_info"
		}
		if m[1] != name {
			t.Errorf("sample %s in the family %s, a %s", m[1], family, kind)
		}
		if values[m[1]+m[2]] != "" {
			t.Errorf("twice: %s", m[1]+m[2])
		}
		values[m[1]+m[2]] = m[3]
	}
	if strings.Contains(text, `conntrackd_peer_missing_entries{peer="10.99.0.3`) {
		t.Error("a number that is not known is there")
	}
	for name, want := range map[string]string{
		`conntrackd_status`:                                                              "0",
		`conntrackd_role{conntrackd_role="backup"}`:                                      "1",
		`conntrackd_role{conntrackd_role="primary"}`:                                     "0",
		`conntrackd_cache_entries{cache="external",of="connections"}`:                    "11900",
		`conntrackd_link_bytes_total{link="1",device="sy0",kind="UDP",direction="sent"}`: "1099511627776",
		`conntrackd_peer_lag_seconds{peer="10.99.0.1:41234",name="fw1"}`:                 "0.012",
		`conntrackd_peer_missing_entries{peer="10.99.0.1:41234",name="fw1"}`:             "5",
		`conntrackd_peer_away{peer="10.99.0.3:1",name="a\"b\\c\\x0ad"}`:                  "0",
		`conntrackd_start_time_seconds`:                                                  "1795687200",
		`conntrackd_info{version="1.4.9",mode="ftfw",host="fw2"}`:                        "1",
	} {
		if values[name] != want {
			t.Errorf("%s is %q, want %q", name, values[name], want)
		}
	}
}
