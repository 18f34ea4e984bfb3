package sheets_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/locale"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sheets"
	"closeloop/sla"
	"closeloop/whatif"
)

// monday is when the stories begin: a quarter past nine in Shanghai.
var (
	monday   = time.Date(2026, 11, 23, 1, 15, 0, 0, time.UTC)
	shanghai = time.FixedZone("UTC+8", 8*3600)
)

// life is a requirement that lives without anything around it, and the facts of it.
type life struct {
	t      testing.TB
	r      *requirement.Requirement
	now    time.Time
	events []requirement.Event
}

func begin(t testing.TB, id string, s requirement.Submission) *life {
	t.Helper()
	r, err := requirement.New(id, s, policy.Default().Process, monday)
	require.NoError(t, err)
	return (&life{t: t, r: r, now: monday}).keep()
}

func (l *life) keep() *life {
	if l.r.Pending() {
		l.events = append(l.events, l.r.Take().Events...)
	}
	return l
}

// does lets somebody act after a while; what fell due meanwhile happens before.
func (l *life) does(after time.Duration, act requirement.Act) *life {
	l.t.Helper()
	l.now = l.now.Add(after)
	l.r.Tick(l.now)
	_, err := l.r.Do(l.now, act)
	require.NoError(l.t, err)
	return l.keep()
}

// told is the requirement as a table of that kind is given it.
func (l *life) told(t sheets.Template) sheets.Requirement {
	kinds := map[requirement.Kind]bool{}
	for _, k := range t.Kinds() {
		kinds[k] = true
	}
	x := sheets.Requirement{}
	// As the ledger has it: as JSON.
	state, err := json.Marshal(l.r.State)
	require.NoError(l.t, err)
	require.NoError(l.t, json.Unmarshal(state, &x.State))
	for _, e := range l.events {
		if t.Kinds() == nil || kinds[e.Kind] {
			x.Events = append(x.Events, e)
		}
	}
	for _, c := range l.r.View(l.now).Clocks {
		x.Clocks = append(x.Clocks, whatif.Ran{
			Clock: c.Name, Cycle: c.Cycle, State: c.State, Deadline: c.Deadline, StoppedAt: c.StoppedAt, BreachedAt: c.BreachedAt,
		})
	}
	return x
}

func as(person string) requirement.Header { return requirement.Header{Actor: person} }

// stories are requirements in several stages, with all that tables tell of.
func stories(t testing.TB) []*life {
	t.Helper()
	attributes := func(typ, priority, urgency, tier, channel string) policy.Attributes {
		return policy.Attributes{Type: typ, Priority: priority, Urgency: urgency, Tier: tier, Channel: channel}
	}
	closed := begin(t, "REQ-7K2M9QXA", requirement.Submission{
		Title: "导出月度报表超时", Customer: "云栖科技", Contact: "wang.lin@yunqi.example", Background: "云计算，财务部门，两千人",
		Description: "数据超过十万行时，导出一分钟后报超时；月底对账要用。", Scenario: "每月最后一天对账", Outcome: "十万行在十秒内导出", Pain: "只能分批导出再手工拼接",
		Attributes: attributes("fault", "medium", "important", "P1", "phone"), Ref: "crm:2026-1101",
		Attachments: []string{"https://files.example/report.png", "https://files.example/log.txt"}, Language: "zh-CN", SubmittedBy: "li.na",
	}).
		does(10*time.Minute, requirement.Triage{Header: as("li.na"), Type: "fault", Urgency: "urgent"}).
		does(time.Minute, requirement.Assign{Header: as("li.na"), To: "wu.lei", Department: "technology"}).
		does(time.Minute, requirement.Amend{Header: as("li.na"), Title: "导出月度报表超时（十万行以上）", Description: "十万行以上必现，五万行以下正常。"}).
		does(5*time.Minute, requirement.Reprioritise{Header: as("li.na"), Priority: "high", Reason: "影响月底对账"}).
		does(30*time.Minute, requirement.Respond{Header: as("wu.lei"), Method: "phone", Message: "已能重现，今天给出方案"}).
		does(5*time.Hour, requirement.Resolve{Header: as("wu.lei"), Solution: "加了索引", RootCause: "全表扫描"}).
		does(time.Hour, requirement.Dispute{Header: requirement.Header{Actor: "customer", Via: "link"}, Reason: "二十万行仍然超时"}).
		does(4*time.Hour, requirement.Resolve{Header: as("wu.lei"), Solution: "改为后台生成，完成后发邮件；二十万行 4 秒", RootCause: "同步生成时整表读入内存"}).
		does(2*time.Hour, requirement.Confirm{Header: requirement.Header{Actor: "customer", Via: "link"}, Rating: 5, Comment: "很快，谢谢！"})
	review := begin(t, "REQ-GADW0TCZ", requirement.Submission{
		Title: "Discount for 500 seats", Customer: "Adventure Works", Contact: "purchasing@adventure.example",
		Description: "Second-year renewal; a competitor offers 18 % less.", Attributes: attributes("price", "high", "general", "P2", "sales"),
		Ref: "zendesk:48233", Language: "en", SubmittedBy: "li.na",
	}).does(20*time.Minute, requirement.Triage{Header: as("li.na")})
	review.r.Approval.OpenedAt = review.now
	review.r.Approval.State = requirement.RoundOpen
	at := review.now
	review.r.Approval.Votes = []requirement.Vote{
		{Seat: "role:customer_service", Person: "zhang.wei", Answer: requirement.AnswerApprove, At: &at, Comment: "in line with the list"},
		{Seat: "role:product", Person: "gao.yuan", Answer: requirement.AnswerPending},
	}
	hostile := begin(t, "REQ-KQ9S8D8B", requirement.Submission{
		Title: `=cmd|' /C calc'!A0`, Customer: "+86 社", Description: "@SUM(1+1)\n-2\n\t=3", Background: "-1",
		Attributes: attributes("wish", "low", "general", "P3", "email"), Language: "en", SubmittedBy: "system",
	})
	return []*life{closed, review, hostile}
}

// options are those of a reader in Shanghai.
func options(lang string) sheets.Options {
	text, rules := locale.For(lang), policy.Default()
	return sheets.Options{
		Text: text, Zone: shanghai, Now: monday.Add(48 * time.Hour), Types: rules.Types, Channels: rules.Process.Channels,
		Person: func(id string) string {
			for _, p := range rules.People {
				if p.ID == id && lang == locale.Chinese {
					return p.Name + " (" + id + ")"
				} else if p.ID == id {
					return p.NameEN + " (" + id + ")"
				}
			}
			return id
		},
		Department:  func(id string) string { return id },
		Particulars: func(e requirement.Event) string { return fmt.Sprintf("%.60s", e.Data) },
	}
}

// The clocks of a life are in the tables; the story has to have some.
func TestTheStoryHasClocks(t *testing.T) {
	t.Parallel()
	names := map[sla.Name]bool{}
	for _, c := range stories(t)[0].told(sheets.Feedback).Clocks {
		names[c.Clock] = true
	}
	require.True(t, names[sla.Response] && names[sla.Resolution])
}
