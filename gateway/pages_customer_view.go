package gateway

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"closeloop/notify"
	"closeloop/requirement"
	"closeloop/sla"
)

// customerView is all that a customer may see. What is not in it no template can
// show: no people of ours, no departments, no clocks but the promises made to the
// customer, no root causes, no escalations. Of a merged requirement it has the
// outcome of the other, and nothing that the other customer wrote.
type customerView struct {
	frame
	Hidden hidden
	// Wrote is the act of a form that is shown again.
	wrote    form
	problems problems

	ID      string
	Subject string
	Asked   []labelled
	When    string
	// Says is where it stands, Mood how that is to be taken: plain, ask, good or sad.
	Says, Mood string
	Steps      []step
	Promises   []promise
	// Question is what we wait for the customer to answer.
	Question string
	// Solution, and Reason of a rejection.
	Solution, Reason string
	Talk             []utterance
	Versions         []wording
	Closing          *closing
	Options          []labelled
	// May are the acts that have a form.
	May map[string]bool
	// More: the page thanks for an act, and there is more that can be done on it.
	More bool
	// Lost is what was typed into a form that is no longer there.
	Lost []string
}

type labelled struct{ Label, Text string }

// step of the way that every requirement goes.
type step struct {
	Name string
	// State is done, now or ahead.
	State string
}

// promise is a time that we named, and what became of it.
type promise struct {
	Says string
	Late bool
}

// utterance is something that one side said to the other.
type utterance struct {
	// Ours is set when we said it.
	Ours             bool
	About, When, How string
	Text             string
	Options          []labelled
}

type wording struct{ Number, When, Title, Text string }

type closing struct {
	Says, Stars, Comment string
}

// showCustomer answers with the customer's page. banner is a word for what came
// of a form: stale, wrong or changed; empty when the page was just opened.
func (v *visit) showCustomer(status int, banner string, wrong problems) {
	r := v.held
	view := customerView{
		Hidden: newHidden(v.Links.Keys, v.token, strconv.Itoa(r.Cycle)), problems: wrong, May: map[string]bool{},
		ID: r.ID, Subject: notify.Visible(r.Title), When: v.when(r.CreatedAt),
	}
	view.Asked = v.askedFor(r)
	v.customerStands(&view)
	if err := v.customerHeard(&view); err != nil {
		v.unreachable(err)
		return
	}
	view.frame = v.frame(view.Says)
	view.Banner, view.Tone = v.thanks(customerActs...), "good"
	for _, act := range customerActs {
		may := v.customerMay(act)
		view.May[string(act)] = may && view.Banner == ""
		view.More = view.More || may && view.Banner != ""
	}
	if r.Stage == requirement.Confirming || view.May[string(requirement.ActResume)] {
		// An answer to a question is a message already, and so is one to a solution.
		view.May[string(requirement.ActComment)] = false
	}
	if r.Stage == requirement.Confirming {
		view.May[string(requirement.ActWithdraw)] = false
	}
	if banner != "" {
		view.Banner, view.Tone = v.text.Text("page.banner."+banner, nil), "bad"
		view.wrote = v.sent
		if !view.May[v.sent.Act] {
			view.Lost = v.sent.words()
		}
	}
	show(v.w, status, customerTemplate, view)
}

// words are the texts that somebody typed.
func (f form) words() []string {
	var texts []string
	for _, name := range []string{fieldComment, fieldReason, fieldMessage} {
		if text := f.values[name]; text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// askedFor is what the customer asked for, in their own words.
func (v *visit) askedFor(r *requirement.Requirement) []labelled {
	var list []labelled
	for _, part := range []labelled{
		{"description", r.Description}, {"scenario", r.Scenario}, {"outcome", r.Outcome}, {"pain", r.Pain},
	} {
		if text := notify.Visible(part.Text); text != "" {
			list = append(list, labelled{v.text.Text("page.asked."+part.Label, nil), text})
		}
	}
	return list
}

// customerStands says where the requirement stands.
func (v *visit) customerStands(view *customerView) {
	r := v.held
	say := func(key, mood string) {
		view.Says, view.Mood = v.text.Text("page.stands."+key, nil), mood
	}
	switch r.Stage {
	case requirement.Confirming:
		say("confirming", "ask")
		view.Solution = solution(r)
	case requirement.Archived:
		say("archived", "good")
		view.Solution = solution(r)
		view.Closing = v.closed(r)
	case requirement.Rejected:
		say("rejected", "sad")
		view.Reason = v.rejection(r)
	case requirement.Withdrawn:
		say("withdrawn", "plain")
	case requirement.Merged:
		v.mergedStands(view)
		return
	default:
		say(stepNames[stepOf(r.Stage)], "plain")
		if v.asked() {
			say("asked", "ask")
			view.Question = notify.Visible(r.Hold.Reason)
		}
	}
	view.Steps = v.steps(r.Stage)
	view.Promises = v.promises(r)
}

// mergedStands says what became of the requirement in which this one lives on:
// its outcome, which is for all who asked, and no more.
func (v *visit) mergedStands(view *customerView) {
	view.Says, view.Mood = v.text.Text("page.stands.merged", nil), "plain"
	r, ok := v.outcome()
	if !ok {
		return
	}
	view.Steps = v.steps(r.Stage)
	switch r.Stage {
	case requirement.Confirming, requirement.Archived:
		view.Says, view.Mood = v.text.Text("page.stands.merged_solved", nil), "good"
		view.Solution = solution(r)
	case requirement.Rejected:
		view.Says, view.Mood = v.text.Text("page.stands.rejected", nil), "sad"
		view.Reason = v.rejection(r)
	case requirement.Withdrawn:
		view.Says = v.text.Text("page.stands.merged_ended", nil)
	default: // it goes on
	}
}

// The steps of the way, in the customer's words.
var stepNames = []string{"received", "reviewing", "working", "confirming", "archived"}

func stepOf(s requirement.Stage) int {
	switch s {
	case requirement.Received:
		return 0
	case requirement.Analysing, requirement.Reviewing:
		return 1
	case requirement.Assigned, requirement.Executing:
		return 2
	case requirement.Confirming:
		return 3
	case requirement.Archived:
		return 4
	default:
		return -1
	}
}

// steps are the way with the place on it; none when it has left the way.
func (v *visit) steps(s requirement.Stage) []step {
	at := stepOf(s)
	if at < 0 {
		return nil
	}
	list := make([]step, len(stepNames))
	for i, name := range stepNames {
		state := "ahead"
		switch {
		case i < at, s == requirement.Archived:
			state = "done"
		case i == at:
			state = "now"
		}
		list[i] = step{v.text.Text("page.step."+name, nil), state}
	}
	return list
}

func solution(r *requirement.Requirement) string {
	if r.Resolution == nil {
		return ""
	}
	return notify.Visible(r.Resolution.Solution)
}

// closed says how it was closed, in the customer's own words.
func (v *visit) closed(r *requirement.Requirement) *closing {
	c := r.Closing
	if c == nil {
		return nil
	}
	key := "page.closed.confirmed"
	if c.Automatic {
		key = "page.closed.automatic"
	}
	says := closing{Says: v.text.Text(key, map[string]any{"When": v.when(c.At)}), Comment: notify.Visible(c.Comment)}
	if c.Rating > 0 {
		says.Stars = v.text.Text("page.closed.rating", map[string]any{"N": c.Rating})
	}
	return &says
}

// promises are the times that the customer was told, those that have passed too.
func (v *visit) promises(r *requirement.Requirement) []promise {
	var list []promise
	say := func(key string, late bool, deadline time.Time, done *time.Time) {
		params := map[string]any{"By": v.when(deadline)}
		if done != nil {
			params["At"] = v.when(*done)
		}
		list = append(list, promise{v.text.Text("page.promise."+key, params), late})
	}
	for i := range r.Clocks {
		c := &r.Clocks[i]
		deadline, known := c.Deadline(r.CalendarOf(c))
		if !known {
			continue
		}
		late := !deadline.After(v.now)
		switch {
		case c.Name == sla.Response && r.Response != nil && r.Response.At.After(deadline):
			say("response_came_late", true, deadline, &r.Response.At)
		case c.Name == sla.Response && r.Response != nil:
			say("response_came", false, deadline, &r.Response.At)
		case r.Over(), !c.Ticking():
			// What no longer runs, or waits for the customer, has no time to it.
		case c.Name == sla.Response, c.Name == sla.Update:
			key := string(c.Name)
			if late {
				key += "_late"
			}
			say(key, late, deadline, nil)
		case (c.Name == sla.Confirmation || c.Name == sla.Appeal) && !late:
			say(string(c.Name), false, deadline, nil)
		}
	}
	return list
}

// toCustomer are the events in which the two sides talk to each other. What is
// said in any other is not for the customer.
var toCustomer = []requirement.Kind{
	requirement.Responded, requirement.Progressed, requirement.WasHeld, requirement.Resolved, requirement.RequestDenied,
	requirement.Commented, requirement.WasResumed, requirement.Disputed, requirement.WasAppealed,
}

// maxTalk bounds how much of the conversation is shown.
const maxTalk = 60

// speech is what events of [toCustomer] say.
type speech struct {
	Message  string   `json:"message"`
	Reason   string   `json:"reason"`
	Solution string   `json:"solution"`
	For      string   `json:"for"`
	Options  []string `json:"options"`
}

// customerHeard puts the conversation into the view: what we told the customer,
// and what they told us. Colleagues' remarks to each other are not part of it.
func (v *visit) customerHeard(view *customerView) error {
	ctx, r := v.r.Context(), v.held
	events, err := v.Books.LatestOf(ctx, r.ID, toCustomer, maxTalk)
	if err != nil {
		return err
	}
	for _, e := range events {
		if u, ok := v.utterance(e); ok {
			view.Talk = append(view.Talk, u)
			if e.Kind == requirement.Responded {
				view.Options = u.Options
			}
		}
	}
	slices.Reverse(view.Talk) // the latest is what somebody came for
	versions, err := v.Books.Versions(ctx, r.ID)
	if err != nil {
		return err
	}
	for _, w := range versions[:max(0, len(versions)-1)] {
		view.Versions = append(view.Versions, wording{
			Number: strconv.Itoa(w.Version), When: v.when(w.At), Title: notify.Visible(w.Title), Text: notify.Visible(w.Description),
		})
	}
	return nil
}

func (v *visit) utterance(e requirement.Event) (utterance, bool) {
	var said speech
	// What cannot be read is left out.
	_ = json.Unmarshal(e.Data, &said)
	theirs := v.isCustomer(e.Actor)
	u := utterance{
		Ours: !theirs, When: v.when(e.At), About: v.text.Text("page.talk."+string(e.Kind), nil),
		How: v.text.Text("page.talk.we", nil),
	}
	switch e.Kind {
	case requirement.Responded, requirement.Progressed:
		u.Ours, u.Text = true, said.Message
	case requirement.WasHeld:
		if said.For != "" {
			return utterance{}, false // we wait for somebody else
		}
		u.Ours, u.Text = true, said.Reason
	case requirement.Resolved:
		u.Ours, u.Text = true, said.Solution
	case requirement.RequestDenied:
		u.Ours, u.Text = true, said.Reason
	case requirement.Commented, requirement.WasResumed:
		if !theirs {
			return utterance{}, false // what colleagues remark is internal
		}
		u.Text = said.Message
	case requirement.Disputed, requirement.WasAppealed:
		if !theirs {
			return utterance{}, false
		}
		u.Text = said.Reason
	default:
		return utterance{}, false
	}
	if theirs {
		u.How = v.text.Text("page.talk.you", nil)
	}
	for i, o := range said.Options {
		u.Options = append(u.Options, labelled{strconv.Itoa(i + 1), notify.Visible(o)})
	}
	u.Text = notify.Visible(u.Text)
	return u, u.Text != ""
}

// isCustomer reports whether the id means the customer of the requirement.
func (v *visit) isCustomer(id string) bool {
	return id == requirement.CustomerActor || id != "" && (id == v.held.Contact || id == v.held.Customer)
}

// rejection is why the review said no; the votes themselves are ours.
func (v *visit) rejection(r *requirement.Requirement) string {
	events, err := v.Books.LatestOf(v.r.Context(), r.ID, []requirement.Kind{requirement.RequestDenied}, 1)
	if err != nil || len(events) == 0 {
		return ""
	}
	var said speech
	_ = json.Unmarshal(events[0].Data, &said)
	return notify.Visible(said.Reason)
}

// Field returns an input of the form of an act.
func (c customerView) Field(act, name string, required bool) input {
	f := input{ID: act + "-" + name, Name: name, Label: c.T("field." + act + "." + name), Required: required}
	if c.wrote.Act == act {
		f.Value = c.wrote.values[name]
		if e := c.problems[name]; e != nil {
			f.Problem = worded(c.text, e)
		}
	}
	return f
}

// Stars are the ratings with what they mean.
func (c customerView) Stars() []labelled {
	list := make([]labelled, 5)
	for i := range list {
		n := strconv.Itoa(i + 1)
		list[i] = labelled{n, c.T("star." + n)}
	}
	return list
}

// Rated reports whether a rating or an option was chosen in the form that is
// shown again.
func (c customerView) Rated(name, value string) bool { return c.wrote.values[name] == value }

// Problem is what is wrong with a field of the form that is shown again.
func (c customerView) Problem(act, name string) string {
	if e := c.problems[name]; e != nil && c.wrote.Act == act {
		return worded(c.text, e)
	}
	return ""
}

// Wrote reports whether the form of the act is shown again.
func (c customerView) Wrote(act string) bool { return c.wrote.Act == act }
