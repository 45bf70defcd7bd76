//! Lets through what a model says to the person, and nothing that it writes beside it.
//!
//! Thoughts, control tokens and calls stop here. Invariants: the result does not depend on where
//! the stream was cut; what is kept back is bounded. A thought whose beginning the server left out
//! is known only by its end: then all that was let through is taken back.

mod speakers;

use super::calls::{CallForm, bare_call, call, is_cut_call};
use super::marks::{FoundMark, TextMark, mark};
use super::phrases;
use crate::agent::openai::chunk::Aside;

/// Most bytes that are withheld until it shows whether they are thoughts; no answer is longer.
const WITHHELD: usize = 64 << 10;
/// The key of a call that ends with its message.
const MESSAGE: &str = "<|message|>";

/// Says where in its text a model is.
#[derive(Debug, Default, PartialEq)]
enum FilterState {
    #[default]
    Answer,
    /// In a thought; `message` if the end of a message ends it, too.
    Thought { message: bool },
    /// In a call, to the mark that has the same key.
    Call { key: String },
    /// Before the name of who speaks.
    Role,
    /// Before the name of a channel.
    Channel,
    /// After the model's turn: it makes up the person's words.
    Over,
}

/// Says why text is taken for a thought.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Presumed {
    /// Nothing is known of the server.
    Perhaps,
    /// The server's answers begin within a thought.
    Likely,
    /// It began with words that these words end.
    Until(&'static str),
}

/// Holds text that is given or thrown away when its end shows what it is.
#[derive(Debug)]
struct Withheld {
    text: String,
    why: Presumed,
}

/// Holds what of a piece may be said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::agent::openai) struct Filtered {
    /// Whether all that was given before was no answer.
    pub(in crate::agent::openai) retract: bool,
    /// What follows.
    pub(in crate::agent::openai) text: String,
}

impl Filtered {
    /// Joins two pieces: a retraction in the second takes back the first, too.
    pub(super) fn then(self, next: Self) -> Self {
        let text = if next.retract { next.text } else { self.text + &next.text };
        Self { retract: self.retract || next.retract, text }
    }
}

/// Filters one answer.
#[derive(Debug)]
pub(super) struct ThoughtFilter {
    state: FilterState,
    /// What may become a mark.
    held: String,
    withheld: Option<Withheld>,
    out: Filtered,
    /// Words were given that a retraction takes back.
    given: bool,
    /// Nothing but white space was let through so far.
    fresh: bool,
    /// Backticks right before: code that quotes a mark.
    ticks: usize,
    ending: bool,
    /// What was left out.
    pub(super) aside: Option<Aside>,
    /// Whether the server's answers begin within a thought, once this one has shown it.
    pub(super) opens_thoughts: Option<bool>,
}

/// Says how far a step came: so many bytes, or nowhere until more comes.
type Stepped = Option<usize>;

impl ThoughtFilter {
    /// Makes one for a new answer. It is withheld unless the server is known not to begin answers
    /// within a thought.
    pub(super) fn new(opens_thoughts: Option<bool>) -> Self {
        let why = match opens_thoughts {
            Some(false) => None,
            Some(true) => Some(Presumed::Likely),
            None => Some(Presumed::Perhaps),
        };
        Self {
            state: FilterState::default(),
            held: String::new(),
            withheld: why.map(|why| Withheld { text: String::new(), why }),
            out: Filtered::default(),
            given: false,
            fresh: true,
            ticks: 0,
            ending: false,
            aside: None,
            opens_thoughts: None,
        }
    }

    /// Takes a piece of text and returns what of it may be said.
    pub(super) fn push(&mut self, piece: &str) -> Filtered {
        let mut held = std::mem::take(&mut self.held);
        held.push_str(piece);
        let mut rest = held.as_str();
        while !rest.is_empty()
            && let Some(done) = self.step(rest)
        {
            rest = &rest[done..];
        }
        rest.clone_into(&mut self.held);
        self.give()
    }

    /// Returns what was kept back; of an answer that is not `whole`, nothing that is likely a thought.
    pub(super) fn finish(&mut self, whole: bool) -> Filtered {
        self.ending = true;
        let mut last = self.push("");
        let perhaps = |withheld: &Withheld| withheld.why == Presumed::Perhaps;
        if whole || self.withheld.as_ref().is_none_or(perhaps) {
            last = last.then(self.lift());
        }
        if whole {
            self.opens_thoughts.get_or_insert(false);
        }
        last
    }

    /// Gives what was withheld because it might be a thought.
    pub(super) fn lift(&mut self) -> Filtered {
        self.release();
        self.give()
    }

    /// Lets through what was withheld.
    fn release(&mut self) {
        match self.withheld.take() {
            // Whoever begins like that does not answer without the words that end it.
            Some(Withheld { why: Presumed::Until(phrases::HARMONY), .. }) | None => {}
            Some(Withheld { text, .. }) => self.say(&text),
        }
    }

    fn give(&mut self) -> Filtered {
        let out = std::mem::take(&mut self.out);
        self.given |= !out.text.trim().is_empty();
        out
    }

    fn say(&mut self, text: &str) {
        self.fresh &= text.trim().is_empty();
        match &mut self.withheld {
            Some(Withheld { text: held, .. }) if held.len() + text.len() <= WITHHELD => {
                held.push_str(text);
            }
            // Longer than any answer.
            Some(Withheld { text: held, why: Presumed::Perhaps }) => {
                self.out.text.push_str(held);
                self.out.text.push_str(text);
                self.withheld = None;
            }
            Some(Withheld { text: held, .. }) => held.clear(),
            None => self.out.text.push_str(text),
        }
    }

    fn leave_out(&mut self, what: Aside) {
        self.aside = self.aside.max(Some(what));
    }

    /// Throws away all that was let through: it was a thought.
    fn take_back(&mut self) {
        self.withheld = None;
        self.out = Filtered { retract: self.out.retract || self.given, text: String::new() };
        (self.given, self.fresh) = (false, true);
        self.leave_out(Aside::Thought);
    }

    /// Does what the beginning of `rest` asks for.
    fn step(&mut self, rest: &str) -> Stepped {
        match &self.state {
            FilterState::Role => self.role(rest),
            FilterState::Channel => self.channel(rest),
            FilterState::Answer => self.answer(rest),
            FilterState::Call { key } if key == "```" => {
                if let Some(end) = rest.find("```") {
                    self.state = FilterState::Answer;
                    return Some(end + 3);
                }
                let done = rest.trim_end_matches('`').len();
                if self.ending { Some(rest.len()) } else { Some(done).filter(|done| *done > 0) }
            }
            FilterState::Thought { .. } | FilterState::Call { .. } | FilterState::Over => {
                let at = rest.find(['<', '[', '◁']).unwrap_or(rest.len());
                if at > 0 {
                    return Some(at);
                }
                match self.mark(rest) {
                    FoundMark::Whole((), length) => Some(length),
                    FoundMark::Perhaps => None,
                    FoundMark::No => Some(first(rest).len()),
                }
            }
        }
    }

    /// Lets the answer through up to the next thing that may be none of it.
    fn answer(&mut self, rest: &str) -> Stepped {
        if self.fresh {
            let beside = |c: char| {
                c.is_whitespace() || (self.aside == Some(Aside::Call) && matches!(c, ';' | ','))
            };
            let start = rest.trim_start_matches(beside);
            if start.len() < rest.len() {
                return Some(rest.len() - start.len());
            }
            match phrases::opening(rest) {
                FoundMark::Whole(until, length) => {
                    let text = rest[..length].to_owned();
                    self.withheld = Some(Withheld { text, why: Presumed::Until(until) });
                    self.leave_out(Aside::Thought);
                    self.fresh = false;
                    return Some(length);
                }
                FoundMark::Perhaps if !self.ending => return None,
                FoundMark::Perhaps | FoundMark::No => {}
            }
        }
        let until = match self.withheld {
            Some(Withheld { why: Presumed::Until(until), .. }) => Some(until),
            _ => None,
        };
        let ends = |c: char| until.is_some_and(|until| until.starts_with(c.to_ascii_lowercase()));
        let notable = |c: char| "<[◁{`f".contains(c) || ends(c);
        let at = rest.find(notable).unwrap_or(rest.len());
        if at > 0 {
            self.ticks = 0;
            self.say(&rest[..at]);
            return Some(at);
        }
        let phrase = until.map_or(FoundMark::No, |until| phrases::at(rest, until));
        if let FoundMark::Whole((), length) = phrase {
            (self.withheld, self.fresh) = (None, true);
            return Some(length);
        }
        let marked = if self.ticks == 1 { FoundMark::No } else { self.mark(rest) };
        match marked {
            FoundMark::Whole((), length) => return Some(length),
            FoundMark::No if phrase == FoundMark::No || self.ending => {}
            _ => return None,
        }
        match self.call(rest) {
            FoundMark::Whole((), length) => Some(length),
            FoundMark::Perhaps => None,
            FoundMark::No => {
                let first = first(rest);
                self.ticks = if first == "`" { self.ticks + 1 } else { 0 };
                self.say(first);
                Some(first.len())
            }
        }
    }

    /// Does what the mark says that `rest` begins with.
    fn mark(&mut self, rest: &str) -> FoundMark<()> {
        match mark(rest) {
            FoundMark::Whole(mark, length) => {
                self.apply(mark);
                FoundMark::Whole((), length)
            }
            FoundMark::Perhaps if !self.ending => FoundMark::Perhaps,
            // A token that was cut off.
            FoundMark::Perhaps if rest.starts_with("<|") || rest.starts_with("<｜") => {
                FoundMark::Whole((), rest.len())
            }
            FoundMark::Perhaps | FoundMark::No => FoundMark::No,
        }
    }

    /// Leaves out the call that `rest` begins with.
    fn call(&mut self, rest: &str) -> FoundMark<()> {
        let bare = bare_call(rest, self.fresh);
        let found = if bare == FoundMark::No { call(rest) } else { bare };
        let (form, length) = match found {
            FoundMark::Whole(form, length) => (form, length),
            FoundMark::Perhaps if !self.ending => return FoundMark::Perhaps,
            FoundMark::Perhaps if is_cut_call(rest) => (CallForm::Json, rest.len()),
            FoundMark::Perhaps | FoundMark::No => return FoundMark::No,
        };
        self.leave_out(Aside::Call);
        match form {
            CallForm::Json => {}
            CallForm::Block => self.state = FilterState::Call { key: "```".to_owned() },
            CallForm::Open => self.state = FilterState::Call { key: String::new() },
        }
        FoundMark::Whole((), length)
    }

    fn apply(&mut self, mark: TextMark) {
        let of_message = match &self.state {
            FilterState::Thought { message } => *message,
            FilterState::Call { key } => key == MESSAGE,
            _ => false,
        };
        match (mark, &self.state) {
            (TextMark::ThoughtCloses, FilterState::Thought { .. }) => {
                self.state = FilterState::Answer;
                self.release();
            }
            (TextMark::ThoughtCloses, _) => {
                self.take_back();
                self.state = FilterState::Answer;
                self.opens_thoughts = Some(true);
            }
            (TextMark::ThoughtOpens, FilterState::Answer) => {
                self.leave_out(Aside::Thought);
                self.state = FilterState::Thought { message: false };
            }
            (TextMark::AnswerOpens, FilterState::Thought { .. }) => {
                self.state = FilterState::Answer;
            }
            (TextMark::CallOpens(key), FilterState::Answer) => {
                self.leave_out(Aside::Call);
                self.state = FilterState::Call { key };
            }
            (TextMark::CallCloses(closed), FilterState::Call { key }) if closed == *key => {
                self.state = FilterState::Answer;
            }
            (TextMark::TurnEnds, _) if of_message => self.state = FilterState::Answer,
            (TextMark::TurnEnds, FilterState::Answer) if !self.fresh => {
                self.state = FilterState::Over;
            }
            (TextMark::RoleFollows, FilterState::Answer) => self.state = FilterState::Role,
            (TextMark::ChannelFollows, _) => self.state = FilterState::Channel,
            (TextMark::Speaks { model }, FilterState::Answer | FilterState::Over) => {
                self.speaks(model);
            }
            (TextMark::Stands(text), FilterState::Answer) => self.say(text),
            _ => {}
        }
    }
}

/// Returns the first character.
fn first(text: &str) -> &str {
    let end = text.char_indices().nth(1).map_or(text.len(), |(at, _)| at);
    &text[..end]
}
