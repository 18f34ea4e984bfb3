package gateway

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"closeloop/access"
	"closeloop/link"
	"closeloop/locale"
	"closeloop/notify"
	"closeloop/policy"
	"closeloop/requirement"
	"closeloop/sla"
	"closeloop/starter"
)

// approverPage shows a person what their vote is asked for (R2).
func (p *pages) approverPage(w http.ResponseWriter, r *http.Request) {
	if v, ok := p.enter(w, r, link.ForApprover); ok && v.forApprover(access.Operation(requirement.ActApprove)) {
		v.showApprover(http.StatusOK, "", nil)
	}
}

// approverAct casts a vote.
func (p *pages) approverAct(w http.ResponseWriter, r *http.Request) {
	v, ok := p.enter(w, r, link.ForApprover)
	if !ok {
		return
	}
	act := v.vote()
	if act == nil {
		if v.forApprover(access.Operation(requirement.ActApprove)) {
			v.showApprover(http.StatusBadRequest, "stale", nil)
		}
		return
	}
	if !v.forApprover(access.Operation(act.Name())) {
		return
	}
	if !v.sent.sealed(p.Links.Keys, v.token) {
		v.showApprover(http.StatusForbidden, "stale", nil)
		return
	}
	if err := act.Valid(); err != nil {
		v.showApprover(http.StatusUnprocessableEntity, "wrong", problemsOf(err))
		return
	}
	seen := v.standing() == votePending
	if seen {
		var err error
		if seen, err = v.sameRound(); err != nil {
			v.unreachable(err)
			return
		}
	}
	v.do(act, seen, func(err error) {
		if wrong := problemsOf(err); wrong != nil {
			v.showApprover(http.StatusUnprocessableEntity, "wrong", wrong)
			return
		}
		v.showApprover(http.StatusConflict, "changed", nil)
	})
}

// forApprover makes sure that the person is still somebody who may do that, as
// the directory and the table of roles stand today; false when it has answered.
func (v *visit) forApprover(o access.Operation) bool {
	rules := v.Policy.Current()
	id := v.link.Recipient
	if person, ok := rules.Person(id); ok {
		v.text = readerOf(v.r, person.Language)
	}
	who, known := access.Person(rules, id, access.ViaLink+id)
	if !known {
		return v.note("revoked", http.StatusGone)
	}
	// Somebody who never had a seat has no link; a round that came after theirs has
	// other seats, and the page says so.
	if target := access.TargetOf(v.held.View(v.now)); !access.Allow(who, o, target) && v.held.Approval != nil &&
		v.held.Approval.Round == v.link.Round && v.held.Approval.State != requirement.RoundAsking {
		return v.note("not_asked", http.StatusForbidden)
	}
	return true
}

// vote is the act that the form asks for; nil when it asks for none.
func (v *visit) vote() requirement.Act {
	f, id := v.sent, v.link.Recipient
	header := requirement.Header{ActID: f.actID(), Actor: id, Via: access.ViaLink + id}
	switch requirement.Name(f.Act) {
	case requirement.ActApprove:
		return requirement.Approve{Header: header, Comment: f.values[fieldComment]}
	case requirement.ActDecline:
		return requirement.Decline{Header: header, Reason: f.values[fieldReason]}
	default:
		return nil
	}
}

// sameRound asks the requirement itself whether the round of the link is still
// the one that is open: the ledger may be a moment behind, and a vote must not
// count for a wording that the visitor has not read. The error is that there is no
// answer.
func (v *visit) sameRound() (bool, error) {
	now, err := v.Desk.View(v.r.Context(), v.held.ID)
	if errors.Is(err, starter.ErrNotFound) || errors.Is(err, starter.ErrOver) {
		return false, nil
	}
	return err == nil && now.Approval != nil && now.Approval.Round == v.link.Round, err
}

// Where somebody stands towards the round that their link is for.
const (
	votePending   = "pending"
	voteQueued    = "queued"
	voteCast      = "cast"
	voteDelegated = "delegated"
	voteOwn       = "own"
	voteOver      = "over"
	voteNewRound  = "new_round"
	voteEnded     = "ended"
	voteAsking    = "asking"
)

// standing says where the visitor stands towards the round of their link.
func (v *visit) standing() string {
	r, id := v.held, v.link.Recipient
	a := r.Approval
	switch {
	case a == nil || a.Round < v.link.Round:
		return voteAsking
	case a.Round > v.link.Round && r.Stage == requirement.Reviewing:
		return voteNewRound
	case a.Round > v.link.Round:
		return voteOver
	case slices.Contains(r.Requesters(), id):
		return voteOwn
	}
	for _, vote := range a.Votes {
		switch {
		case vote.Person == id && (vote.Answer == requirement.AnswerApprove || vote.Answer == requirement.AnswerDecline):
			return voteCast
		case vote.Person != id && slices.Contains(vote.From, id):
			return voteDelegated
		case vote.Person == id && vote.Answer == requirement.AnswerQueued:
			return voteQueued
		case vote.Person == id && vote.Answer == requirement.AnswerPending && r.Stage == requirement.Reviewing:
			return votePending
		}
	}
	if r.Over() && a.State == requirement.RoundWithdrawn {
		return voteEnded
	}
	return voteOver
}

// approverView is what somebody needs to know in order to vote.
type approverView struct {
	frame
	Hidden   hidden
	wrote    form
	problems problems

	ID, Subject string
	Asked       []labelled
	Facts       []labelled
	Talk        []utterance
	Links       []string
	Votes       []ballot
	Need        string
	// Until is when the vote is due; Late that this has passed.
	Until string
	Late  bool
	// Says is where the visitor stands when there is nothing to vote on.
	Says string
	May  bool
	Lost []string
}

// ballot is one seat of the round.
type ballot struct {
	Who, Seat, Answer, Comment string
	// Mood is good for a yes, bad for a no, plain otherwise.
	Mood string
	You  bool
}

// showApprover answers with the page of a vote; banner as in showCustomer.
func (v *visit) showApprover(status int, banner string, wrong problems) {
	r, rules := v.held, v.Policy.Current()
	view := approverView{
		Hidden: newHidden(v.Links.Keys, v.token, strconv.Itoa(v.link.Round)), problems: wrong,
		ID: r.ID, Subject: notify.Visible(r.Title), Asked: v.askedFor(r), Facts: v.facts(rules.Directory),
	}
	for _, a := range r.Attachments {
		view.Links = append(view.Links, notify.Visible(a))
	}
	v.ballots(&view, rules.Directory)
	standing := v.standing()
	title := v.text.Text("page.vote.title", nil)
	if standing != votePending {
		title = v.text.Text("page.vote."+standing+".title", nil)
		view.Says = v.text.Text("page.vote."+standing+".text", map[string]any{
			"Who": v.passedTo(rules.Directory), "Answer": v.cast(), "Outcome": v.decided(),
		})
	}
	view.frame = v.frame(title)
	view.Banner, view.Tone = v.thanks(requirement.ActApprove, requirement.ActDecline), "good"
	view.May = standing == votePending && view.Banner == ""
	if banner != "" {
		view.Banner, view.Tone = v.text.Text("page.banner."+banner, nil), "bad"
		view.wrote = v.sent
		if !view.May {
			view.Lost = v.sent.words()
		}
	}
	show(v.w, status, approverTemplate, view)
}

// facts are what a decision may hang on.
func (v *visit) facts(d policy.Directory) []labelled {
	r := v.held
	var list []labelled
	add := func(name, value string) {
		if value = notify.Visible(value); value != "" {
			list = append(list, labelled{v.text.Text("page.fact."+name, nil), value})
		}
	}
	add("customer", sentence(r.Customer, v.text.Name("tier", r.Tier)))
	add("background", r.Background)
	add("type", v.text.Name("type", r.Type))
	add("priority", sentence(v.text.Name("priority", r.Priority), v.text.Name("urgency", r.Urgency)))
	add("channel", v.text.Name("channel", r.Channel))
	add("department", departmentIn(d, r.Department, v.text))
	add("asked_by", personIn(d, r.SubmittedBy, v.text))
	add("owner", personIn(d, r.Owner, v.text))
	add("received", v.when(r.CreatedAt))
	return list
}

// ballots puts the seats of the round into the view, when it is the one that the
// link is for.
func (v *visit) ballots(view *approverView, d policy.Directory) {
	a := v.held.Approval
	if a == nil || a.Round != v.link.Round || a.OpenedAt.IsZero() {
		return
	}
	view.Need = v.text.Text("page.vote.need", map[string]any{"Round": a.Round, "Need": a.Need, "Of": len(a.Votes)})
	for _, vote := range a.Votes {
		b := ballot{
			Who: personIn(d, vote.Person, v.text), Seat: seatIn(vote.Seat, v.text), Answer: v.text.Name("vote", string(vote.Answer)),
			Comment: notify.Visible(vote.Comment), Mood: "plain", You: vote.Person == v.link.Recipient,
		}
		switch vote.Answer {
		case requirement.AnswerApprove:
			b.Mood = "good"
		case requirement.AnswerDecline:
			b.Mood = "bad"
		default: // not cast
		}
		view.Votes = append(view.Votes, b)
	}
	for i := range v.held.Clocks {
		c := &v.held.Clocks[i]
		if c.Name != sla.Approval || !c.Ticking() {
			continue
		}
		if at, ok := c.Deadline(v.held.CalendarOf(c)); ok {
			view.Until, view.Late = v.when(at), !at.After(v.now)
		}
	}
}

// passedTo is who has the visitor's vote now.
func (v *visit) passedTo(d policy.Directory) string {
	if v.held.Approval != nil {
		for _, vote := range v.held.Approval.Votes {
			if slices.Contains(vote.From, v.link.Recipient) {
				return personIn(d, vote.Person, v.text)
			}
		}
	}
	return ""
}

// cast is the visitor's vote in words.
func (v *visit) cast() string {
	if v.held.Approval != nil {
		for _, vote := range v.held.Approval.Votes {
			if vote.Person == v.link.Recipient {
				return v.text.Name("vote", string(vote.Answer))
			}
		}
	}
	return ""
}

// decided is how the round ended, in words.
func (v *visit) decided() string {
	a := v.held.Approval
	if a == nil || a.Round != v.link.Round || !a.State.Decided() {
		return ""
	}
	return v.text.Text("page.vote.outcome."+string(a.State), nil)
}

// Field returns an input of the form of a vote.
func (a approverView) Field(act, name string, required bool) input {
	f := input{ID: act + "-" + name, Name: name, Label: a.T("field." + act + "." + name), Required: required}
	if a.wrote.Act == act {
		f.Value = a.wrote.values[name]
		if e := a.problems[name]; e != nil {
			f.Problem = worded(a.text, e)
		}
	}
	return f
}

// Wrote reports whether the form of the act is shown again.
func (a approverView) Wrote(act string) bool { return a.wrote.Act == act }

// personIn is the name by which people know somebody.
func personIn(d policy.Directory, id string, text *locale.Localizer) string {
	if p, ok := d.Person(id); ok {
		return nameIn(text, p.Name, p.NameEN, id)
	}
	return text.Name("role", id)
}

func departmentIn(d policy.Directory, id string, text *locale.Localizer) string {
	if dep, ok := d.Department(id); ok {
		return nameIn(text, dep.Name, dep.NameEN, id)
	}
	return id
}

// nameIn is the name in the language; where there is none the other one.
func nameIn(text *locale.Localizer, name, english, id string) string {
	if text.Language() == locale.English {
		name, english = english, name
	}
	for _, n := range []string{name, english} {
		if n != "" {
			return n
		}
	}
	return id
}

// seatIn names the role that a seat is for; a seat that is a person says nothing
// more.
func seatIn(seat string, text *locale.Localizer) string {
	if role, ok := strings.CutPrefix(seat, policy.SeatRole); ok {
		return text.Name("role", role)
	}
	if seat == policy.SeatHead {
		return text.Name("role", "head")
	}
	return ""
}
