package e2e_test

import (
	"io"
	"mime"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// mailbox is a mail server that keeps what it is sent.
type mailbox struct {
	url string

	mu      sync.Mutex
	letters []*mail.Message
	bodies  []string
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	box := &mailbox{}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: box}, nil }))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	box.url = "smtp://" + listener.Addr().String() + "?from=desk@example.com&tls=none"
	return box
}

// received counts the messages by their id.
func (b *mailbox) received() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	count := map[string]int{}
	for _, l := range b.letters {
		count[l.Header.Get("Message-ID")]++
	}
	return count
}

// subjects returns the subjects of what came to an address.
func (b *mailbox) subjects(t *testing.T, to string) []string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var subjects []string
	for _, l := range b.letters {
		if strings.Contains(l.Header.Get("To"), to) {
			s, err := new(mime.WordDecoder).DecodeHeader(l.Header.Get("Subject"))
			require.NoError(t, err)
			subjects = append(subjects, s)
		}
	}
	return subjects
}

type session struct{ box *mailbox }

func (*session) Mail(string, *smtp.MailOptions) error { return nil }
func (*session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*session) Reset()                               {}
func (*session) Logout() error                        { return nil }

func (s *session) Data(r io.Reader) error {
	letter, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(letter.Body)
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.letters = append(s.box.letters, letter)
	s.box.bodies = append(s.box.bodies, string(body))
	return nil
}

// TestMailReachesTheCustomer goes through a real SMTP dialogue.
func TestMailReachesTheCustomer(t *testing.T) {
	t.Parallel()
	box := newMailbox(t)
	o := newOffice(t, func(o *office) {
		o.policy = repoFile("e2e", "testdata", "calm.yaml")
		o.env = append(o.env, "CLOSELOOP_SMTP_URL="+box.url)
	})
	id := o.submit(t, "--as", "wang.fang")
	o.run(t, "triage", id, "--as", "wang.fang")
	o.run(t, "assign", id, "--as", "wang.fang", "--to", "li.na")
	o.run(t, "respond", id, "--as", "li.na", "--method", "email", "--message", "我们在看")
	o.run(t, "resolve", id, "--as", "li.na", "--solution", "好了")
	eventually(t, func() bool { return len(box.subjects(t, "li@acme.example")) == 3 }, "three letters")
	for _, s := range box.subjects(t, "li@acme.example") {
		require.Contains(t, s, id)
	}
}
