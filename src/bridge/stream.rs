//! Cuts hark's stream of events into events with the position behind each.
//!
//! Invariant: no event of more than [`EVENT_BYTES`] is held. Source: WHATWG HTML, section 9.2.6, of
//! which it reads what hark writes.

/// Longest event: fifty messages of 4,000 characters fit.
const EVENT_BYTES: usize = 8 << 20;

/// Holds one block of the stream: an event, or a position alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StreamedEvent {
    /// Where to go on behind it.
    pub(super) position: Option<i64>,
    /// The event, if it is one.
    pub(super) data: Option<String>,
}

/// Cuts bytes that come in pieces.
#[derive(Debug, Default)]
pub(super) struct StreamCutter {
    line: Vec<u8>,
    position: Option<i64>,
    data: Option<String>,
}

impl StreamCutter {
    /// Takes bytes, and returns the events that they end; `None` if one is too long.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<Vec<StreamedEvent>> {
        let mut events = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.last() == Some(&b'\n') {
                events.extend(self.end_line());
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > EVENT_BYTES {
                return None;
            }
        }
        Some(events)
    }

    fn end_line(&mut self) -> Option<StreamedEvent> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
            let (position, data) = (self.position.take(), self.data.take());
            let says = position.is_some() || data.is_some();
            return says.then_some(StreamedEvent { position, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.position = value.parse().ok(),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            // The type is in the event, too; comments keep the connection open.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_positions_are_cut_wherever_the_bytes_are() {
        let stream = "id: 7\n\n: alive\n\nid: 8\r\nevent: a\r\ndata: {\"b\": \"\u{fc}\"}\r\n\r\ndata:x\ndata: y\n\nid: 9";
        for cut in [1, 2, 5, 1000] {
            let mut cutter = StreamCutter::default();
            let pieces = stream.as_bytes().chunks(cut);
            let events: Vec<_> = pieces.flat_map(|piece| cutter.push(piece).unwrap()).collect();
            let event = |position, data: Option<&str>| StreamedEvent {
                position,
                data: data.map(str::to_owned),
            };
            let expected = [
                event(Some(7), None),
                event(Some(8), Some("{\"b\": \"\u{fc}\"}")),
                event(None, Some("x\ny")),
            ];
            assert_eq!(events, expected, "cut every {cut} bytes");
        }
    }

    #[test]
    fn what_does_not_end_is_not_held() {
        let mut cutter = StreamCutter::default();
        let piece = vec![b'x'; 1 << 20];
        assert!((0..9).any(|_| cutter.push(&piece).is_none()));
    }
}
