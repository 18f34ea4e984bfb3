-- +goose Up

CREATE TABLE api_token (
    id           text COLLATE "C" PRIMARY KEY,
    name         text        NOT NULL,
    hash         bytea       NOT NULL CHECK (length(hash) = 32),
    person       text,
    upstream     text,
    auditor      boolean     NOT NULL,
    scopes       text[],
    created_at   timestamptz NOT NULL,
    created_by   text        NOT NULL,
    expires_at   timestamptz NOT NULL,
    revoked_at   timestamptz,
    revoked_by   text,
    last_used_at timestamptz,
    CHECK (num_nonnulls(person, upstream, nullif(auditor, false)) = 1)
);
COMMENT ON TABLE api_token IS 'API tokens of people, upstream systems and auditors; the tokens themselves are nowhere';
COMMENT ON COLUMN api_token.hash IS 'SHA-256 of the token''s text';
COMMENT ON COLUMN api_token.person IS 'Whom it speaks for; their roles are those of the policy';
COMMENT ON COLUMN api_token.upstream IS 'The system that it speaks for: what is before the colon in its references';
COMMENT ON COLUMN api_token.scopes IS 'What it is good for: submit, read, act; null for all of it';
COMMENT ON COLUMN api_token.last_used_at IS 'When it was last used, to about a minute';
