-- What operators and tokens did through the API or a stream of commands.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms  INTEGER NOT NULL,
    token  TEXT NOT NULL,           -- tokens.id, or what else gives the right
    name   TEXT NOT NULL,           -- who has it, as it was then
    role   TEXT NOT NULL,
    deed   TEXT NOT NULL,           -- method and route, such as DELETE /api/v1/contacts/{id}
    path   TEXT NOT NULL,           -- on what: the path, without a query
    status INTEGER NOT NULL         -- as it was answered
) STRICT;
CREATE INDEX audit_time ON audit (at_ms);

-- What is old is looked for by it.
CREATE INDEX messages_received ON messages (received_ms);
