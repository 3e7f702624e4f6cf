package show

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/internal/printable"
)

// AppendStatusJSON appends the status as a JSON object and a newline. Times are those
// of RFC 3339; members that are not known are left out. docs/schema has its schema. Later
// versions may add members.
func AppendStatusJSON(dst []byte, s *Status) []byte {
	ready, reasons, notes := s.Judge()
	j := jsonStatus{
		Host: printable.String(s.Host), Version: s.Version, Time: stamp(s.Now),
		Uptime: int64(s.Now.Sub(s.Started) / time.Second), Mode: modeName(s.Mode),
		Role: s.Role, RoleSince: stamp(s.Since),
		Status: int(ready), Ready: ready == Ready, Reasons: notNil(reasons), Notes: notNil(notes),
		Internal: jsonCacheOf(s.Internal), External: jsonCacheOf(s.External),
		InternalExpect: jsonCacheOf(s.InternalExpect), ExternalExpect: jsonCacheOf(s.ExternalExpect),
		Waiting: s.Waiting, Unacked: s.Unacked, Held: s.Held, Bulk: s.Bulk,
		Events:   jsonEvents{s.Events, s.Filtered, s.Overruns, s.Resync},
		Messages: jsonMessages{s.Malformed, s.Lost, s.Before},
		Links:    make([]jsonLink, len(s.Links)), Peers: make([]jsonPeer, len(s.Peers)),
	}
	if s.Table >= 0 {
		j.Table = &s.Table
	}
	if !s.Committed.IsZero() {
		j.Commit = &jsonCommit{stamp(s.Committed), s.Took.Milliseconds(), s.New, s.Failed}
	}
	for i := range s.Links {
		j.Links[i] = jsonLinkOf(&s.Links[i])
	}
	for i := range s.Peers {
		j.Peers[i] = jsonPeerOf(&s.Peers[i])
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if e.Encode(&j) != nil { // no value of it can fail
		return dst
	}
	return append(dst, b.Bytes()...)
}

type jsonStatus struct {
	Host           string       `json:"host"`
	Version        string       `json:"version"`
	Time           string       `json:"time"`
	Uptime         int64        `json:"uptime"` // seconds
	Mode           string       `json:"mode"`
	Role           string       `json:"role"`
	RoleSince      string       `json:"role_since,omitempty"`
	Status         int          `json:"status"`
	Ready          bool         `json:"ready"`
	Reasons        []string     `json:"reasons"`
	Notes          []string     `json:"notes"`
	Table          *int         `json:"table,omitempty"`
	Internal       *jsonCache   `json:"internal,omitempty"`
	External       *jsonCache   `json:"external,omitempty"`
	InternalExpect *jsonCache   `json:"internal_expect,omitempty"`
	ExternalExpect *jsonCache   `json:"external_expect,omitempty"`
	Waiting        int          `json:"waiting"`
	Unacked        int          `json:"unacked"`
	Held           int          `json:"held"`
	Bulk           bool         `json:"bulk"`
	Events         jsonEvents   `json:"events"`
	Messages       jsonMessages `json:"messages"`
	Commit         *jsonCommit  `json:"commit,omitempty"`
	Links          []jsonLink   `json:"links"`
	Peers          []jsonPeer   `json:"peers"`
}

type jsonCache struct {
	Entries uint64 `json:"entries"`
	Ended   uint64 `json:"ended"` // and not yet told to all peers
	Created uint64 `json:"created"`
	Updated uint64 `json:"updated"`
	Deleted uint64 `json:"deleted"`
	NoSpace uint64 `json:"no_space"`
}

type jsonEvents struct {
	Received uint64 `json:"received"`
	Filtered uint64 `json:"filtered"`
	Overruns uint64 `json:"overruns"`
	Resync   bool   `json:"resync"` // due
}

type jsonMessages struct {
	Malformed uint64 `json:"malformed"`
	Lost      uint64 `json:"lost"`
	Late      uint64 `json:"late"`
}

type jsonCommit struct {
	Time   string `json:"time"`
	MS     int64  `json:"ms"`
	New    int    `json:"new"`
	Failed int    `json:"failed"`
}

type jsonLink struct {
	Interface string      `json:"interface"`
	Kind      string      `json:"kind"`
	Status    string      `json:"status"`
	Active    bool        `json:"active"`
	Sent      jsonTraffic `json:"sent"`
	Received  jsonTraffic `json:"received"`
	Forged    uint64      `json:"forged"`
	Replayed  uint64      `json:"replayed"`
	Waiting   int         `json:"waiting"` // datagrams
}

type jsonTraffic struct {
	Bytes   uint64 `json:"bytes"`
	Packets uint64 `json:"packets"`
	Errors  uint64 `json:"errors"`
}

type jsonPeer struct {
	Name       string `json:"name,omitempty"`
	Address    string `json:"address"`
	Ours       bool   `json:"ours"`
	Role       string `json:"role,omitempty"`
	Heard      string `json:"heard,omitempty"`
	Away       bool   `json:"away"`
	LagMS      int64  `json:"lag_ms"`
	Unacked    int    `json:"unacked"`
	Entries    int    `json:"entries"`
	Has        *int   `json:"has,omitempty"`
	Missing    *int   `json:"missing,omitempty"`
	LastBulk   string `json:"last_bulk,omitempty"`
	Generation uint16 `json:"generation"`
	Lost       uint64 `json:"lost"`
}

// stamp returns a time, "" for one that is not known.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func jsonCacheOf(s *cache.Stats) *jsonCache {
	if s == nil {
		return nil
	}
	return &jsonCache{s.Active, s.Total - s.Active, s.Created, s.Updated, s.Deleted, s.NoSpace}
}

func jsonLinkOf(l *Link) jsonLink {
	return jsonLink{
		Interface: printable.String(l.Interface), Kind: kindName(l.Kind), Status: l.Status, Active: l.Active,
		Sent:     jsonTraffic{l.SentBytes, l.SentPackets, l.SendErrors},
		Received: jsonTraffic{l.RecvBytes, l.RecvPackets, l.RecvErrors},
		Forged:   l.Forged, Replayed: l.Replayed, Waiting: l.ErrorQueue,
	}
}

func jsonPeerOf(p *Peer) jsonPeer {
	j := jsonPeer{
		Name: printable.String(p.Name), Address: printable.String(p.Address), Ours: p.Ours,
		Heard: stamp(p.Heard), Away: p.Away, LagMS: p.Lag.Milliseconds(), Unacked: p.Unacked,
		Entries: p.Entries, LastBulk: stamp(p.LastBulk),
		Generation: p.Generation, Lost: p.Lost,
	}
	if p.Ours {
		j.Role = p.Role
	}
	if p.Has >= 0 {
		missing := p.Missing()
		j.Has, j.Missing = &p.Has, &missing
	}
	return j
}
