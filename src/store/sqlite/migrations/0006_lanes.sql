-- The message that is next in each lane, if none of the lane is leased: what can be leased is found
-- without reading what waits behind it. Triggers keep it, so that it holds whatever statement changes
-- a message, an operator's too.
CREATE TABLE lanes (
    number       TEXT NOT NULL,
    contact_id   INTEGER NOT NULL,
    head         INTEGER NOT NULL,   -- messages.id
    available_ms INTEGER NOT NULL,
    PRIMARY KEY (number, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_due ON lanes (number, available_ms, head);
CREATE INDEX messages_leased ON messages (number, contact_id) WHERE state = 'leased';
DROP INDEX messages_queue;

INSERT INTO lanes
    SELECT number, contact_id, min(id), 0 FROM messages
    WHERE state IN ('queued', 'leased') GROUP BY number, contact_id HAVING sum(state = 'leased') = 0;
UPDATE lanes SET available_ms = (SELECT available_ms FROM messages WHERE id = head);

CREATE TRIGGER messages_come AFTER INSERT ON messages WHEN NEW.state = 'queued' BEGIN
    INSERT INTO lanes
        SELECT NEW.number, NEW.contact_id, NEW.id, NEW.available_ms WHERE NOT EXISTS (
            SELECT 1 FROM messages WHERE number = NEW.number AND contact_id = NEW.contact_id
                AND id <> NEW.id AND state IN ('queued', 'leased'));
END;

CREATE TRIGGER messages_change AFTER UPDATE OF state, available_ms, contact_id ON messages
WHEN OLD.state IN ('queued', 'leased') OR NEW.state IN ('queued', 'leased') BEGIN
    DELETE FROM lanes WHERE number = NEW.number AND contact_id IN (OLD.contact_id, NEW.contact_id);
    INSERT INTO lanes
        SELECT number, contact_id, id, available_ms FROM messages
        WHERE id = (SELECT min(id) FROM messages WHERE number = NEW.number
                AND contact_id = NEW.contact_id AND state IN ('queued', 'leased'))
            AND NOT EXISTS (SELECT 1 FROM messages WHERE number = NEW.number
                AND contact_id = NEW.contact_id AND state = 'leased');
    INSERT INTO lanes
        SELECT number, contact_id, id, available_ms FROM messages
        WHERE OLD.contact_id <> NEW.contact_id AND id = (SELECT min(id) FROM messages WHERE number = OLD.number
                AND contact_id = OLD.contact_id AND state IN ('queued', 'leased'))
            AND NOT EXISTS (SELECT 1 FROM messages WHERE number = OLD.number
                AND contact_id = OLD.contact_id AND state = 'leased');
END;

CREATE TRIGGER messages_go AFTER DELETE ON messages WHEN OLD.state IN ('queued', 'leased') BEGIN
    DELETE FROM lanes WHERE number = OLD.number AND contact_id = OLD.contact_id;
    INSERT INTO lanes
        SELECT number, contact_id, id, available_ms FROM messages
        WHERE id = (SELECT min(id) FROM messages WHERE number = OLD.number
                AND contact_id = OLD.contact_id AND state IN ('queued', 'leased'))
            AND NOT EXISTS (SELECT 1 FROM messages WHERE number = OLD.number
                AND contact_id = OLD.contact_id AND state = 'leased');
END;

-- Written by whoever asks whether the store can be written.
CREATE TABLE probe (id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL) STRICT;
