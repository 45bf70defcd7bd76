CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- What has come and is not done, in order. `lane` is whose order, `about` the turn it is of.
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL UNIQUE,
    lane TEXT NOT NULL,
    kind TEXT NOT NULL,
    about TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX items_by_lane ON items (lane, id);

CREATE TABLE contacts (hark TEXT PRIMARY KEY, chatwoot INTEGER NOT NULL, source TEXT NOT NULL) STRICT;

-- `ticket` is the one that is open, `documented` the last whose history was posted.
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hark TEXT NOT NULL UNIQUE,
    contact TEXT NOT NULL,
    chatwoot INTEGER NOT NULL,
    ticket TEXT,
    reason TEXT,
    summary TEXT,
    documented TEXT
) STRICT;
CREATE INDEX conversations_by_chatwoot ON conversations (chatwoot);

-- What was begun in Chatwoot for an item: it may be there although nobody said so.
CREATE TABLE begun (
    source TEXT PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE
) STRICT;

-- Turns that send what was written in Chatwoot; `turn` is empty where hark refused it.
CREATE TABLE said (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL,
    part TEXT NOT NULL,
    turn TEXT,
    failed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (message, part)
) STRICT;
CREATE INDEX said_by_turn ON said (turn);

-- Voice notes that were posted before their words were known.
CREATE TABLE wordless (turn TEXT PRIMARY KEY) STRICT;
