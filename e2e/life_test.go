package e2e_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/requirement"
	"closeloop/starter"
)

// TestLifeThroughTheCommandLine walks one requirement from intake to archive
// and checks the fields that scripts rely on.
func TestLifeThroughTheCommandLine(t *testing.T) {
	t.Parallel()
	o := shared
	created := o.run(t, "submit", "--title", "扫码失败", "--customer", "Acme", "--contact", "li@acme.example",
		"--tier", "P1", "--channel", "phone", "--type", "fault", "--priority", "high", "--urgency", "urgent", "--ref", "crm:"+t.Name()+stamp())
	id := created["id"].(string)
	require.Regexp(t, `^REQ-[0-9A-Z]{8}$`, id)
	require.Equal(t, true, created["created"])
	require.Equal(t, "received", created["stage"])

	accepted := func(act, stage string, args ...string) {
		t.Helper()
		v := o.run(t, append([]string{act, id}, args...)...)
		require.Equal(t, map[string]any{"id": id, "act": act, "accepted": true, "stage": stage, "seq": v["seq"]}, v)
	}
	accepted("respond", "received", "--method", "phone", "--message", "收到，正在查")
	accepted("amend", "received", "--description", "只在安卓上")
	accepted("triage", "reviewing", "--need-approval")
	round := o.until(t, id, "asking", func(v map[string]any) bool {
		a, ok := v["approval"].(map[string]any)
		return ok && a["state"] == "open"
	})["approval"].(map[string]any)
	for _, v := range round["votes"].([]any) {
		vote := v.(map[string]any)
		if o.show(t, id)["stage"] == "reviewing" {
			o.run(t, "approve", id, "--as", vote["person"].(string))
		}
	}
	accepted("assign", "assigned", "--to", "mei", "--department", "technology")
	accepted("accept", "executing", "--as", "mei")
	accepted("plan", "executing", "--as", "mei", "--step", "查日志;mei;1h", "--step", "修复;mei;2h")
	accepted("progress", "executing", "--as", "mei", "--message", "找到原因")
	accepted("hold", "executing", "--as", "mei", "--reason", "等客户的日志")
	require.Equal(t, true, o.show(t, id)["on_hold"])
	accepted("resume", "executing", "--message", "附上了")
	accepted("reprioritise", "executing", "--priority", "medium", "--reason", "有办法绕过")
	accepted("comment", "executing", "-m", "内部备注")
	accepted("resolve", "confirming", "--as", "mei", "--solution", "升级了扫码库", "--root-cause", "旧版本不支持")
	accepted("dispute", "executing", "--as", "customer", "--reason", "还是不行")
	accepted("resolve", "confirming", "--as", "mei", "--solution", "又修了一次")
	accepted("confirm", "archived", "--as", "customer", "--rating", "4", "--comment", "可以了")

	v := o.show(t, id)
	for _, field := range strings.Fields(`id title description customer contact tier channel type priority urgency stage
		status department owner tracker version cycle reopened first_time_resolved rating created_at updated_at closed_at
		can clocks approval escalations duplicates merged_into on_hold`) {
		require.Contains(t, v, field)
	}
	require.Equal(t, "done", v["status"])
	require.EqualValues(t, 2, v["cycle"])
	require.EqualValues(t, 1, v["reopened"])
	require.EqualValues(t, 2, v["version"])
	require.EqualValues(t, 4, v["rating"])
	require.Equal(t, false, v["first_time_resolved"])
	require.Empty(t, v["can"])
	for _, c := range v["clocks"].([]any) {
		clock := c.(map[string]any)
		for _, field := range strings.Fields("name cycle state target_seconds calendar started_at deadline stopped_at breached_at detected_at elapsed_seconds pauses marks") {
			require.Contains(t, clock, field)
		}
		require.NotEqual(t, "running", clock["state"])
		_, err := time.Parse(time.RFC3339Nano, clock["started_at"].(string))
		require.NoError(t, err)
	}
	for i, e := range o.history(t, id) {
		require.EqualValues(t, i+1, e["seq"])
		for _, field := range []string{"at", "kind", "actor", "data"} {
			require.Contains(t, e, field)
		}
	}
	settled(t, id)
	refused := o.try(t, "comment", id, "-m", "too late", "-o", "json")
	require.Equal(t, 4, refused.status, refused.stderr)
}

// stamp makes names of this run's own.
func stamp() string { return time.Now().UTC().Format("20060102150405.000000000") }

func TestSameReferenceStartsOneRequirement(t *testing.T) {
	t.Parallel()
	ref := "crm:once-" + stamp()
	first := shared.run(t, "submit", "--title", "a", "--customer", "c", "--ref", ref)
	again := shared.run(t, "submit", "--title", "b", "--customer", "c", "--ref", ref)
	require.Equal(t, true, first["created"])
	require.Equal(t, false, again["created"])
	require.Equal(t, first["id"], again["id"])

	id := first["id"].(string)
	shared.run(t, "withdraw", id, "--reason", "double")
	settled(t, id)
	after := shared.run(t, "submit", "--title", "c", "--customer", "c", "--ref", ref)
	require.Equal(t, id, after["id"])
	require.Equal(t, false, after["created"])
	require.Equal(t, "withdrawn", after["stage"])
}

func TestSameActIDActsOnce(t *testing.T) {
	t.Parallel()
	id := shared.submit(t)
	first := shared.run(t, "comment", id, "-m", "once", "--act-id", "same")
	again := shared.run(t, "comment", id, "-m", "once", "--act-id", "same")
	require.Equal(t, first, again)
	n := 0
	for _, k := range shared.kinds(t, id) {
		if k == "commented" {
			n++
		}
	}
	require.Equal(t, 1, n)
}

func TestExitStatuses(t *testing.T) {
	t.Parallel()
	id := shared.submit(t)
	away := &office{queue: shared.queue, policy: shared.policy, env: []string{"TEMPORAL_ADDRESS=127.0.0.1:1", "CLOSELOOP_DATABASE_URL=postgres://127.0.0.1:1/none"}}
	for _, c := range []struct {
		name   string
		office *office
		args   []string
		status int
		code   string
	}{
		{"done", shared, []string{"show", id}, 0, ""},
		{"unknown command", shared, []string{"frobnicate"}, 2, ""},
		{"missing flag", shared, []string{"respond", id}, 2, ""},
		{"bad value", shared, []string{"submit", "--title", "t", "--customer", "c", "--priority", "huge"}, 2, ""},
		{"not found", shared, []string{"show", "REQ-00000000"}, 3, "not_found"},
		{"not found to act on", shared, []string{"withdraw", "REQ-00000000", "--reason", "r"}, 3, "not_found"},
		{"wrong stage", shared, []string{"confirm", id}, 4, "wrong_stage"},
		{"wrong role", shared, []string{"triage", id, "--as", "customer"}, 4, "not_your_role"},
		{"Temporal away", away, []string{"withdraw", id, "--reason", "r"}, 5, "unreachable"},
		{"database away", away, []string{"show", id}, 5, "unreachable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := c.office.try(t, append(c.args, "-o", "json")...)
			require.Equal(t, c.status, a.status, a.stderr)
			if c.status == 0 {
				return
			}
			require.Empty(t, a.stdout)
			var body struct {
				Error struct{ Code, Message, Hint string }
			}
			require.NoError(t, json.Unmarshal([]byte(a.stderr), &body), a.stderr)
			require.NotEmpty(t, body.Error.Message)
			if c.code != "" {
				require.Contains(t, body.Error.Code, c.code)
			}
		})
	}
}

func TestMergeTellsTheSurvivor(t *testing.T) {
	t.Parallel()
	survivor, duplicate := shared.submit(t), shared.submit(t)
	v := shared.run(t, "merge", duplicate, "--into", survivor)
	require.Equal(t, "merged", v["stage"])
	settled(t, duplicate)
	require.Equal(t, survivor, shared.show(t, duplicate)["merged_into"])
	shared.until(t, survivor, "the survivor", func(v map[string]any) bool {
		d := v["duplicates"].([]any)
		return len(d) == 1 && d[0] == duplicate
	})
	require.Equal(t, 4, shared.try(t, "merge", survivor, "--into", survivor).status)
	require.Equal(t, 4, shared.try(t, "merge", survivor, "--into", duplicate).status, "a circle")
	record(t, "merged", historyOf(t, duplicate))
	shared.run(t, "withdraw", survivor, "--reason", "end of the test")
	settled(t, survivor)
	record(t, "survivor", historyOf(t, survivor))
}

// TestMergedIntoEachOther: both are told to merge into the other at the same
// moment; one of them survives and has the other.
func TestMergedIntoEachOther(t *testing.T) {
	t.Parallel()
	desk := starter.New(temporal, shared.queue, patience)
	for range 5 {
		ids := []string{shared.submit(t), shared.submit(t)}
		var group sync.WaitGroup
		for i, id := range ids {
			group.Go(func() {
				// One of the two may be refused at once, when the other is gone already.
				_, _ = desk.Do(context.Background(), id, requirement.Merge{Into: ids[1-i]})
			})
		}
		group.Wait()
		eventually(t, func() bool {
			a, b := shared.show(t, ids[0]), shared.show(t, ids[1])
			for _, pair := range [][2]map[string]any{{a, b}, {b, a}} {
				gone, left := pair[0], pair[1]
				if gone["closed_at"] != nil && gone["merged_into"] == left["id"] && left["closed_at"] == nil && left["stage"] != "merged" {
					return contains([]string{gone["id"].(string)}, left["duplicates"].([]any)[0].(string))
				}
			}
			return false
		}, "one of %v survives", ids)
	}
}

func TestRejectionIsAppealedOnce(t *testing.T) {
	t.Parallel()
	o := calm(t)
	id := o.submit(t, "--as", "wang.fang")
	o.run(t, "triage", id, "--as", "wang.fang", "--need-approval")
	o.run(t, "decline", id, "--as", "zhao.lei", "--reason", "太贵")
	require.Equal(t, "rejected", o.show(t, id)["status"])
	o.run(t, "appeal", id, "--as", "customer", "--reason", "请再看一次")
	o.until(t, id, "asked again", func(v map[string]any) bool {
		a := v["approval"].(map[string]any)
		return a["round"] == 2.0 && a["state"] == "open"
	})
	o.run(t, "decline", id, "--as", "liu.yang", "--reason", "不行")
	settled(t, id)
	require.Equal(t, "rejected", o.show(t, id)["stage"])
	require.Equal(t, 4, o.try(t, "appeal", id, "--as", "customer", "--reason", "第三次").status)
	record(t, "appealed", historyOf(t, id))
}
