//! Leaves out what an answer repeats of itself because of its server.
//!
//! Some servers send the whole answer once more with the last chunk, others send all of it so far
//! with every chunk. Invariant: what the model itself says twice is kept. A repetition is the
//! server's only if it is of everything so far.

/// Most bytes of an answer that are remembered; of a longer one the rest is taken as it comes.
const MEMORY: usize = 256 << 10;
/// Fewest letters of a whole answer whose repetition in one piece is the server's. "No, no" is not.
const LETTERS: usize = 12;

/// Describes how a server cuts an answer, as its first pieces show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cutting {
    #[default]
    Unknown,
    /// Each piece follows the one before.
    Pieces,
    /// Each piece holds all so far.
    Growing,
}

/// Holds a piece of an answer, and how it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawPiece<'a> {
    pub(super) text: &'a str,
    /// It came as a whole message.
    pub(super) whole: bool,
    /// The answer ends with it.
    pub(super) last: bool,
}

/// Follows the pieces of one answer.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    so_far: String,
    pieces: usize,
    cutting: Cutting,
    /// The second piece, while it may follow the first or hold it.
    second: Option<String>,
}

impl Repeats {
    /// Returns what of a piece is new; `said` is what came of all before it.
    pub(super) fn push(&mut self, piece: RawPiece<'_>, said: &str) -> String {
        let RawPiece { text, whole, last } = piece;
        if text.is_empty() {
            return String::new();
        }
        if whole && self.pieces > 0 {
            let grows = self.second.as_ref().is_some_and(|second| text.starts_with(second));
            let mut new = self.settle(grows);
            let rest = text.strip_prefix(&*self.so_far).unwrap_or_default().to_owned();
            new.push_str(&self.add(&rest));
            return new;
        }
        let Some(second) = self.second.take() else { return self.next(text, last, said) };
        if text.starts_with(&second) && (text.len() > second.len() || is_long(&second)) {
            self.cutting = Cutting::Growing;
            return self.grow(text);
        }
        self.cutting = Cutting::Pieces;
        let mut new = self.add(&second);
        new.push_str(&self.next(text, last, said));
        new
    }

    /// Returns what was kept back at the end of the answer.
    pub(super) fn finish(&mut self) -> String {
        let rest = self.second.as_ref().map(|second| &second[self.so_far.len()..]);
        // "We" and "We open": the first piece ends where a word does.
        let grows = rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        self.settle(grows)
    }

    fn next(&mut self, text: &str, last: bool, said: &str) -> String {
        if self.cutting == Cutting::Growing {
            return self.grow(text);
        }
        let holds_first = self.pieces == 1
            && self.cutting == Cutting::Unknown
            && text.len() > self.so_far.len()
            && text.starts_with(&*self.so_far);
        if holds_first {
            // The first word may also begin the second by chance: the third piece shows.
            self.second = Some(text.to_owned());
            return String::new();
        }
        let again =
            |whole: &str| is_long(whole) && whole.split_whitespace().eq(text.split_whitespace());
        if (last || self.pieces > 1) && (again(&self.so_far) || again(said)) {
            return String::new();
        }
        self.add(text)
    }

    /// Takes a piece that holds all before it.
    fn grow(&mut self, text: &str) -> String {
        // A piece that is shorter or begins in another way has nothing to add.
        let rest = text.strip_prefix(&*self.so_far).unwrap_or_default().to_owned();
        self.add(&rest)
    }

    fn add(&mut self, text: &str) -> String {
        self.pieces += 1;
        // A server that sends all of it each time is bounded by its own events.
        if self.cutting == Cutting::Growing || self.so_far.len() + text.len() <= MEMORY {
            self.so_far.push_str(text);
        }
        text.to_owned()
    }

    /// Adds a second piece that no third one follows: what it has beyond the first if the answer
    /// `grows`, else all of it.
    fn settle(&mut self, grows: bool) -> String {
        let Some(second) = self.second.take() else { return String::new() };
        self.add(if grows { &second[self.so_far.len()..] } else { &second })
    }
}

fn is_long(text: &str) -> bool {
    text.chars().filter(|c| c.is_alphanumeric()).count() >= LETTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says the pieces; `!` before one marks the last chunk, `=` a whole message.
    #[track_caller]
    fn check(pieces: &[&str], expected: &str) {
        let (mut repeats, mut said) = (Repeats::default(), String::new());
        for piece in pieces {
            let text = piece.trim_start_matches(['!', '=']);
            let piece =
                RawPiece { text, whole: piece.starts_with('='), last: piece.starts_with('!') };
            said += &repeats.push(piece, &said.clone());
        }
        said += &repeats.finish();
        assert_eq!(said, expected, "{pieces:?}");
    }

    #[test]
    fn a_whole_answer_that_comes_again_is_left_out() {
        let expected = "We open at nine. Please come by.";
        let pieces = ["We open at nine. ", "Please come by."];
        for again in ["=We open at nine. Please come by.", "!We open at nine. Please come by."] {
            check(&[pieces[0], pieces[1], again], expected);
            check(&[pieces[0], pieces[1], again, again], expected);
        }
        check(&[pieces[0], pieces[1], expected], expected);
        check(&[expected, "!We open at nine.\nPlease come by. "], expected);
        check(&[pieces[0], "=We open at nine. Please come by."], expected);
        check(&["We open at nine.", "=Another text"], "We open at nine.");
        check(&["=We open at nine."], "We open at nine.");
    }

    #[test]
    fn an_answer_that_grows_is_said_once() {
        check(&["We", "We open", "We open at nine", "We open at nine."], "We open at nine.");
        check(&["We", "We open"], "We open");
        check(&["W", "We", "We open", "!We open"], "We open");
        check(&["We open", "We open at nine.", "We open at nine."], "We open at nine.");
        check(&["We", "We open", "=We open"], "We open");
    }

    #[test]
    fn what_the_model_says_twice_stays() {
        check(&["No, no, no.", "! No."], "No, no, no. No.");
        check(&["No", "No", "!No"], "NoNoNo");
        check(&["1", "12", " is"], "112 is");
        check(&["The", "Then"], "TheThen");
        check(&["We open at nine. ", "We open at nine. "], "We open at nine. We open at nine. ");
        check(&["Ha", "Ha", "HaHa"], "HaHaHaHa");
        check(&["Ha", "HaHa", "=HaHaHa"], "HaHaHa");
        check(&["1", "12", "=112"], "112");
        check(&["Hello there. ", "We open. ", "We open.", "!"], "Hello there. We open. We open.");
    }
}
