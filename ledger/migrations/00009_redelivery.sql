-- +goose Up

-- When a notice may be tried, so that one that waits for a whole hour is not
-- tried early because another of the same transition waits for a second.
ALTER TABLE notice ADD COLUMN due_at timestamptz;
COMMENT ON COLUMN notice.due_at IS 'When it may be tried next; null for at once';

ALTER TABLE notice ADD COLUMN opened_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN notice.opened_at IS 'When it was written, or somebody asked to have it sent again';
