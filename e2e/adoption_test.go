package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/contract"
)

// policyFile is a copy of the fast policy that a test may change.
type policyFile struct {
	t    *testing.T
	path string
	text string
}

func newPolicyFile(t *testing.T) *policyFile {
	t.Helper()
	text, err := os.ReadFile(repoFile("examples", "policy-fast.yaml"))
	require.NoError(t, err)
	f := &policyFile{t: t, path: filepath.Join(t.TempDir(), "policy.yaml"), text: string(text)}
	f.save()
	return f
}

// save puts the text in the place of the file at once, as editors do.
func (f *policyFile) save() {
	f.t.Helper()
	require.NoError(f.t, os.WriteFile(f.path+".new", []byte(f.text), 0o600))
	require.NoError(f.t, os.Rename(f.path+".new", f.path))
}

func (f *policyFile) replace(old, with string) {
	f.t.Helper()
	require.Contains(f.t, f.text, old)
	f.text = strings.Replace(f.text, old, with, 1)
}

// TestPolicyApply puts two requirements under other rules: one whose response is
// overdue gets time again, one that was on hold keeps its pause on another
// calendar.
func TestPolicyApply(t *testing.T) {
	t.Parallel()
	before, after := newPolicyFile(t), newPolicyFile(t)
	after.replace("\nclocks:\n", "\ncalendars:\n  - name: harbour\n    timezone: Asia/Shanghai\n    hours: "+
		`{mon: [["00:00", "24:00"]], tue: [["00:00", "24:00"]], wed: [["00:00", "24:00"]], thu: [["00:00", "24:00"]], `+
		`fri: [["00:00", "24:00"]], sat: [["00:00", "24:00"]], sun: [["00:00", "24:00"]]}`+"\n\nclocks:\n")
	after.replace("target: 2s # [E1, M2]", "target: 20s")
	after.replace("calendar: 24x7\n    target: 24s # [E6, M2]", "calendar: harbour\n    target: 40m")
	after.save()
	o := newOffice(t, func(o *office) { o.policy = before.path })

	held := o.submit(t)
	o.run(t, "respond", held, "--method", "phone", "--message", "收到")
	o.run(t, "hold", held, "--reason", "等客户的日志")
	o.run(t, "resume", held, "--message", "附上了")
	late := o.submit(t)
	o.until(t, late, "escalated", func(v map[string]any) bool {
		e := v["escalations"].([]any)
		return len(e) > 0 && e[0].(map[string]any)["state"] == "climbing"
	})

	asked := o.try(t, "policy", "apply", after.path, "--id", held, "--id", late)
	require.Equal(t, 2, asked.status, "nobody is there to be asked")
	preview := o.run(t, "policy", "apply", after.path, "--id", held, "--id", late, "--dry-run")
	require.EqualValues(t, 2, preview["changed"])
	require.EqualValues(t, 1, preview["clocks_relieved"])
	require.EqualValues(t, 1, preview["escalations_ending"])
	require.Zero(t, preview["applied"])
	foreseen := map[string]any{}
	for _, r := range preview["requirements"].([]any) {
		for _, c := range r.(map[string]any)["clocks"].([]any) {
			change := c.(map[string]any)
			foreseen[r.(map[string]any)["id"].(string)+" "+change["clock"].(string)] = change["after"].(map[string]any)["deadline"]
		}
	}

	refused := o.try(t, "policy", "apply", after.path, "--id", held, "--yes", "--as", "wu.lei")
	require.Equal(t, 4, refused.status, "an agent may not")
	applied := o.run(t, "policy", "apply", after.path, "--id", held, "--id", late, "--yes", "--as", "li.na")
	require.EqualValues(t, 2, applied["applied"])
	require.Empty(t, applied["failed"])

	v := o.show(t, late)
	response := clockOf(v, "response")
	require.Equal(t, "breached", response["state"], "the breach stays")
	started := instant(t, response["started_at"])
	require.Equal(t, started.Add(2*time.Second), instant(t, response["breached_at"]))
	require.Equal(t, started.Add(20*time.Second), instant(t, response["deadline"]))
	require.Equal(t, foreseen[late+" response"], response["deadline"], "as it was foreseen")
	require.Equal(t, "ended", v["escalations"].([]any)[0].(map[string]any)["state"])
	settled(t, contract.EscalationID(late, "response-1"))

	resolution := clockOf(o.show(t, held), "resolution")
	require.Equal(t, "harbour", resolution["calendar"])
	pauses := resolution["pauses"].([]any)
	require.Len(t, pauses, 1, "the pause is kept")
	pause := pauses[0].(map[string]any)
	waited := instant(t, pause["to"]).Sub(instant(t, pause["from"]))
	require.Equal(t, instant(t, resolution["started_at"]).Add(40*time.Minute+waited), instant(t, resolution["deadline"]))

	again := o.run(t, "policy", "apply", after.path, "--id", held, "--id", late, "--yes", "--as", "li.na")
	require.EqualValues(t, 2, again["already"])
	require.Zero(t, again["applied"])
	adopted := o.about(t, late, "policy_adopted", "")
	require.Len(t, adopted, 1)
	require.Equal(t, "li.na", adopted[0]["actor"])

	second := func(v map[string]any) (found map[string]any) {
		for _, e := range v["escalations"].([]any) {
			if e.(map[string]any)["id"] == "response-1-2" {
				found = e.(map[string]any)
			}
		}
		return found
	}
	called := second(o.until(t, late, "escalated again", func(v map[string]any) bool {
		e := second(v)
		return e != nil && len(asList(e["called"])) > 0
	}))["called"].([]any)
	o.run(t, "ack", late, "--escalation", "response-1-2", "--as", called[0].(string))
	o.until(t, late, "acknowledged", func(v map[string]any) bool { return second(v)["state"] == "acknowledged" })
	require.Len(t, o.about(t, late, "clock_breached", "response"), 1, "there is one breach of the response")
	require.Len(t, o.about(t, late, "escalation_started", "response"), 2)

	for _, id := range []string{held, late} {
		o.run(t, "withdraw", id, "--reason", "end of the test")
		settled(t, id)
	}
	record(t, "other-rules", historyOf(t, late))
	record(t, "escalation-again", historyOf(t, contract.EscalationID(late, "response-1-2")))
}

// about returns the events of a kind; with a clock, those about it.
func (o *office) about(t *testing.T, id, kind, clock string) []map[string]any {
	t.Helper()
	var found []map[string]any
	for _, e := range o.history(t, id) {
		data, _ := e["data"].(map[string]any)
		if e["kind"] == kind && (clock == "" || data["clock"] == clock) {
			found = append(found, e)
		}
	}
	return found
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// TestPolicyFileIsTakenUp changes the file of a running worker, first into one
// that is none.
func TestPolicyFileIsTakenUp(t *testing.T) {
	t.Parallel()
	file := newPolicyFile(t)
	o := newOffice(t, func(o *office) { o.policy = file.path })
	target := func() string {
		id := o.submit(t)
		defer o.run(t, "withdraw", id, "--reason", "end of the test")
		return clockOf(o.show(t, id), "resolution")["target"].(string)
	}
	require.Equal(t, "24s", target())
	sound := file.text
	file.text = "clocks: nonsense\n"
	file.save()
	commands := &office{queue: o.queue, policy: repoFile("examples", "policy-fast.yaml")}
	id := commands.submit(t)
	require.Equal(t, "24s", clockOf(commands.show(t, id), "resolution")["target"], "the last good one stays in force")
	require.Contains(t, o.log.String(), "cannot be used")
	commands.run(t, "withdraw", id, "--reason", "end of the test")

	file.text = sound
	file.replace("target: 24s # [E6, M2]", "target: 48s")
	file.save()
	require.Equal(t, "48s", target())
}
