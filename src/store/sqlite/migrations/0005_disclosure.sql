-- When the first part was planned with which the person was told that a machine speaks.
-- NULL: not in this turn.
ALTER TABLE turns ADD COLUMN disclosed_ms INTEGER;
CREATE INDEX turns_disclosed ON turns (contact_id, number, disclosed_ms)
    WHERE disclosed_ms IS NOT NULL;
