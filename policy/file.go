package policy

import (
	"os"
	"sync"
)

// InForce is the policy that holds at present. A [Policy] is always in force; a
// [File] follows what is written in it.
type InForce interface {
	// Current returns the policy as of now. Keep the answer for one question, so that
	// it is answered by one policy.
	Current() *Policy
}

// Current returns the policy itself.
func (p *Policy) Current() *Policy { return p }

// File is a policy file that may be changed while it is in use. It is safe for
// concurrent use.
type File struct {
	path string
	told func(*Policy, error)

	mu   sync.Mutex
	held *Policy
	// seen is the file as it was when it was last read; nil when it was not there.
	seen os.FileInfo
}

// Follow loads the policy file. Later changes are taken up when somebody asks for
// the current policy, and are told: the new policy, or what is wrong with the
// file; then the last good one stays in force. told is called once a change, by
// one at a time, and must not ask for the policy itself. The error is that of
// [Load].
func Follow(path string, told func(*Policy, error)) (*File, error) {
	f := &File{path: path, told: told}
	// Looked at before it is read: what is written in between is read again.
	f.seen, _ = os.Stat(path)
	held, err := Load(path)
	if err != nil {
		return nil, err
	}
	f.held = held
	return f, nil
}

// Current returns the policy in the file, or the last good one.
func (f *File) Current() *Policy {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, _ := os.Stat(f.path)
	if f.same(info) {
		return f.held
	}
	f.seen = info
	p, err := Load(f.path)
	if err == nil {
		f.held = p
	}
	f.told(p, err)
	return f.held
}

// same reports whether the file is as it was when it was last read.
func (f *File) same(info os.FileInfo) bool {
	if info == nil || f.seen == nil {
		return info == nil && f.seen == nil
	}
	return os.SameFile(info, f.seen) && info.Size() == f.seen.Size() && info.ModTime().Equal(f.seen.ModTime())
}
