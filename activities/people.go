package activities

import (
	"context"
	"slices"
	"time"

	"closeloop/contract"
	"closeloop/escalation"
	"closeloop/policy"
	"closeloop/requirement"
)

// People answers from the policy's directory who somebody is and who fills a
// seat. It is asked when somebody is needed, not when a requirement starts,
// because people come, go and are on leave.
type People struct {
	Policy *policy.Policy
}

// company returns the directory as the domain asks it.
func (p *People) company() requirement.Company {
	return requirement.Company{Directory: p.Policy.Directory, Unknown: p.Policy.UnknownPeople}
}

// FindPeople returns those of the people who are known, with their roles, and
// those of the departments that exist.
func (p *People) FindPeople(_ context.Context, req contract.WhoRequest) (requirement.Known, error) {
	var known requirement.Known
	company := p.company()
	for _, id := range req.People {
		if a, ok := company.Find(id); ok {
			known.Actors = append(known.Actors, a)
		}
	}
	for _, id := range req.Departments {
		if company.HasDepartment(id) {
			known.Departments = append(known.Departments, id)
		}
	}
	return known, nil
}

// FillSeats finds one person for each seat: the first who is present, or whose
// substitute is, who is not excluded and has no other seat. Where there is
// nobody the fallback is asked, and then the managers, so that a quorum does not
// shrink because somebody is away (R2; substitutes that point at each other
// count as nobody). Seats that stay empty all the same are left out.
func (p *People) FillSeats(_ context.Context, req contract.SeatsRequest) ([]requirement.FilledSeat, error) {
	filled := []requirement.FilledSeat{}
	taken := slices.Clone(req.Except)
	take := func(seat string, candidates []string) bool {
		for _, id := range p.present(candidates, req.At) {
			if !slices.Contains(taken, id) {
				taken = append(taken, id)
				filled = append(filled, requirement.FilledSeat{Seat: seat, Person: id})
				return true
			}
		}
		return false
	}
	for _, seat := range req.Seats {
		for _, who := range []string{seat, req.Fallback, policy.SeatRole + string(requirement.Manager)} {
			if who != "" && take(seat, p.Policy.Candidates(who, req.Cast)) {
				break
			}
		}
	}
	return filled, nil
}

// StaffChain finds everybody on each level of a chain, substitutes for those
// who are away. A level may be left without anybody; it is passed over.
func (p *People) StaffChain(_ context.Context, req contract.ChainRequest) (contract.StaffedChain, error) {
	staff := func(seats []string) []string {
		people := []string{}
		for _, seat := range seats {
			for _, id := range p.present(p.Policy.Candidates(seat, req.Cast), req.At) {
				if !slices.Contains(people, id) {
					people = append(people, id)
				}
			}
		}
		return people
	}
	staffed := contract.StaffedChain{Alarm: staff(req.Chain.Alarm)}
	for _, level := range req.Chain.Levels {
		staffed.Calls = append(staffed.Calls, escalation.Call{
			People: staff(level.People), Within: level.AcknowledgeWithin, Times: level.Times, Calendar: level.Calendar,
		})
	}
	return staffed, nil
}

// present returns who stands in for the candidates at that instant. Somebody
// whom the directory does not know stands for themselves when the policy lets
// unknown people act.
func (p *People) present(candidates []string, at time.Time) []string {
	var people []string
	for _, id := range candidates {
		if person, err := p.Policy.Standing(id, at); err == nil {
			people = append(people, person.ID)
			continue
		}
		if _, listed := p.Policy.Person(id); listed {
			continue
		}
		if _, known := p.company().Find(id); known && id != requirement.SystemActor {
			people = append(people, id)
		}
	}
	return people
}
