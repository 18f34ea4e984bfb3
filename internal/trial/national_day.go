package trial

import (
	"fmt"
	"time"

	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
)

// China is an instant of 2026 as clocks in China show it.
func China(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2026, month, day, hour, minute, 0, 0, time.FixedZone("", 8*60*60)).UTC()
}

// AfterNationalDay is when the life that [NationalDay] tells is looked at.
var AfterNationalDay = China(time.October, 12, 11, 30)

// NationalDay is a requirement on Chinese office hours whose resolution took
// longer than it may. The clock crossed the Mid-Autumn Festival, the National
// Day with its make-up Saturday, and two pauses; it got a shorter target on its
// way, and another owner. People are those of the default policy; what they say
// is Chinese for zh-CN and English otherwise.
func NationalDay(id, lang string) requirement.Account {
	rules := nationalDayRules()
	say := func(english, chinese string) string {
		if lang == "zh-CN" {
			return chinese
		}
		return english
	}
	submission := requirement.Submission{
		Title: say("Exported reports lack rows", "导出的报表少了行"), Customer: say("Acme Robotics", "云栖科技"), Contact: "dana@example.com", SubmittedBy: "li.na",
	}
	submission.Priority, submission.Type = "low", "fault"
	at := func(month time.Month, day, hour, minute int) time.Time { return China(month, day, hour, minute) }
	by := func(person string) requirement.Header { return requirement.Header{Actor: person} }
	r, err := requirement.New(id, submission, rules, at(9, 24, 16, 0))
	if err != nil {
		panic(err)
	}
	for _, step := range []struct {
		at  time.Time
		act requirement.Act
	}{
		{at(9, 24, 16, 20), requirement.Triage{Header: by("li.na")}},
		{at(9, 24, 16, 30), requirement.Assign{Header: by("li.na"), To: "wu.lei", Department: "technology"}},
		{at(9, 24, 17, 10), requirement.Respond{Header: by("wu.lei"), Method: "phone", Message: say("we are looking into it", "正在排查")}},
		{at(9, 28, 11, 0), requirement.PutOnHold{Header: by("wu.lei"), Reason: say("needs the customer's log", "等客户提供日志")}},
		{at(9, 29, 10, 0), requirement.Resume{Header: by("customer"), Message: say("log sent", "日志已发")}},
		{at(9, 30, 14, 0), requirement.Reprioritise{Header: by("li.na"), Priority: "medium", Reason: say("books close at the month's end", "客户月底对账")}},
		{at(10, 9, 14, 0), requirement.Assign{Header: by("li.na"), To: "xu.jie", Department: "operations", Reason: say("it is the database", "数据库问题")}},
		{at(10, 9, 15, 0), requirement.PutOnHold{Header: by("xu.jie"), Reason: say("waits for the vendor's patch", "等供应商补丁"), For: "supplier"}},
		{at(10, 10, 10, 0), requirement.Resume{Header: by("xu.jie")}},
		{AfterNationalDay, requirement.Comment{Header: by("xu.jie"), Message: say("checking the patch", "补丁验证中")}},
	} {
		tickUntil(r, step.at)
		if _, err := r.Do(step.at, step.act); err != nil {
			panic(fmt.Sprintf("%s: %v", step.act.Name(), err))
		}
	}
	t := r.Take()
	return requirement.Account{State: t.State, Events: t.Events, Clocks: t.State.Clocks, Rules: []policy.Process{rules}}
}

// tickUntil lets fall due what does before the instant, 200 ms late.
func tickUntil(r *requirement.Requirement, at time.Time) {
	for {
		next, ok := r.Next()
		if !ok || !next.At.Before(at) {
			return
		}
		r.Tick(next.At.Add(200 * time.Millisecond))
	}
}

func nationalDayRules() policy.Process {
	rules := process()
	rules.Digest = "national-day"
	rules.Holds = []string{"supplier"}
	office, err := sla.Shipped(sla.ChineseOffice)
	if err != nil {
		panic(err)
	}
	rules.Calendars = []sla.Timetable{office.Observe(sla.ShippedHolidays(sla.ChineseHolidays)...)}
	rules.Clocks = []policy.ClockRule{
		{Name: sla.Response, Calendar: sla.ChineseOffice, Target: Hours(2), RunsIn: open, Marks: percentage},
		{
			Name: sla.Resolution, Calendar: sla.ChineseOffice, Target: Hours(40), RunsIn: open,
			Targets:      []policy.TargetRule{{When: policy.When{Priority: []string{"low"}}, Target: sla.Duration{WorkingDays: 10}}},
			PausesOnHold: policy.AllHolds, Marks: percentage, Repeat: sla.Repeat{Every: Hours(1), Times: 2},
		},
	}
	return rules
}
