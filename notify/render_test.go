package notify_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"closeloop/locale"
	"closeloop/notify"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

var shanghai = time.FixedZone("CST", 8*3600)

// moment is an event with the requirement as it stood right after it.
type moment struct {
	requirement.Event
	r *requirement.Requirement
}

// rules are the default rules with owners assigned by hand and approvals that
// stand, so that a story is free to go where it likes.
var rules = sync.OnceValue(func() policy.Process {
	p := policy.Default().Process
	for i := range p.Routing {
		p.Routing[i].Pick = policy.PickByHand
	}
	for i := range p.Approvals {
		p.Approvals[i].AgainOnAmend = false
	}
	p.Holds = []string{"supplier"}
	return p
})

// people lets everybody in the office do everything: who may do what is not
// these tests' concern.
type people struct{}

func (people) Find(id string) (requirement.Actor, bool) {
	return requirement.Actor{ID: id, Roles: []requirement.Role{requirement.Operator, requirement.Agent, requirement.Manager, requirement.Customer, requirement.System}}, true
}

func (people) HasDepartment(string) bool { return true }

// story drives requirements through everything that can happen to them and
// returns all events with the state they led to.
func story(t *testing.T, s requirement.Submission) []moment {
	t.Helper()
	var told []moment
	now := noon
	var r *requirement.Requirement
	var held policy.Process
	take := func() {
		tr := r.Take()
		stored, err := json.Marshal(tr.State)
		require.NoError(t, err)
		for _, e := range tr.Events {
			var state requirement.State
			require.NoError(t, json.Unmarshal(stored, &state))
			told = append(told, moment{e, requirement.Restore(state, held)})
		}
	}
	begin := func(id string) {
		var err error
		held = rules()
		r, err = requirement.New(id, s, held, now)
		require.NoError(t, err)
		take()
	}
	adopt := func(p policy.Process, digest string) {
		p.Digest, held = digest, p
		r.Adopt(now, p, "li")
		take()
	}
	do := func(act requirement.Act) {
		t.Helper()
		now = now.Add(time.Minute)
		require.NoError(t, r.Check(people{}, act))
		_, err := r.Do(now, act)
		require.NoError(t, err)
		take()
	}
	by := func(id string) requirement.Header { return requirement.Header{Actor: id} }
	words := s.Description
	if words == "" {
		words = "words"
	}
	few := []rune(words)
	few = few[:min(len(few), requirement.MaxTitle)]

	// The usual way, with everything on it.
	begin("REQ-1")
	do(requirement.Triage{Header: by("li"), Department: "service", NeedApproval: true})
	r.OpenRound(now, []requirement.FilledSeat{{Seat: "role:product", Person: "chen"}, {Seat: "role:management", Person: "wang"}})
	take()
	do(requirement.Delegate{Header: by("wang"), To: "deaf"})
	do(requirement.Approve{Header: by("chen"), Comment: words})
	do(requirement.Approve{Header: by("deaf")})
	do(requirement.Assign{Header: by("li"), To: "wang", Reason: words})
	do(requirement.HandBack{Header: by("wang"), Reason: words})
	do(requirement.Assign{Header: by("li"), To: "wang"})
	do(requirement.Accept{Header: by("wang")})
	do(requirement.Respond{Header: by("wang"), Method: "phone", Message: words, Options: []string{words, "二", "三"}})
	do(requirement.Plan{Header: by("wang"), Steps: []requirement.PlanStep{{What: string(few), Owner: "wang", Due: now.Add(2 * time.Hour)}, {What: "b", Due: now.Add(3 * time.Hour)}}})
	do(requirement.Progress{Header: by("wang"), Message: words})
	do(requirement.PutOnHold{Header: by("wang"), Reason: words})
	do(requirement.Comment{Header: by("customer"), Message: words})
	do(requirement.Comment{Header: by("li"), Message: words})
	do(requirement.Amend{Header: by("customer"), Description: words})
	do(requirement.Reprioritise{Header: by("li"), Priority: "high", Reason: words})
	r.Absorb(now, []requirement.Absorbed{{ID: "REQ-9", Title: s.Title, Customer: s.Customer, Contact: "dup@example.com", Language: "en"}})
	r.Refuse(now, "triage", "wang", "", words)
	r.NoticesParked(now, 1, 2, 3)
	adopt(held, "others")
	// Long silence: marks, breaches, repetitions and escalations.
	for range 40 {
		next, ok := r.Next()
		if !ok || next.At.Sub(noon) > 30*time.Hour {
			break
		}
		now = next.At
		r.Tick(now)
		for _, e := range r.EscalationsDue() {
			r.EscalationStarted(now, e.ID)
			raised := requirement.Report{ID: e.ID, Kind: requirement.EscalationRaised, Level: 1, Round: 1, People: []string{"wang"}}
			if e.Clock == sla.Update {
				raised.Lacks = &sla.Lack{Calendar: "cn-office", Year: 2031}
			}
			r.EscalationReported(now, raised)
			r.EscalationReported(now, requirement.Report{ID: e.ID, Kind: requirement.EscalationAcknowledged, Level: 1, Round: 1, By: "chen", Comment: string(few)})
			r.EscalationReported(now, requirement.Report{ID: e.ID, Kind: requirement.EscalationAlarm, Level: 2, Round: 2, People: []string{"chen"}})
		}
		take()
	}
	do(requirement.Resolve{Header: by("wang"), Solution: words, RootCause: "SECRET-ROOT " + string(few)})
	do(requirement.Dispute{Header: by("customer"), Reason: words})
	do(requirement.Resolve{Header: by("wang"), Solution: words})
	do(requirement.Confirm{Header: by("customer"), Rating: 4, Comment: words})

	// Silence after the resolution.
	begin("REQ-2")
	do(requirement.Triage{Header: by("li")})
	do(requirement.Assign{Header: by("li"), To: "wang"})
	do(requirement.Resolve{Header: by("wang"), Solution: words})
	for !r.Over() {
		next, ok := r.Next()
		require.True(t, ok)
		now = next.At
		r.Tick(now)
		take()
	}

	// Votes in sequence.
	begin("REQ-8")
	inSequence := rules()
	inSequence.Approvals = slices.Clone(inSequence.Approvals)
	for i := range inSequence.Approvals {
		inSequence.Approvals[i].InSequence, inSequence.Approvals[i].Need = true, policy.NeedAll
	}
	adopt(inSequence, "in-sequence")
	do(requirement.Triage{Header: by("li"), NeedApproval: true})
	r.OpenRound(now, []requirement.FilledSeat{{Seat: "role:product", Person: "chen"}, {Seat: "role:management", Person: "wang"}})
	do(requirement.Approve{Header: by("chen")})

	// A no, and an appeal.
	begin("REQ-7")
	do(requirement.Triage{Header: by("li"), NeedApproval: true})
	r.OpenRound(now, []requirement.FilledSeat{{Seat: "role:product", Person: "chen"}})
	take()
	do(requirement.Decline{Header: by("chen"), Reason: words})
	do(requirement.Appeal{Header: by("customer"), Reason: words})

	// No owner, a merge that fails and one that holds, ends from outside.
	begin("REQ-3")
	p := rules()
	p.Routing = slices.Clone(p.Routing)
	for i := range p.Routing {
		p.Routing[i].Pick = policy.PickLeastLoaded
	}
	adopt(p, "least-loaded")
	do(requirement.Triage{Header: by("li")})
	r.Route(now, "", "")
	take()
	do(requirement.Merge{Header: by("li"), Into: "REQ-1"})
	r.MergeUndone(now, string(few))
	take()
	do(requirement.Merge{Header: by("li"), Into: "REQ-1"})
	r.MergeDone(now)
	take()
	begin("REQ-4")
	do(requirement.PutOnHold{Header: by("wang"), Reason: words, For: "supplier"})
	do(requirement.Resume{Header: by("wang"), Message: words})
	do(requirement.Withdraw{Header: by("li"), Reason: words})
	begin("REQ-5")
	r.Cancel(now)
	take()

	// A calendar that does not reach as far as the deadline.
	begin("REQ-10")
	office := rules()
	office.Clocks = slices.Clone(office.Clocks)
	office.Calendars = []sla.Timetable{{
		Name: "short", Hours: sla.Week{Mon: []sla.Window{{From: 9 * 60, To: 17 * 60}}}, Years: []int{2026},
	}}
	for i := range office.Clocks {
		office.Clocks[i].Calendar, office.Clocks[i].Target = "short", sla.Duration{WorkingDays: 30}
	}
	adopt(office, "short")
	begin("REQ-6")
	told = append(told, moment{requirement.Event{Seq: r.Seq + 1, At: now, Kind: requirement.Terminated, Actor: "system"}, r})
	return told
}

func plain() requirement.Submission {
	return requirement.Submission{Title: "导出报表失败", Customer: "星辰科技", Contact: "buyer@example.com", Language: "zh-CN", SubmittedBy: "li", Description: "导出时报错"}
}

func recipientsOf(m moment) []string {
	list := []string{"wang", "chen", "customer"}
	for _, a := range m.r.Absorbed {
		list = append(list, "customer:"+a.ID)
	}
	return list
}

func renderer(t *testing.T) *notify.Renderer {
	t.Helper()
	r, err := notify.NewRenderer(nil, shanghai)
	require.NoError(t, err)
	return r
}

func render(t *testing.T, r *notify.Renderer, m moment, recipient, language string) notify.Message {
	t.Helper()
	n := notify.Notice{
		Key:   notify.Key{Requirement: m.r.ID, Seq: m.Seq, Recipient: recipient, Channel: "email"},
		Event: m.Kind, Address: "x@example.com", Language: language,
	}
	msg, err := r.Render(n, m.r, m.Event, office(), m.At)
	require.NoError(t, err, "%s to %s", m.Kind, recipient)
	require.Equal(t, n.Key, msg.Key)
	return msg
}

// kinds returns all kinds of events that the domain has.
func kinds(t *testing.T) []requirement.Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../requirement/event.go", nil, 0)
	require.NoError(t, err)
	var all []requirement.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) == 0 {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Kind" {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		all = append(all, requirement.Kind(value))
		return true
	})
	require.Greater(t, len(all), 40)
	return all
}

// TestRenderEverything words every kind of event, as it comes out of the domain,
// for everybody in both languages.
func TestRenderEverything(t *testing.T) {
	t.Parallel()
	told := story(t, plain())
	seen := map[requirement.Kind]bool{}
	r := renderer(t)
	for _, m := range told {
		seen[m.Kind] = true
		for _, recipient := range recipientsOf(m) {
			for _, language := range locale.Languages {
				msg := render(t, r, m, recipient, language)
				for _, text := range []string{msg.Subject, msg.Text, msg.HTML} {
					require.NotEmpty(t, text)
					for _, hole := range []string{"<no value>", "ZgotmplZ", "{{", "%!", "message.", "field."} {
						require.NotContains(t, text, hole, "%s to %s in %s", m.Kind, recipient, language)
					}
				}
				require.Contains(t, msg.Subject, m.r.ID[:4])
				require.Equal(t, language, msg.Language)
				require.True(t, strings.HasSuffix(msg.Text, "\n"))
				require.NotContains(t, msg.Text, "\n\n\n", "%s to %s in %s", m.Kind, recipient, language)
				wellFormed(t, msg.HTML)
			}
		}
	}
	for _, kind := range kinds(t) {
		require.True(t, seen[kind], "the story never gets to %s", kind)
	}
}

// TestWordings: every kind has words of its own for our people, and both
// languages have the same templates.
func TestWordings(t *testing.T) {
	t.Parallel()
	defined := func(path string) []string {
		text, err := os.ReadFile("templates/" + path)
		require.NoError(t, err)
		var names []string
		for _, part := range strings.Split(string(text), `{{define "`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			names = append(names, name)
		}
		return names
	}
	for _, who := range []string{"internal", "customer"} {
		require.Equal(t, defined("zh-CN/"+who+".tmpl"), defined("en/"+who+".tmpl"))
	}
	internal := defined("en/internal.tmpl")
	for _, kind := range kinds(t) {
		require.Contains(t, internal, string(kind))
	}
	// Whatever the default policy tells customers has words of its own for them.
	customer := defined("en/customer.tmpl")
	for _, rule := range policy.Default().Notices {
		if slices.Contains(rule.To, policy.SeatCustomer) || slices.Contains(rule.To, policy.SeatDuplicates) {
			require.True(t, slices.Contains(customer, rule.Event) || slices.Contains(customer, rule.Event+"."+string(rule.Clock)), rule.Event)
		}
	}
}

// TestCustomersSeeNothingInternal: no name of ours, no reason of a breach, no
// root cause, no command.
func TestCustomersSeeNothingInternal(t *testing.T) {
	t.Parallel()
	s := plain()
	s.Description = ""
	r := renderer(t)
	internal := []string{
		"SECRET-ROOT", "李娜", "王芳", "陈静", "Li Na", "Wang Fang", "Chen Jing", "wang", "chen", "客服部", "Customer service",
		"closeloop ", "超时", "overdue", "missed", "breach", "escalat", "升级", "owner", "负责人",
	}
	for _, m := range story(t, s) {
		for _, recipient := range recipientsOf(m)[2:] {
			for _, language := range locale.Languages {
				msg := render(t, r, m, recipient, language)
				for _, secret := range internal {
					for _, text := range []string{msg.Subject, msg.Text, msg.HTML} {
						require.NotContains(t, text, secret, "%s to %s in %s", m.Kind, recipient, language)
					}
				}
			}
		}
	}
}

// TestDuplicatesSeeTheirOwn: the customer of a merged requirement learns the
// outcome under their own number, and nothing of the other customer.
func TestDuplicatesSeeTheirOwn(t *testing.T) {
	t.Parallel()
	m := last(t, story(t, plain()), "REQ-1", requirement.Resolved)
	m.r.Absorbed[0].Title, m.r.Absorbed[0].Customer = "Reports fail", "Beta Ltd"
	msg := render(t, renderer(t), m, "customer:REQ-9", "en")
	require.Contains(t, msg.Subject, "[REQ-9] Your request is resolved - Reports fail")
	require.Contains(t, msg.Text, "Dear Beta Ltd,")
	require.Contains(t, msg.Text, "> 导出时报错") // the solution
	for _, text := range []string{msg.Subject, msg.Text, msg.HTML} {
		require.NotContains(t, text, "星辰科技")
		require.NotContains(t, text, "导出报表失败")
		require.NotContains(t, text, "confirm")
		require.NotContains(t, text, "REQ-1")
	}
}

func TestDuplicatesDoNotSeeTheRating(t *testing.T) {
	t.Parallel()
	m := last(t, story(t, plain()), "REQ-1", requirement.WasArchived)
	// Not even a template of the operator's own can tell it.
	r, err := notify.NewRenderer(fstest.MapFS{
		"en/customer.tmpl": {Data: []byte(`{{define "archived"}}rated {{.Rating}}{{end}}`)},
	}, shanghai)
	require.NoError(t, err)
	require.Contains(t, render(t, r, m, "customer", "en").Subject, "rated 4")
	require.Contains(t, render(t, r, m, "customer:REQ-9", "en").Subject, "rated 0")
}

func last(t *testing.T, told []moment, id string, kind requirement.Kind) moment {
	t.Helper()
	for i := len(told) - 1; i >= 0; i-- {
		if told[i].r.ID == id && told[i].Kind == kind {
			return told[i]
		}
	}
	require.Fail(t, "no such moment", "%s of %s", kind, id)
	return moment{}
}

func first(t *testing.T, told []moment, kind requirement.Kind, clock sla.Name) moment {
	t.Helper()
	for _, m := range told {
		if m.Kind == kind && m.Clock == clock {
			return m
		}
	}
	require.Fail(t, "no such moment", "%s of %s", kind, clock)
	return moment{}
}

func TestMessageToOwner(t *testing.T) {
	t.Parallel()
	m := first(t, story(t, plain()), requirement.ClockBreached, sla.Resolution)
	msg := render(t, renderer(t), m, "wang", "zh-CN")
	require.Equal(t, "[REQ-1] 需求解决已超时 - 导出报表失败", msg.Subject)
	for _, part := range []string{
		"“需求解决”已于 2026-11-23 周一 20:01 (UTC+8) 超过时限。请立即处理。",
		"REQ-1  导出报表失败", "阶段：执行中", "客户：星辰科技", "优先级：高、一般", "部门：客服部", "负责人：王芳", "跟踪人：李娜",
		"- 需求解决：已超时 不到 1 秒，截止 2026-11-23 周一 20:01 (UTC+8)",
		"等待 王芳：响应客户、提交解决方案、更新进展",
		"  closeloop resolve REQ-1 --solution \"…\" --as wang\n",
		"  closeloop show REQ-1\n",
	} {
		require.Contains(t, msg.Text, part)
	}
	require.Contains(t, msg.HTML, "closeloop resolve REQ-1 --solution &#34;…&#34; --as wang")
}

func TestMessageToCalled(t *testing.T) {
	t.Parallel()
	m := first(t, story(t, plain()), requirement.EscalationRaised, sla.Resolution)
	msg := render(t, renderer(t), m, "chen", "en")
	require.Equal(t, "[REQ-1] Escalation level 1: please acknowledge (resolution) - 导出报表失败", msg.Subject)
	require.Contains(t, msg.Text, "  closeloop ack REQ-1 --escalation resolution-1 --as chen\n")
	require.NotContains(t, msg.Text, "resolve REQ-1 --solution \"…\" --as", "chen is called, but it is not chen who resolves")
	require.NotContains(t, msg.Text, "whatever the hour")

	anyway := first(t, story(t, plain()), requirement.EscalationRaised, sla.Update)
	require.Contains(t, render(t, renderer(t), anyway, "chen", "en").Text, "whatever the hour: the calendar cn-office does not know the holidays of 2031.")
	require.Contains(t, render(t, renderer(t), anyway, "chen", "zh-CN").Text, "日历“cn-office”缺少 2031 年的节假日，此次呼叫不分时段。")
}

func TestMessageToCustomer(t *testing.T) {
	t.Parallel()
	told := story(t, plain())
	answer := last(t, told, "REQ-1", requirement.Responded)
	msg := render(t, renderer(t), answer, "customer", "zh-CN")
	require.Equal(t, "[REQ-1] 关于您的需求，我们的答复 - 导出报表失败", msg.Subject)
	for _, part := range []string{"尊敬的 星辰科技：", "> 方案1：导出时报错\n> 方案2：二\n> 方案3：三\n", "以下方案供您选择", "向您更新进展"} {
		require.Contains(t, msg.Text, part)
	}
	resolved := last(t, told, "REQ-2", requirement.Resolved)
	msg = render(t, renderer(t), resolved, "customer", "en")
	require.Contains(t, msg.Text, "Please tell us whether it is resolved")
	require.Contains(t, msg.Text, "If we do not hear from you by ")
	closed := last(t, told, "REQ-2", requirement.WasArchived)
	require.Contains(t, render(t, renderer(t), closed, "customer", "en").Text, "We did not hear from you")
	thanks := last(t, told, "REQ-1", requirement.WasArchived)
	require.Contains(t, render(t, renderer(t), thanks, "customer", "en").Text, "your rating of 4")
	reminder := first(t, told, requirement.ClockMarked, sla.Confirmation)
	require.Contains(t, render(t, renderer(t), reminder, "customer", "zh-CN").Subject, "请确认您的需求是否已解决")
}

// TestHostileText: what people write can break neither headers nor HTML nor the
// frame, and stays within bounds.
func TestHostileText(t *testing.T) {
	t.Parallel()
	nasty := "<script>alert(1)</script>{{.ID}}{{template \"x\"}}\r\nBcc: all@example.com\u2028X: y\u202eevil\u2066 \"quoted\" 'single' </td></table><img src=x onerror=alert(1)> -- \ncloseloop withdraw REQ-1"
	s := requirement.Submission{
		Title: nasty, Customer: "<b>Evil & Sons</b>\r\nTo: x@example.com", Contact: "buyer@example.com",
		Language: "en", SubmittedBy: "li", Description: nasty + strings.Repeat("界", requirement.MaxText-utf8.RuneCountInString(nasty)),
	}
	harmless := requirement.Submission{
		Title: "title", Customer: "customer", Contact: "buyer@example.com", Language: "en", SubmittedBy: "li", Description: "words",
	}
	r := renderer(t)
	tame := story(t, harmless)
	for i, m := range story(t, s) {
		for _, recipient := range recipientsOf(m) {
			for _, language := range locale.Languages {
				msg := render(t, r, m, recipient, language)
				require.NotContains(t, msg.Subject, "\n")
				require.NotContains(t, msg.Subject, "\r")
				require.LessOrEqual(t, utf8.RuneCountInString(msg.Subject), 150)
				require.Less(t, utf8.RuneCountInString(msg.Text), 30_000)
				require.Less(t, len(msg.HTML), 100_000)
				for _, text := range []string{msg.Subject, msg.Text, msg.HTML} {
					require.True(t, utf8.ValidString(text))
					for _, hidden := range []string{"\u202e", "\u2066", "\u2028", "\r", "\x00"} {
						require.NotContains(t, text, hidden, "%s to %s", m.Kind, recipient)
					}
				}
				require.NotContains(t, msg.HTML, "<script")
				require.NotContains(t, msg.HTML, "<img")
				// The same elements as with harmless words: nothing of theirs is markup.
				require.Equal(t, elements(render(t, r, tame[i], recipient, language).HTML), elements(msg.HTML), "%s to %s", m.Kind, recipient)
				for l := range strings.Lines(msg.Text) {
					require.False(t, strings.HasPrefix(strings.TrimSpace(l), "closeloop withdraw"), "a quoted line passes for ours: %q", l)
				}
			}
		}
	}
}

// elements returns the start tags of a page in their order.
func elements(page string) []string {
	var tags []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return tags
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			tags = append(tags, string(name))
		}
	}
}

// wellFormed checks that every element is closed, in order.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	void := []string{"meta", "br", "img"}
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			require.Empty(t, open)
			return
		case html.StartTagToken:
			if name, _ := z.TagName(); !slices.Contains(void, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			require.NotEmpty(t, open)
			require.Equal(t, open[len(open)-1], string(name))
			open = open[:len(open)-1]
		}
	}
}

func TestRenderTakesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	r, err := requirement.New("REQ-1", plain(), rules(), noon)
	require.NoError(t, err)
	for _, data := range []string{"", "null", "[]", `{"options":"no list","message":"hello"}`, `{"clock":"sundial","cycle":-3}`} {
		m := moment{requirement.Event{Seq: 3, At: noon, Kind: "from_the_future", Actor: "somebody", Data: json.RawMessage(data)}, r}
		for _, recipient := range []string{"wang", "customer", "customer:REQ-404"} {
			msg := render(t, renderer(t), m, recipient, "xx")
			require.Equal(t, "en", msg.Language)
			require.NotEmpty(t, msg.Text)
		}
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	m := first(t, story(t, plain()), requirement.Submitted, "")
	custom := fstest.MapFS{
		"en/customer.tmpl": {Data: []byte(`{{define "default"}}Hello from us
Number {{.ID}}{{end}}`)},
	}
	r, err := notify.NewRenderer(custom, shanghai)
	require.NoError(t, err)
	require.Contains(t, render(t, r, m, "customer", "en").Subject, "Hello from us")
	require.Contains(t, render(t, r, m, "customer", "zh-CN").Subject, "我们已收到您的需求")
	require.Contains(t, render(t, r, m, "wang", "en").Subject, "New requirement")

	_, err = notify.NewRenderer(fstest.MapFS{"zh-CN/internal.tmpl": {Data: []byte(`{{define "x"}}`)}}, nil)
	require.ErrorContains(t, err, "zh-CN/internal.tmpl")
	_, err = notify.NewRenderer(denied{}, nil)
	require.ErrorIs(t, err, fs.ErrPermission)

	// What fails only when it is used fails that notice.
	r, err = notify.NewRenderer(fstest.MapFS{"en/internal.tmpl": {Data: []byte(`{{define "submitted"}}{{.Owner.Salary}}{{end}}`)}}, nil)
	require.NoError(t, err)
	_, err = r.Render(notify.Notice{Key: notify.Key{Recipient: "wang"}, Language: "en"}, m.r, m.Event, office(), noon)
	require.ErrorContains(t, err, "en/internal.tmpl")
}

type denied struct{}

func (denied) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	k := notify.Key{Requirement: "REQ-1", Seq: 12, Recipient: "li", Channel: "email"}
	seen := map[string]bool{k.Digest(): true}
	for _, other := range []notify.Key{
		{Requirement: "REQ-11", Seq: 2, Recipient: "li", Channel: "email"},
		{Requirement: "REQ-1", Seq: 12, Recipient: "l", Channel: "iemail"},
		{Requirement: "REQ-1", Seq: 12, Recipient: "li", Channel: "log"},
	} {
		require.False(t, seen[other.Digest()])
		seen[other.Digest()] = true
	}
	later := k
	later.Seq = 99
	require.Equal(t, k.Thread(), later.Thread())
	require.NotContains(t, k.Digest(), "REQ")
	require.Regexp(t, `^[0-9a-f]{32}$`, k.Digest())
}
