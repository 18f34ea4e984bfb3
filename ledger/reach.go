package ledger

import (
	"context"
	"strings"

	"closeloop/access"
)

// Target returns what decides who may do something to a requirement
// ([access.Allow]): with the voters of all rounds and the people of all
// escalations. The error is [ErrNotFound] when it is not in the ledger.
func (l *Ledger) Target(ctx context.Context, id string) (access.Target, error) {
	const query = `SELECT department, owner, tracker, coalesce(ref, ''),
	ARRAY (SELECT unnest(person || passed_on_by) FROM approval_vote WHERE requirement_id = id),
	ARRAY (SELECT unnest(called) FROM escalation WHERE requirement_id = requirement.id)
FROM requirement WHERE id = $1`
	var t access.Target
	err := l.pool.QueryRow(ctx, query, storable(id)).Scan(&t.Department, &t.Owner, &t.Tracker, &t.Ref, &t.Voters, &t.Called)
	return t, failed("find "+id, err)
}

// readable narrows a query of requirements to those that the principal may read.
// It says in SQL what [access.Allow] says of one [access.Target].
func (c *conditions) readable(p access.Principal) {
	var some []string
	var values []any
	// Those that are found by their ids are one list, which is read first.
	var ids []string
	var names []any
	for _, reach := range p.Reaches(access.Read) {
		switch reach {
		case access.All:
			return
		case access.OwnSystem:
			if p.System != "" {
				// From the colon to the character after it: what begins with SYSTEM:.
				some = append(some, "ref >= ? AND ref < ?")
				values = append(values, storable(p.System)+":", storable(p.System)+";")
			}
		case access.Department:
			if p.Department != "" {
				some = append(some, "department = ?")
				values = append(values, storable(p.Department))
			}
			ids = append(ids, owned)
		case access.Own:
			ids = append(ids, owned)
		case access.Asked:
			ids = append(ids, asked, passedOn)
		case access.Called:
			ids = append(ids, called)
		case access.Involved:
			ids = append(ids, owned, tracked, asked, passedOn, called)
		}
	}
	if p.Person != "" && len(ids) > 0 {
		for range ids {
			names = append(names, storable(p.Person))
		}
		some = append(some, "id IN ("+strings.Join(ids, " UNION ")+")")
		values = append(values, names...)
	}
	if len(some) == 0 {
		some = []string{"false"}
	}
	c.add("("+strings.Join(some, " OR ")+")", values...)
}

// What the ids of requirements are looked up by, each with a person.
const (
	owned    = "SELECT id FROM requirement WHERE owner = ?"
	tracked  = "SELECT id FROM requirement WHERE tracker = ?"
	asked    = "SELECT requirement_id FROM approval_vote WHERE person = ?"
	passedOn = "SELECT requirement_id FROM approval_vote WHERE passed_on_by @> ARRAY[?]"
	called   = "SELECT requirement_id FROM escalation WHERE called @> ARRAY[?]"
)
