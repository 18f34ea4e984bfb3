package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"closeloop/requirement"
)

var (
	roundTable = table{name: "approval_round", key: []string{"requirement_id", "round"}, columns: []string{
		"state", "need", "rule", "opened_at", "decided_at", "decided_by",
	}}
	voteTable = table{name: "approval_vote", key: []string{"requirement_id", "round", "position"}, columns: []string{
		"seat", "person", "passed_on_by", "vote", "at", "comment",
	}}
)

type roundRow struct {
	RequirementID string                 `json:"requirement_id"`
	Round         int                    `json:"round"`
	State         requirement.RoundState `json:"state"`
	Need          int                    `json:"need"`
	Rule          string                 `json:"rule"`
	OpenedAt      time.Time              `json:"opened_at"`
	DecidedAt     *time.Time             `json:"decided_at"`
	DecidedBy     string                 `json:"decided_by"`
}

type voteRow struct {
	RequirementID string             `json:"requirement_id"`
	Round         int                `json:"round"`
	Position      int                `json:"position"`
	Seat          string             `json:"seat"`
	Person        string             `json:"person"`
	PassedOnBy    []string           `json:"passed_on_by"`
	Vote          requirement.Answer `json:"vote"`
	At            *time.Time         `json:"at"`
	Comment       string             `json:"comment"`
}

// Statements on an earlier round. A round that was overtaken within the same
// transition is no longer in the state; its facts tell what became of it. A vote
// belongs to the round that was opened last before it.
const (
	roundOf = `(SELECT (data ->> 'round')::integer FROM event
WHERE requirement_id = $1 AND kind = 'round_opened' AND seq < $2 ORDER BY seq DESC LIMIT 1)`

	castVote = `UPDATE approval_vote SET vote = $4, at = $5, comment = $6
WHERE requirement_id = $1 AND round = ` + roundOf + ` AND person = $3 AND vote IN ('pending', 'queued')
AND EXISTS (SELECT FROM requirement WHERE id = $1 AND seq = $7)`

	passVote = `UPDATE approval_vote SET person = $4, passed_on_by = passed_on_by || $3::text
WHERE requirement_id = $1 AND round = ` + roundOf + ` AND person = $3 AND vote IN ('pending', 'queued')
AND EXISTS (SELECT FROM requirement WHERE id = $1 AND seq = $5)`

	decideRound = `UPDATE approval_round SET state = $3, decided_at = $4, decided_by = $5
WHERE requirement_id = $1 AND round = $2 AND state = 'open'`

	// Nobody needs an answer to the rounds before the present one any longer:
	// another wording asked anew.
	closeVotes = `UPDATE approval_vote SET vote = 'withdrawn'
WHERE requirement_id = $1 AND round < $2 AND vote IN ('pending', 'queued')
AND EXISTS (SELECT FROM requirement WHERE id = $1 AND seq = $3)`
	closeRounds = `UPDATE approval_round SET state = 'withdrawn', decided_by = 'system', decided_at = (
	SELECT min(amended.at) FROM event opened JOIN event amended
	ON amended.requirement_id = $1 AND amended.kind = 'amended' AND amended.seq > opened.seq
	WHERE opened.requirement_id = $1 AND opened.kind = 'round_opened'
	AND (opened.data ->> 'round')::integer = approval_round.round)
WHERE requirement_id = $1 AND round < $2 AND state = 'open'
AND EXISTS (SELECT FROM requirement WHERE id = $1 AND seq = $3)`
)

// approvals stores the present round from the state, and what became of the
// rounds before it from the events. A round whose people are still being looked
// up is none yet.
func (w *writing) approvals() error {
	a := w.t.State.Approval
	if a == nil {
		return nil
	}
	if a.Round > 1 {
		if err := w.earlierRounds(a.Round); err != nil {
			return err
		}
	}
	if a.OpenedAt.IsZero() {
		return nil
	}
	return w.round(*a)
}

// round stores a round with its votes.
func (w *writing) round(a requirement.Approval) error {
	if err := w.derive(roundTable, []roundRow{{
		RequirementID: w.id(), Round: a.Round, State: a.State, Need: a.Need, Rule: a.Rule,
		OpenedAt: stamp(a.OpenedAt), DecidedAt: stampOrNull(a.DecidedAt), DecidedBy: a.DecidedBy,
	}}); err != nil {
		return err
	}
	votes := make([]voteRow, 0, len(a.Votes))
	for i, v := range a.Votes {
		votes = append(votes, voteRow{
			RequirementID: w.id(), Round: a.Round, Position: i + 1, Seat: v.Seat, Person: v.Person,
			PassedOnBy: orNone(v.From), Vote: v.Answer, At: stampOrNull(v.At), Comment: v.Comment,
		})
	}
	return w.derive(voteTable, votes)
}

// earlierRounds replays the facts about rounds before the present one.
func (w *writing) earlierRounds(present int) error {
	// Votes after the opening of the present round are in the state.
	for _, e := range w.t.Events {
		over, err := w.replay(e, present)
		if err != nil {
			return fmt.Errorf("event %d (%s): %w", e.Seq, e.Kind, err)
		}
		if over {
			break
		}
	}
	w.batch.Queue(closeVotes, w.id(), present, w.last())
	w.batch.Queue(closeRounds, w.id(), present, w.last())
	return nil
}

// replay queues what an event says of an earlier round; over is true when the
// event opened the present one.
func (w *writing) replay(e requirement.Event, present int) (over bool, err error) {
	// The particulars of the acts and of rounds, whichever it is.
	var said struct {
		Round   int                    `json:"round"`
		State   requirement.RoundState `json:"state"`
		Comment string                 `json:"comment"`
		Reason  string                 `json:"reason"`
		To      string                 `json:"to"`
	}
	switch e.Kind {
	case requirement.RoundOpened:
		var opened requirement.Approval
		if err := json.Unmarshal(e.Data, &opened); err != nil {
			return false, err
		}
		if opened.Round >= present {
			return true, nil
		}
		return false, w.round(opened)
	case requirement.VoteApproved, requirement.VoteDeclined, requirement.VoteDelegated, requirement.RoundDecided:
		if err := json.Unmarshal(e.Data, &said); err != nil {
			return false, err
		}
	default:
		return false, nil
	}
	actor, at := storable(e.Actor), stamp(e.At)
	switch e.Kind {
	case requirement.VoteApproved:
		w.batch.Queue(castVote, w.id(), e.Seq, actor, requirement.AnswerApprove, at, storable(said.Comment), w.last())
	case requirement.VoteDeclined:
		w.batch.Queue(castVote, w.id(), e.Seq, actor, requirement.AnswerDecline, at, storable(said.Reason), w.last())
	case requirement.VoteDelegated:
		w.batch.Queue(passVote, w.id(), e.Seq, actor, storable(said.To), w.last())
	default:
		if said.Round < present {
			w.batch.Queue(decideRound, w.id(), said.Round, said.State, at, actor)
		}
	}
	return false, nil
}
