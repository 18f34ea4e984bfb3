-- +goose Up

-- What makes a request over HTTP happen once. A row is written only for requests
-- that carry a key, and lives for a day.
CREATE TABLE request (
    principal  text COLLATE "C",
    key        text COLLATE "C",
    digest     bytea       NOT NULL,
    answer     bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, key)
);
COMMENT ON TABLE request IS 'Requests under an Idempotency-Key, and what they were answered';
COMMENT ON COLUMN request.principal IS 'Whose key it is';
COMMENT ON COLUMN request.digest IS 'SHA-256 of method, path and body: another request must not have the same key';
COMMENT ON COLUMN request.answer IS 'Status, headers and body as JSON; null while the request is under way, and after a crash in the middle of it';
CREATE INDEX request_created ON request (created_at);

-- The order in which events are told to those who follow all requirements. It is
-- that of writing, across requirements; gaps mean nothing.
ALTER TABLE event ADD COLUMN position bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON COLUMN event.position IS 'Order in which events were written, across requirements; gaps mean nothing';
CREATE UNIQUE INDEX event_position ON event (position);

-- Requirements that somebody is, or was, involved in.
CREATE INDEX requirement_tracker ON requirement (tracker);
CREATE INDEX approval_vote_person ON approval_vote (person);
CREATE INDEX approval_vote_passed_on ON approval_vote USING gin (passed_on_by);
CREATE INDEX escalation_called ON escalation USING gin (called);
