//! Takes a reasoning model's thoughts out of its answer.
//!
//! Local servers leave `<think>...</think>` in the text. Invariant: what is between the tags is
//! never spoken, wherever the stream cuts them, and a thought that does not end takes no memory.

/// Names of the tags that models think in.
const TAGS: [&str; 3] = ["think", "thinking", "reasoning"];
/// Bytes of the longest tag, `</reasoning>`.
const LONGEST: usize = 12;

/// Filters an answer; holds back what may be the beginning of a tag.
#[derive(Debug, Default)]
pub(super) struct Thoughts {
    thinking: bool,
    held: String,
}

/// Says what text that begins with `<` is.
enum Tag {
    Opens(usize),
    Closes(usize),
    /// May become one with the text that follows.
    Perhaps,
    No,
}

impl Thoughts {
    /// Takes a piece of text and returns what of it may be said.
    pub(super) fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let mut said = String::new();
        let mut rest = self.held.as_str();
        let held = loop {
            let Some(at) = rest.find('<') else {
                said.push_str(if self.thinking { "" } else { rest });
                break "";
            };
            said.push_str(if self.thinking { "" } else { &rest[..at] });
            rest = &rest[at..];
            let skipped = match tag(rest) {
                Tag::Opens(length) => {
                    self.thinking = true;
                    length
                }
                // One without a beginning is not said either: some servers leave that out.
                Tag::Closes(length) => {
                    self.thinking = false;
                    length
                }
                Tag::Perhaps => break rest,
                Tag::No => {
                    said.push_str(if self.thinking { "" } else { "<" });
                    1
                }
            };
            rest = &rest[skipped..];
        };
        self.held = held.to_owned();
        said
    }

    /// Returns what was held back and did not become a tag.
    pub(super) fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        if self.thinking { String::new() } else { held }
    }
}

/// Returns what `text`, which begins with `<`, begins with.
fn tag(text: &str) -> Tag {
    let Some(end) = text.find('>') else {
        let may_become = |tag: String| tag.starts_with(text);
        let perhaps = text.len() < LONGEST
            && TAGS
                .iter()
                .any(|name| may_become(format!("<{name}>")) || may_become(format!("</{name}>")));
        return if perhaps { Tag::Perhaps } else { Tag::No };
    };
    let inner = &text[1..end];
    match inner.strip_prefix('/') {
        Some(name) if TAGS.contains(&name) => Tag::Closes(end + 1),
        None if TAGS.contains(&inner) => Tag::Opens(end + 1),
        _ => Tag::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        for cut in 1..text.chars().count().max(2) {
            let (mut thoughts, mut said) = (Thoughts::default(), String::new());
            for piece in text.chars().collect::<Vec<_>>().chunks(cut) {
                said += &thoughts.push(&piece.iter().collect::<String>());
            }
            said += &thoughts.finish();
            assert_eq!(said, expected, "cut every {cut} characters");
        }
    }

    #[test]
    fn thoughts_are_not_said() {
        check("<think>\nHm, a < b? </thin\n</think>\n\nYes.", "\n\nYes.");
        check("A<thinking>b</thinking>c<reasoning>d</reasoning>e", "Ace");
        check("<think>it never ends <b", "");
        check("no beginning</think> Yes.", "no beginning Yes.");
        check("<think></think>", "");
    }

    #[test]
    fn other_text_stays() {
        check("1 < 2 > 0 <<think>x</think>", "1 < 2 > 0 <");
        check("<thinker>ü</b> </thinks> <", "<thinker>ü</b> </thinks> <");
        check("ends in <thin", "ends in <thin");
        check("", "");
    }

    #[test]
    fn a_long_thought_takes_no_memory() {
        let mut thoughts = Thoughts::default();
        thoughts.push("<think>");
        for _ in 0..1000 {
            assert_eq!(thoughts.push("hm <hm hm> </hm"), "");
        }
        assert!(thoughts.held.len() < 2 * LONGEST && thoughts.held.capacity() < 64);
    }
}
