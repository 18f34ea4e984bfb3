-- +goose Up

ALTER TABLE event ADD COLUMN via text;
COMMENT ON COLUMN event.via IS 'How the actor was known to be who they say: cli, token:ID, oidc, link, webhook:NAME …; null when nobody said';
