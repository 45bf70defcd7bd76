-- Events that went with their person, until no copy of them is left on a stream.
CREATE TABLE erased_events (
    event INTEGER PRIMARY KEY
) STRICT;
