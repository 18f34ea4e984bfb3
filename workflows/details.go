package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"closeloop/contract"
	"closeloop/requirement"
	"closeloop/sla"
)

// stageNames are the stages as operators read them beside the English word.
var stageNames = []struct {
	stage requirement.Stage
	name  string
}{
	{requirement.Received, "已接收"},
	{requirement.Analysing, "需求分析"},
	{requirement.Reviewing, "评审中"},
	{requirement.Assigned, "已分配"},
	{requirement.Executing, "执行中"},
	{requirement.Confirming, "待客户确认"},
	{requirement.Archived, "已归档"},
	{requirement.Rejected, "已驳回"},
	{requirement.Withdrawn, "已撤回"},
	{requirement.Merged, "已合并"},
}

// clockNames are the clocks as operators read them beside the English word.
var clockNames = []struct {
	clock sla.Name
	name  string
}{
	{sla.Response, "首次响应"},
	{sla.Resolution, "需求解决"},
	{sla.Update, "进展更新"},
	{sla.NextResponse, "客户来信答复"},
	{sla.Approval, "审批"},
	{sla.Acceptance, "接受任务"},
	{sla.Ownership, "部门处理"},
	{sla.PlanStep, "方案步骤"},
	{sla.Confirmation, "客户确认"},
	{sla.Appeal, "申诉期"},
}

// clockStates are the states of clocks as operators read them.
var clockStates = []struct {
	state sla.State
	name  string
}{
	{sla.Running, "计时中"}, {sla.Paused, "已暂停"}, {sla.Met, "按时完成"}, {sla.Breached, "**已超时**"}, {sla.Stopped, "已停止"},
}

// details is the requirement's page in the Web UI, in Markdown: what it is,
// where it stands, what it waits for until when, and which command moves it.
func (l *life) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", plain(l.Title))
	fmt.Fprintf(&b, "**Stage 阶段** %s %s", l.Stage, stageName(l.Stage))
	if l.Hold != nil {
		fmt.Fprintf(&b, " · **on hold 暂停** since %s: %s", clockTime(l.Hold.Since), plain(l.Hold.Reason))
	}
	for i := range l.Clocks {
		if c := &l.Clocks[i]; c.State() == sla.Breached && c.Open() {
			fmt.Fprintf(&b, " · **overdue 超时** %s %s", c.Name, clockName(c.Name))
		}
	}
	fmt.Fprintf(&b, "  \n**Priority 优先级** %s · %s · %s · %s  \n", l.Priority, l.Urgency, l.Tier, l.Type)
	fmt.Fprintf(&b, "**Owner 负责人** %s · **Department 部门** %s · **Tracker 跟踪人** %s  \n",
		or(l.Owner, "—"), or(l.Department, "—"), or(l.Tracker, "—"))
	l.writeWaiting(&b)
	l.writeClocks(&b)
	l.writeApproval(&b)
	l.writeEscalations(&b)
	return cut(b.String(), maxDetails)
}

// maxDetails is what the server's documentation promises for details, in bytes.
const maxDetails = 20_000

func (l *life) writeWaiting(b *strings.Builder) {
	w := l.Waiting()
	if len(w.Acts) == 0 {
		fmt.Fprintf(b, "**Waits for 等待** nothing: it has ended\n")
		return
	}
	fmt.Fprintf(b, "**Waits for 等待** %s\n\n", or(strings.Join(w.Who, ", "), "—"))
	fmt.Fprintf(b, "Moved on by 下一步, on the command line or by the Update or Signal of the same name:\n\n")
	for _, act := range w.Acts {
		fmt.Fprintf(b, "- `%s` — %s\n", requirement.Command(act, l.ID), about(act))
	}
}

func (l *life) writeClocks(b *strings.Builder) {
	fmt.Fprintf(b, "\n| Clock 时钟 | State 状态 | Target 时限 | Deadline 截止 (UTC) |\n|---|---|---|---|\n")
	for i := range l.Clocks {
		c := &l.Clocks[i]
		deadline := "held 暂停中"
		if at, ok := c.Deadline(l.CalendarOf(c)); ok {
			deadline = clockTime(at)
		} else if c.Lacks != nil {
			deadline = fmt.Sprintf("unknown: calendar %s lacks %d 日历缺少该年节假日", c.Lacks.Calendar, c.Lacks.Year)
		}
		name := fmt.Sprintf("%s %s", c.Name, clockName(c.Name))
		if c.Cycle > 1 {
			name += fmt.Sprintf(" (%d)", c.Cycle)
		}
		fmt.Fprintf(b, "| %s | %s %s | %s | %s |\n", name, c.State(), clockStateName(c.State()), c.Target, deadline)
	}
}

func (l *life) writeApproval(b *strings.Builder) {
	a := l.Approval
	if a == nil {
		return
	}
	fmt.Fprintf(b, "\n**Approval 审批** round %d: %s, needs %d\n\n", a.Round, a.State, a.Need)
	for _, v := range a.Votes {
		fmt.Fprintf(b, "- %s (%s): %s\n", v.Person, v.Seat, v.Answer)
	}
}

func (l *life) writeEscalations(b *strings.Builder) {
	if len(l.Escalations) == 0 {
		return
	}
	fmt.Fprintf(b, "\n**Escalations 升级**\n\n")
	for _, e := range l.Escalations {
		fmt.Fprintf(b, "- %s: %s, level %d", e.ID, e.State, e.Level)
		if len(e.Called) > 0 {
			fmt.Fprintf(b, ", called %s", strings.Join(e.Called, ", "))
		}
		if e.AcknowledgedBy != "" {
			fmt.Fprintf(b, ", acknowledged by %s", e.AcknowledgedBy)
		}
		if e.Open() {
			fmt.Fprintf(b, " · `%s`", requirement.AckCommand(l.ID, e.ID))
		}
		b.WriteString("\n")
	}
}

// show puts on the Web UI how the escalation stands.
func (c *climb) show(ctx workflow.Context) {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s: %s breached\n\n%s\n\n", c.ladder.Requirement, c.ladder.Clock, plain(c.ladder.Title))
	fmt.Fprintf(&b, "**State 状态** %s · **level 级别** %d · **round 轮次** %d", c.ladder.State, c.ladder.Level, c.ladder.Round)
	if by := c.ladder.AcknowledgedBy; by != "" {
		fmt.Fprintf(&b, " · **acknowledged by 接手** %s", by)
	}
	b.WriteString("\n\n")
	for i, call := range c.ladder.Calls {
		fmt.Fprintf(&b, "%d. %s, to acknowledge within %s", i+1, or(strings.Join(call.People, ", "), "nobody"), call.Within)
		if call.Calendar != "" {
			fmt.Fprintf(&b, ", in the hours of %s 工作时间", call.Calendar)
		}
		b.WriteString("\n")
	}
	if c.ladder.Waits {
		fmt.Fprintf(&b, "\n**Closed 非工作时间**: level %d is called when its hours begin\n", c.ladder.Level)
	}
	if at, ok := c.ladder.Next(); ok {
		fmt.Fprintf(&b, "\nGoes on at %s unless somebody acknowledges: `%s`, or the Update or Signal `%s`\n",
			clockTime(at), requirement.AckCommand(c.ladder.Requirement, c.ladder.ID), contract.ActAcknowledge)
	}
	workflow.SetCurrentDetails(ctx, cut(b.String(), maxDetails))
}

func stageName(s requirement.Stage) string {
	for _, n := range stageNames {
		if n.stage == s {
			return n.name
		}
	}
	return ""
}

func clockName(c sla.Name) string {
	for _, n := range clockNames {
		if n.clock == c {
			return n.name
		}
	}
	return ""
}

func clockStateName(s sla.State) string {
	for _, n := range clockStates {
		if n.state == s {
			return n.name
		}
	}
	return ""
}

func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// markdown are the characters that mean something in Markdown inside a line.
const markdown = "\\`*_[]<>#!|~"

// plain puts a customer's words into Markdown as they are, on one line.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < 0x20 || r == 0x7f:
			b.WriteByte(' ')
			continue
		case strings.ContainsRune(markdown, r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
