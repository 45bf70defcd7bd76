-- What was spent on each turn that has ended, and on notes that agents took of long conversations. Rows
-- stay when their person goes: for the books, without anything that leads to the person.
CREATE TABLE usage (
    turn              TEXT PRIMARY KEY,  -- turns.id; random of notes, and once the person is gone
    kind              TEXT NOT NULL CHECK (kind IN ('turn', 'notes')),
    number            TEXT NOT NULL,
    agent             TEXT NOT NULL,
    contact_id        INTEGER,           -- NULL: gone
    at_ms             INTEGER NOT NULL,  -- when it ended first
    heard_ms          INTEGER NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    cached_tokens     INTEGER NOT NULL,  -- of prompt_tokens
    completion_tokens INTEGER NOT NULL,
    spoken_chars      INTEGER NOT NULL,
    spoken_ms         INTEGER NOT NULL,
    messages          INTEGER NOT NULL,  -- that the provider took
    tool_calls        INTEGER NOT NULL,
    credits           INTEGER NOT NULL,  -- that were spent on it
    prices            INTEGER,           -- prices.version; NULL: there was none
    currency          TEXT,
    cost              INTEGER,           -- millionths of the currency's unit
    certainty         TEXT NOT NULL CHECK (certainty IN ('exact', 'estimated', 'unknown')),
    unpriced          TEXT               -- what had no price: a list as JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_time ON usage (at_ms);
CREATE INDEX usage_contact ON usage (contact_id);

-- Versions of the price book. A row never changes.
CREATE TABLE prices (
    version    INTEGER PRIMARY KEY,
    book       TEXT NOT NULL,            -- usage::PriceBook as JSON
    created_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER prices_stay BEFORE UPDATE ON prices BEGIN
    SELECT RAISE(ABORT, 'a version of the prices never changes');
END;

-- Credits of a number or an agent. Who has no row here has no limit.
CREATE TABLE credits (
    scope      TEXT NOT NULL CHECK (scope IN ('number', 'agent')),
    name       TEXT NOT NULL,            -- phone_number_id, or the agent's name
    balance    INTEGER NOT NULL,         -- not spent yet, what is reserved included
    reserved   INTEGER NOT NULL,         -- by turns that run: the sum of their reservations
    spent      INTEGER NOT NULL,         -- since there is an account
    warn_below INTEGER,                  -- NULL: nobody is warned
    warned_ms  INTEGER,                  -- when it fell below that; NULL: it has not since
    version    INTEGER NOT NULL,         -- grows with each change by an operator
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

-- What running turns may spend. Triggers keep credits.reserved, so that it holds whatever statement
-- changes a reservation, an operator's too.
CREATE TABLE reservations (
    turn    TEXT PRIMARY KEY,            -- turns.id
    number  TEXT,                        -- NULL: the number has no account
    agent   TEXT,                        -- NULL: the agent has none
    amount  INTEGER NOT NULL CHECK (amount > 0),
    made_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER reservations_come AFTER INSERT ON reservations BEGIN
    UPDATE credits SET reserved = reserved + NEW.amount WHERE scope = 'number' AND name = NEW.number;
    UPDATE credits SET reserved = reserved + NEW.amount WHERE scope = 'agent' AND name = NEW.agent;
END;
CREATE TRIGGER reservations_go AFTER DELETE ON reservations BEGIN
    UPDATE credits SET reserved = reserved - OLD.amount WHERE scope = 'number' AND name = OLD.number;
    UPDATE credits SET reserved = reserved - OLD.amount WHERE scope = 'agent' AND name = OLD.agent;
END;
-- Who closes an account lets go of what was reserved of it, so that a new one of its name begins clean.
CREATE TRIGGER credits_go AFTER DELETE ON credits BEGIN
    UPDATE reservations SET number = NULL WHERE OLD.scope = 'number' AND number = OLD.name;
    UPDATE reservations SET agent = NULL WHERE OLD.scope = 'agent' AND agent = OLD.name;
END;

-- A turn that goes gives back what it had reserved; a person who goes leaves sums.
CREATE TRIGGER turns_go AFTER DELETE ON turns BEGIN
    DELETE FROM reservations WHERE turn = OLD.id;
END;
CREATE TRIGGER contacts_go AFTER DELETE ON contacts BEGIN
    UPDATE usage SET contact_id = NULL, turn = lower(hex(randomblob(16))) WHERE contact_id = OLD.id;
END;

-- What earlier versions counted; they knew no prices.
INSERT INTO usage
    SELECT id, 'turn', number, agent, contact_id, finished_ms,
           CAST(round(coalesce(spent ->> '$.heard_s', 0) * 1000) AS INTEGER),
           coalesce(spent ->> '$.prompt_tokens', 0), 0, coalesce(spent ->> '$.completion_tokens', 0),
           coalesce(spent ->> '$.spoken_chars', 0),
           CAST(round(coalesce(spent ->> '$.spoken_s', 0) * 1000) AS INTEGER),
           (SELECT count(*) FROM parts p WHERE p.turn = turns.id AND p.state = 'sent'),
           coalesce(json_array_length(report, '$.tools'), 0), 0, NULL, NULL, NULL, 'unknown', NULL
    FROM turns WHERE finished_ms IS NOT NULL;
