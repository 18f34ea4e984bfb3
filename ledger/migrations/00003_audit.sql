-- +goose Up

-- When a clock next has something to say, which the workflow's timer waits for.
-- Rows that a worker of the release before writes keep what they had, so the
-- audit may take one for late; the requirement then tells its state anew.
ALTER TABLE requirement ADD COLUMN next_mark_at timestamptz;
COMMENT ON COLUMN requirement.next_mark_at IS 'When a clock next reaches a mark; null when none will';

-- What the audit looks for: no more rows than there are in such a state.
CREATE INDEX escalation_alive ON escalation (requirement_id) WHERE state IN ('climbing', 'acknowledged', 'alarmed');
CREATE INDEX clock_without_deadline ON clock (requirement_id) WHERE stopped_at IS NULL AND deadline IS NULL;
