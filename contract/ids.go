package contract

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
)

// idPrefix begins every requirement's id.
const idPrefix = "REQ-"

// idLength is the number of characters after the prefix: 40 bits, so that among
// a million requirements one in a million new ids is taken; then the next probe
// is tried.
const idLength = 8

// alphabet is Crockford's base 32: no letter that is taken for another.
var alphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// RequirementID returns the id that belongs to a key, such as an external
// reference: the same key always gives the same id. probe counts from 0 the ids
// that turned out to belong to other keys.
func RequirementID(key string, probe int) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(probe) + "\x00" + key))
	return idPrefix + alphabet.EncodeToString(sum[:])[:idLength]
}

// NormalID returns the id as it is stored, for one that a person typed: letters
// in any case, the prefix left out.
func NormalID(typed string) string {
	id := strings.ToUpper(strings.TrimSpace(typed))
	if !strings.HasPrefix(id, idPrefix) && len(id) == idLength {
		id = idPrefix + id
	}
	return id
}

// EscalationID returns the workflow id of an escalation of a requirement.
func EscalationID(requirementID, escalation string) string {
	return requirementID + "/escalation/" + escalation
}

// AuditScheduleID returns the id of the schedule that audits the requirements of
// the workers on a task queue: installations may share a namespace.
func AuditScheduleID(taskQueue string) string { return auditPrefix + "/" + taskQueue }

// AuditID returns the id of an audit that somebody starts by hand; there is one
// at a time.
func AuditID(taskQueue string) string { return AuditScheduleID(taskQueue) + "/by-hand" }
