//! Cuts a `text/event-stream` into events.
//!
//! Between the bytes of the network and the chunks of an answer. Invariant: an event of more than
//! [`EVENT_LIMIT`] bytes is refused, so a server cannot fill the memory with a line that never
//! ends. Source: WHATWG HTML, section 9.2.6; an event that the end of the stream cuts off counts, and
//! so do errors as servers write them in between: `error: {...}`, and bare JSON.

/// Longest event, in bytes; a chunk of an answer has a few hundred.
const EVENT_LIMIT: usize = 1 << 20;

/// Holds one event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its type, where the server names one.
    pub(super) kind: Vec<u8>,
    /// Its `data` lines, joined by line feeds.
    pub(super) data: Vec<u8>,
}

/// Says that an event was longer than [`EVENT_LIMIT`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Splits bytes into events; holds what has come of the current one.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    kind: Vec<u8>,
    data: Option<Vec<u8>>,
    /// Within JSON that stands there bare, over several lines.
    bare: bool,
    /// The first line that is of no event.
    pub(super) stray: Option<Vec<u8>>,
    /// The last line ended in CR, so that a LF now belongs to it.
    after_cr: bool,
}

impl Events {
    /// Takes bytes, cut anywhere, and returns the events they end.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let (piece, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.check(piece.len())?;
            self.line.extend_from_slice(piece);
            bytes = rest;
            if let Some((&ending, rest)) = rest.split_first() {
                self.after_cr = ending == b'\r';
                bytes = rest;
                events.extend(self.end_line());
            }
        }
        Ok(events)
    }

    /// Returns what the end of the stream left without its blank line.
    pub(super) fn finish(&mut self) -> Option<Event> {
        self.end_line().or_else(|| self.end_event())
    }

    fn check(&self, more: usize) -> Result<(), TooLong> {
        let held = self.line.len() + self.data.as_ref().map_or(0, Vec::len);
        if held + more > EVENT_LIMIT { Err(TooLong) } else { Ok(()) }
    }

    /// Reads the line that has ended; a blank one ends the event.
    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return self.end_event();
        }
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line);
        if self.bare {
            self.add(line);
            return None;
        }
        if line.starts_with(b"{") {
            let before = self.end_event();
            self.bare = true;
            self.add(line);
            let whole = line.trim_ascii_end().ends_with(b"}");
            return before.or_else(|| if whole { self.end_event() } else { None });
        }
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => self.add(value),
            b"error" => {
                self.kind = b"error".to_vec();
                self.add(value);
            }
            b"event" => self.kind = value.to_vec(),
            // Comments, which keep the connection open, and fields that say nothing here.
            b"" | b"id" | b"retry" => {}
            _ => _ = self.stray.get_or_insert_with(|| line.to_vec()),
        }
        None
    }

    fn add(&mut self, value: &[u8]) {
        match &mut self.data {
            Some(data) => {
                data.push(b'\n');
                data.extend_from_slice(value);
            }
            None => self.data = Some(value.to_vec()),
        }
    }

    fn end_event(&mut self) -> Option<Event> {
        let kind = std::mem::take(&mut self.kind);
        self.bare = false;
        Some(Event { kind, data: self.data.take()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(stream: &[u8], cut: usize) -> Vec<(String, String)> {
        let mut splitter = Events::default();
        let mut events = Vec::new();
        for piece in stream.chunks(cut) {
            events.extend(splitter.push(piece).unwrap());
        }
        events.extend(splitter.finish());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        events.into_iter().map(|event| (text(event.kind), text(event.data))).collect()
    }

    #[track_caller]
    fn check(stream: &str, expected: &[(&str, &str)]) {
        for cut in [1, 2, 3, 7, 1000] {
            let events = all(stream.as_bytes(), cut);
            let events: Vec<_> = events.iter().map(|(k, d)| (k.as_str(), d.as_str())).collect();
            assert_eq!(events, expected, "cut every {cut} bytes");
        }
    }

    #[test]
    fn events_are_cut_at_blank_lines_whatever_ends_a_line() {
        for ending in ["\n", "\r\n", "\r"] {
            let stream =
                "data: a\n\n: OPENROUTER PROCESSING\n\ndata:b\n\nid: 7\nevent: error\ndata: ü\n\n";
            check(&stream.replace('\n', ending), &[("", "a"), ("", "b"), ("error", "ü")]);
        }
    }

    #[test]
    fn data_of_several_lines_is_joined_and_a_cut_off_event_counts() {
        check("data: {\ndata: }\n\n", &[("", "{\n}")]);
        check("data\n\n", &[("", "")]);
        check("data: a\n\ndata: [DONE]", &[("", "a"), ("", "[DONE]")]);
        check("data: a\n\ndata: [DONE]\n", &[("", "a"), ("", "[DONE]")]);
        check("\u{feff}data: a\n\n", &[("", "a")]);
        check("event: ping\n\n\n\n: only this", &[]);
    }

    #[test]
    fn errors_between_the_events_are_events() {
        check("error: {\"a\": 1}\n\ndata: b\n\n", &[("error", "{\"a\": 1}"), ("", "b")]);
        check("data: a\n\n{\"b\": 1}\n", &[("", "a"), ("", "{\"b\": 1}")]);
        check("data: a\n\n{\n  \"b\": 1\n}\n", &[("", "a"), ("", "{\n  \"b\": 1\n}")]);
        check("data: a\n{\"b\": 1}\n", &[("", "a"), ("", "{\"b\": 1}")]);
        check("{\"b\": 1}\ndata: a\n\n", &[("", "{\"b\": 1}"), ("", "a")]);
        let mut splitter = Events::default();
        splitter.push(b": x\nid: 1\nretry: 2\nInternal Server Error\nmore\n").unwrap();
        assert_eq!(splitter.stray.as_deref(), Some(&b"Internal Server Error"[..]));
    }

    #[test]
    fn a_line_that_does_not_end_is_refused_before_it_is_held() {
        let mut splitter = Events::default();
        let piece = [b'x'; 4096];
        let taken = (0..9999).take_while(|_| splitter.push(&piece).is_ok()).count();
        assert_eq!(taken, EVENT_LIMIT / piece.len());
        assert!(splitter.line.capacity() <= 2 * EVENT_LIMIT);
        // So is an event of endless lines.
        let mut splitter = Events::default();
        let line = format!("data: {}\n", "x".repeat(4000));
        assert!((0..300).any(|_| splitter.push(line.as_bytes()) == Err(TooLong)));
    }

    proptest! {
        #[test]
        fn where_bytes_are_cut_changes_nothing(stream in "(data: ?[a-zü]{0,4}|:|event:x|\r|\n|\r\n){0,20}", cut in 1_usize..9) {
            prop_assert_eq!(all(stream.as_bytes(), cut), all(stream.as_bytes(), 1000));
        }
    }
}
