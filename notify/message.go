package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Message is a notice in words. All its texts are plain and bounded; the
// subject is one line.
type Message struct {
	// Key of the notice: the same notice always has the same one.
	Key
	// Address on the channel.
	Address string
	Subject string
	// Text and HTML say the same. A system gets neither.
	Text string
	HTML string
	// Payload is what a system gets, a JSON object; ID is the same whenever the same
	// is told.
	Payload []byte
	ID      string
	// Link is the signed address that is in the texts, empty when none is. It is a
	// secret: a channel whose texts others read takes it out.
	Link string
	// Language is that of the texts.
	Language string
	// At is when the message was made.
	At time.Time
}

// Digest identifies the notice to the outside without telling anything: a
// channel passes it on, so that a message that arrives twice is recognised.
func (k Key) Digest() string {
	return digest(k.Requirement, strconv.Itoa(k.Seq), k.Recipient, k.Channel)
}

// Thread identifies the conversation that the notice belongs to: what one
// recipient is told of one requirement.
func (k Key) Thread() string { return digest(k.Requirement, k.Recipient) }

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}
