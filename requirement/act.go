package requirement

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Name is the name of an act. It is at once the name of the Update, of the
// Signal and of the command.
type Name string

// Header is what every act carries.
type Header struct {
	// ActID makes the act happen once, however often it is sent. An act without
	// one is taken as new each time.
	ActID string `json:"act_id,omitempty"`
	// Actor is the id of who acts: a person of the policy, customer, or system.
	Actor string `json:"actor,omitempty"`
	// Via is how the actor was known to be who they say: by which program, token or
	// link. It is the word of whoever sends the act, for the ledger; nothing is
	// decided by it.
	Via string `json:"via,omitempty"`
}

// ID returns the id that makes the act happen once.
func (h Header) ID() string { return h.ActID }

// By returns the id of who acts.
func (h Header) By() string {
	if h.Actor == "" {
		return SystemActor
	}
	return h.Actor
}

// KnownBy returns how the actor was known; empty when nobody said.
func (h Header) KnownBy() string { return h.Via }

// Sign puts in who acts, and how they were known.
func (h *Header) Sign(by Header) { *h = by }

// Names returns the people an act names besides its actor: nobody, unless the
// act says otherwise.
func (Header) Names() []string { return nil }

// Departments returns the departments an act names: none, unless the act says
// otherwise.
func (Header) Departments() []string { return nil }

// An Act is something a person does to a requirement. The set is closed: see
// [Table] for all of them.
type Act interface {
	// ID, By and KnownBy come from [Header].
	ID() string
	By() string
	KnownBy() string
	// Names are the people the act names, who must be known.
	Names() []string
	// Departments are those the act names, which must exist.
	Departments() []string
	// Name of the act.
	Name() Name
	// Valid checks the fields alone.
	Valid() error
	// allowed checks what the table cannot say; it changes nothing. Its rules
	// are replayed: tighten them only with a new version of the act.
	allowed(r *Requirement) error
	// apply does the act and returns the sequence number of its fact.
	apply(r *Requirement, now time.Time) int
}

// Verdict is the answer to an act that was accepted.
type Verdict struct {
	ID       string `json:"id"`
	Act      Name   `json:"act"`
	Accepted bool   `json:"accepted"`
	Stage    Stage  `json:"stage"`
	// Seq is the sequence number of the act's fact.
	Seq int `json:"seq"`
	// ActID is the id under which it happened.
	ActID string `json:"act_id,omitempty"`
}

// maxDone is how many ids of acts a requirement remembers. A repetition comes
// within minutes; a requirement sees some dozen acts in its life.
const maxDone = 500

// Check reports whether the act may be done now by its actor; nil means yes. It
// never changes anything, and it is the validator of the act's Update: a
// refused act costs no history. An act that was done before under the same id
// is fine.
func (r *Requirement) Check(people People, act Act) error {
	if _, done, err := r.done(act); done || err != nil {
		return err
	}
	if err := validText("act_id", act.ID(), MaxName, false); err != nil {
		return err
	}
	if err := validText("via", act.KnownBy(), MaxName, false); err != nil {
		return err
	}
	if err := act.Valid(); err != nil {
		return err
	}
	if err := r.permitted(act); err != nil {
		return err
	}
	for _, id := range act.Names() {
		if _, ok := people.Find(id); !ok {
			return unknown(id)
		}
	}
	for _, id := range act.Departments() {
		if !people.HasDepartment(id) {
			return invalid("department", "no_department", fmt.Sprintf("%q is not a department of the policy; see closeloop policy show", id), "value", id)
		}
	}
	return r.entitled(people, act)
}

// entitled checks that the actor is somebody, and has one of the roles that the
// table asks for, if it asks for any.
func (r *Requirement) entitled(people People, act Act) error {
	return r.allows(people, act.By(), act.Name(), ruleOf(act.Name()).Roles)
}

// allows checks that the person is somebody and has one of the roles; no roles
// means that everybody may who is known.
func (r *Requirement) allows(people People, id string, act Name, allowed []Role) error {
	actor, known := people.Find(id)
	if !known {
		actor = Actor{ID: id}
	}
	roles := r.rolesOn(actor)
	if !known && len(roles) == 0 {
		return unknown(actor.ID)
	}
	if len(allowed) == 0 {
		return nil
	}
	for _, role := range roles {
		if slices.Contains(allowed, role) {
			return nil
		}
	}
	return refuse(CodeRole, actor.ID+" may not "+string(act)+": that takes "+join(allowed),
		"act as somebody else with --as", "person", actor.ID, "act", string(act), "roles", join(allowed))
}

func unknown(id string) *Error {
	return refuse(CodeUnknown, id+" is not in the policy's people",
		"name somebody of the policy; see closeloop policy show", "person", id)
}

// permitted is the structural half of Check: stage and state. It is what Do
// checks again, so it must not depend on who the directory says somebody is.
func (r *Requirement) permitted(act Act) error {
	rule := ruleOf(act.Name())
	if r.Over() || !slices.Contains(rule.In, r.Stage) {
		code, hint := CodeStage, r.hint()
		if r.Over() {
			code = CodeOver
		}
		return refuse(code, r.ID+" is "+string(r.Stage)+": "+string(act.Name())+" is possible in "+join(rule.In),
			hint, "id", r.ID, "stage", string(r.Stage), "act", string(act.Name()), "stages", join(rule.In))
	}
	return act.allowed(r)
}

// Do does the act at the instant now. It checks stage and state again, but not
// fields and roles: those are for Check, which a replay does not repeat. What
// fell due before now happens first.
func (r *Requirement) Do(now time.Time, act Act) (Verdict, error) {
	if v, done, err := r.done(act); done || err != nil {
		return v, err
	}
	r.Tick(now)
	if err := r.permitted(act); err != nil {
		return Verdict{}, err
	}
	end := r.actsAs(act.By(), act.KnownBy())
	seq := act.apply(r, now)
	r.retime(now, act.By())
	end()
	// A target that the act made shorter may be used up already.
	r.Tick(now)
	v := Verdict{ID: r.ID, Act: act.Name(), Accepted: true, Stage: r.Stage, Seq: seq, ActID: act.ID()}
	if act.ID() != "" {
		r.Done = append(r.Done, v)
		if len(r.Done) > maxDone {
			r.Done = slices.Clone(r.Done[len(r.Done)-maxDone:])
		}
	}
	return v, nil
}

// done returns the verdict of an act that was done before under the same id.
func (r *Requirement) done(act Act) (Verdict, bool, error) {
	if act.ID() == "" {
		return Verdict{}, false, nil
	}
	for _, v := range r.Done {
		if v.ActID != act.ID() {
			continue
		}
		if v.Act != act.Name() {
			return Verdict{}, false, refuse(CodeActID, "the id "+act.ID()+" belongs to another act: "+string(v.Act),
				"send each act under an id of its own", "act_id", act.ID(), "act", string(v.Act))
		}
		return v, true, nil
	}
	return Verdict{}, false, nil
}

// Refuse puts an act that was not allowed on record, so that a signal is never
// lost in silence. via is how the actor was known; empty when nobody said.
func (r *Requirement) Refuse(now time.Time, name Name, actor, via, reason string) {
	r.Tick(now)
	defer r.actsAs(actor, via)()
	r.record(now, ActRefused, actor, struct {
		Act    Name   `json:"act"`
		Reason string `json:"reason"`
	}{name, reason})
}

func join[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = string(t)
	}
	return strings.Join(texts, ", ")
}
