package e2e_test

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/contract"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/starter"
)

// incidentLog is a real help desk's log of two months, one row a change.
const incidentLog = "../../shared/data/uci-incidents/incidents-2016-03-04.csv.zip"

// aQuietDay has few incidents; CLOSELOOP_INCIDENT_DAY picks another.
const aQuietDay = "6/3/2016"

// TestRealIncidents imports the incidents that were opened in one day and works
// each through what really happened to it, to the end.
func TestRealIncidents(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(incidentLog); err != nil {
		t.Skip("the incident log is not on this machine")
	}
	day := aQuietDay
	if d := os.Getenv("CLOSELOOP_INCIDENT_DAY"); d != "" {
		day = d
	}
	dir := t.TempDir()
	file, lives := openedOn(t, dir, day)
	rules := filepath.Join(dir, "policy.yaml")
	text := strings.Replace(string(policy.DefaultYAML()), "unknown_people: refuse", "unknown_people: agent", 1)
	require.NoError(t, os.WriteFile(rules, []byte(text), 0o600))
	o := newOffice(t, func(o *office) { o.policy = rules })

	imported := func() map[string]any {
		t.Helper()
		return o.run(t, "import", file, "--map", repoFile("examples", "mapping-servicenow.yaml"), "--where", "opened_at="+day+" *")
	}
	begin := time.Now()
	report := imported()
	importTime := time.Since(begin)
	require.EqualValues(t, len(lives), report["created"], "the stack has seen these incidents before: make test brings a new one")
	require.EqualValues(t, 0, report["rejected"])
	again := imported()
	require.EqualValues(t, 0, again["created"], "a second import starts nothing")
	require.EqualValues(t, len(lives), again["existing"])

	var acts atomic.Int64
	desk := starter.New(temporal, o.queue, patience)
	var group sync.WaitGroup
	slots := make(chan struct{}, 16)
	begin = time.Now()
	for number, changes := range lives {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			relive(t, desk, contract.RequirementID("ref:servicenow:"+number, 0), changes, &acts)
		})
	}
	group.Wait()
	worked := time.Since(begin)
	for number := range lives {
		id := contract.RequirementID("ref:servicenow:"+number, 0)
		settled(t, id)
		r, err := books(t).Get(context.Background(), id)
		require.NoError(t, err)
		require.Equal(t, requirement.Archived, r.Stage, "%s %s", number, id)
		o.sameAsHistory(t, id)
	}
	t.Logf("%s: %d incidents imported in %s, worked to the end by %d acts in %s (%.0f acts/s)",
		day, len(lives), importTime.Round(time.Millisecond), acts.Load(), worked.Round(time.Millisecond), float64(acts.Load())/worked.Seconds())
}

// change is a row of the log.
type change struct{ state, group, person string }

// openedOn unpacks the log and returns it with what happened to the incidents
// that were opened on that day.
func openedOn(t *testing.T, dir, day string) (string, map[string][]change) {
	t.Helper()
	packed, err := zip.OpenReader(incidentLog)
	require.NoError(t, err)
	defer func() { require.NoError(t, packed.Close()) }()
	in, err := packed.File[0].Open()
	require.NoError(t, err)
	path := filepath.Join(dir, "incidents.csv")
	out, err := os.Create(path)
	require.NoError(t, err)
	rows := csv.NewReader(io.TeeReader(in, out))
	head, err := rows.Read()
	require.NoError(t, err)
	column := map[string]int{}
	for i, name := range head {
		column[name] = i
	}
	lives := map[string][]change{}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		if strings.HasPrefix(row[column["opened_at"]], day+" ") {
			number := row[column["number"]]
			lives[number] = append(lives[number], change{
				row[column["ident_state"]], row[column["assignment_group"]], row[column["assigned_to"]],
			})
		}
	}
	require.NoError(t, out.Close())
	require.NotEmpty(t, lives)
	return path, lives
}

// relive does to a requirement what was done to the incident. What the log
// leaves out at the end is added, so that everything ends.
func relive(t *testing.T, desk *starter.Client, id string, changes []change, acts *atomic.Int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	do := func(act requirement.Act) {
		if _, err := desk.Do(ctx, id, act); err != nil {
			t.Errorf("%s %s: %v", id, act.Name(), err)
			return
		}
		acts.Add(1)
	}
	do(requirement.Triage{})
	reviewed(ctx, t, desk, id, do)
	owner, held, resolved := "", false, false
	hand := func(c change) {
		if c.person == "?" || "agent-"+c.person == owner {
			return
		}
		owner = "agent-" + c.person
		do(requirement.Assign{To: owner, Department: "technology"})
		do(requirement.Respond{Header: by(owner), Method: "message", Message: "group " + c.group + " is on it"})
	}
	for _, c := range append(changes, change{"Resolved", "", "?"}, change{"Closed", "", "?"}) {
		switch {
		case c.state == "Closed" && resolved:
			do(requirement.Confirm{Header: by(requirement.CustomerActor)})
			return
		case c.state == "Resolved" && !resolved:
			if owner == "" {
				hand(change{"", "", "desk"})
			}
			do(requirement.Resolve{Header: by(owner), Solution: "as in the log"})
			held, resolved = false, true
		case strings.HasPrefix(c.state, "Awaiting") && !resolved && !held:
			do(requirement.PutOnHold{Reason: c.state})
			held = true
		case (c.state == "Active" || c.state == "New") && resolved:
			do(requirement.Dispute{Header: by(requirement.CustomerActor), Reason: "reopened in the log"})
			resolved = false
		case (c.state == "Active" || c.state == "New") && held:
			do(requirement.Resume{})
			held = false
		}
		if !resolved {
			hand(c)
		}
	}
}

// reviewed gives the approvals that the policy asks for.
func reviewed(ctx context.Context, t *testing.T, desk *starter.Client, id string, do func(requirement.Act)) {
	v, err := desk.View(ctx, id)
	if err != nil {
		t.Errorf("%s: %v", id, err)
	}
	for v.Stage == requirement.Reviewing && ctx.Err() == nil {
		do(requirement.Approve{Header: by(v.WaitingFor.Who[0])})
		if v, err = desk.View(ctx, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func by(who string) requirement.Header { return requirement.Header{Actor: who} }
