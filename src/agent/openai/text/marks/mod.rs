//! Reads the marks that models write beside their answers: tags, control tokens, brackets.
//!
//! Families are told by the words of a name, `begin_of_thought` or `seed:think`, so that the next
//! model's spelling is known already. Pure; a mark may be cut anywhere, so "perhaps" is an answer.

/// Says what a mark does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextMark {
    /// A thought begins.
    ThoughtOpens,
    /// A thought ends; without a beginning, everything before it was one.
    ThoughtCloses,
    /// A call of a tool begins, which the same name closes.
    CallOpens(String),
    CallCloses(String),
    /// The answer itself begins.
    AnswerOpens,
    /// The turn is over, or one of its messages.
    TurnEnds,
    /// The name of who speaks follows.
    RoleFollows,
    /// Who speaks now: the model, or somebody whose words it makes up.
    Speaks {
        model: bool,
    },
    /// The name of a channel follows, as in "harmony".
    ChannelFollows,
    /// What it stands for is said: a line break or nothing.
    Stands(&'static str),
}

/// Says whether text begins with a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FoundMark<M> {
    /// It does; the mark has so many bytes.
    Whole(M, usize),
    /// It does if it goes on in its way.
    Perhaps,
    No,
}

/// Most bytes of a name, and of a tag with its attributes.
const NAME: usize = 64;
const TAG: usize = 240;

const THINKS: &[&str] = &[
    "analysis",
    "antthinking",
    "cot",
    "deliberation",
    "monologue",
    "ponder",
    "rationale",
    "reason",
    "reasoning",
    "reflect",
    "reflection",
    "scratchpad",
    "think",
    "thinking",
    "thought",
    "thoughts",
];
const CALLS: &[&str] = &[
    "action",
    "execute",
    "function",
    "functioncall",
    "functions",
    "invoke",
    "ipython",
    "mcp",
    "parameter",
    "plugin",
    "python",
    "tool",
    "toolcall",
    "toolcalls",
    "tools",
];
const ANSWERS: &[&str] = &["answer", "final", "response", "solution"];
const ENDS: &[&str] = &["end", "endoftext", "eod", "eom", "eos", "eot", "eou", "return"];
const MODELS: &[&str] = &["ai", "assistant", "bot", "chatbot", "model"];
const OTHERS: &[&str] =
    &["customer", "developer", "human", "observation", "person", "system", "user"];
/// Words that are no part of what a mark is of.
const EDGES: &[&str] = &["begin", "end", "id", "of", "start", "tag", "token"];
/// Marks in angles that have no pipes and are told by their whole name.
const BARE: &[&str] = &["bos", "bos_token", "cls", "eod", "mask", "pad", "s", "sep", "unk"];
/// What has an end that is not the answer's.
const OTHER_ENDS: &[&str] = &["audio", "box", "fim", "image", "object", "quad", "video", "vision"];

/// Reads the mark that `text` begins with; it begins with `<`, `[` or `◁`.
pub(super) fn mark(text: &str) -> FoundMark<TextMark> {
    let Some(opening) = text.chars().next() else { return FoundMark::No };
    let closing = match opening {
        '<' => '>',
        '[' => ']',
        '◁' => '▷',
        _ => return FoundMark::No,
    };
    let body = &text[opening.len_utf8()..];
    let of_name = |c: char| c.is_alphanumeric() || "_:-./|｜▁".contains(c);
    let length = body.find(|c| !of_name(c)).unwrap_or(body.len());
    let name = &body[..length];
    let rest = &body[length..];
    if name.len() > NAME || (name.is_empty() && !rest.is_empty()) {
        return FoundMark::No;
    }
    let before = opening.len_utf8() + length;
    let read = |attributes: &str| match opening {
        '[' => in_brackets(name, attributes),
        _ => in_angles(name),
    };
    match rest.chars().next() {
        None => FoundMark::Perhaps,
        Some(next) if next == closing => match read("") {
            Some(mark) => FoundMark::Whole(mark, before + closing.len_utf8()),
            None => FoundMark::No,
        },
        // Attributes, which only the tag of a family may have.
        Some(' ' | '\n' | '=') => {
            let end = rest.find(closing);
            let attributes = &rest[..end.unwrap_or(rest.len())];
            match (read(attributes), end) {
                (Some(mark), Some(end)) => {
                    FoundMark::Whole(mark, before + end + closing.len_utf8())
                }
                (Some(_), None) if rest.len() < TAG => FoundMark::Perhaps,
                _ => FoundMark::No,
            }
        }
        Some(_) => FoundMark::No,
    }
}

/// Returns whether a name is the model's own, or that of somebody else in the conversation; `None`
/// if it is no name of a speaker.
pub(super) fn is_model(name: &str) -> Option<bool> {
    let name = name.to_lowercase();
    let known = |of: &[&str]| of.contains(&name.as_str());
    (known(MODELS) || known(OTHERS) || known(CALLS)).then(|| known(MODELS))
}

/// Returns the words of a name in lower case.
fn words_of(name: &str) -> Vec<String> {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn is_any(words: &[String], of: &[&str]) -> bool {
    words.iter().any(|word| of.contains(&word.as_str()))
}

/// Reads what stands between angles: a tag, or a control token if it has pipes.
fn in_angles(name: &str) -> Option<TextMark> {
    let name = name.replace('｜', "|").replace('▁', "_");
    let (leads, trails) = (name.starts_with('|'), name.ends_with('|'));
    let piped = leads || trails;
    let bare = name.trim_matches('|');
    let slashed = bare.starts_with('/') || name.starts_with('/');
    let empty = bare.ends_with('/');
    let words = words_of(bare);
    if !words.first().is_some_and(|word| word.chars().all(|c| c.is_ascii_alphanumeric())) {
        return (piped && !words.is_empty()).then_some(TextMark::Stands(""));
    }
    let whole = words.join("_");
    let closes = slashed || is_any(&words, &["end", "ends"]) || (trails && !leads);
    if whole == "turn" && trails && !leads {
        return Some(TextMark::TurnEnds);
    }
    if whole == "channel" && piped {
        // Gemma closes its channel of thoughts with the pipe on the other side.
        return Some(if leads { TextMark::ChannelFollows } else { TextMark::ThoughtCloses });
    }
    if is_any(&words, THINKS)
        || numbered(&words, "unused").is_some_and(|number| number == 94 || number == 95)
    {
        let closes = closes || whole == "unused95";
        return Some(match (closes, empty) {
            (_, true) => TextMark::Stands(""),
            (true, _) => TextMark::ThoughtCloses,
            (false, _) => TextMark::ThoughtOpens,
        });
    }
    if is_any(&words, CALLS) {
        let key = call_key(&words);
        return Some(if closes { TextMark::CallCloses(key) } else { TextMark::CallOpens(key) });
    }
    if is_any(&words, ANSWERS) && (piped || words.len() < 3) {
        return Some(if closes { TextMark::Stands("") } else { TextMark::AnswerOpens });
    }
    token(&words, &whole, piped)
}

/// Reads a control token.
fn token(words: &[String], whole: &str, piped: bool) -> Option<TextMark> {
    let turn = is_any(words, &["turn", "utterance", "text", "sentence"]) && words.len() > 2;
    let header = is_any(words, &["header", "role"]);
    let byte = words.len() == 1 && whole.len() == 4 && whole.starts_with("0x");
    Some(match whole {
        "0x0a" => TextMark::Stands("\n"),
        _ if byte || BARE.contains(&whole) => TextMark::Stands(""),
        _ if numbered(words, "unused").or(numbered(words, "extra_id")).is_some() => {
            TextMark::Stands("")
        }
        _ if !piped && !turn && !["eot", "eos", "eos_token", "endoftext"].contains(&whole) => {
            return None;
        }
        _ if header && is_any(words, ENDS) => TextMark::Stands("\n"),
        _ if header => TextMark::RoleFollows,
        "message" | "im_sep" | "im_middle" => TextMark::Stands("\n"),
        _ if is_any(words, OTHER_ENDS) => TextMark::Stands(""),
        _ if is_any(words, ENDS) => TextMark::TurnEnds,
        "start" | "im_start" | "turn" | "start_of_turn" => TextMark::RoleFollows,
        _ if is_any(words, MODELS) => TextMark::Speaks { model: true },
        _ if is_any(words, OTHERS) => TextMark::Speaks { model: false },
        _ => TextMark::Stands(""),
    })
}

/// Returns the number of a name such as `unused94` or `extra_id_0`.
fn numbered(words: &[String], of: &str) -> Option<u32> {
    words.join("_").strip_prefix(of)?.trim_start_matches('_').parse().ok()
}

/// Returns what the beginning and the end of a call have in common.
fn call_key(words: &[String]) -> String {
    let own = words.iter().filter(|word| !EDGES.contains(&word.as_str()));
    own.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Reads what stands in square brackets, where most is the answer's own.
fn in_brackets(name: &str, attributes: &str) -> Option<TextMark> {
    let bare = name.trim_start_matches('/');
    let closes = bare.len() < name.len();
    let words = words_of(bare);
    // What our own prompt writes before a person's words, repeated by a small model.
    let ours = attributes.starts_with(" message") || " message".starts_with(attributes);
    if (name == "voice" && ours && !attributes.is_empty()) || name == "message" {
        return Some(TextMark::Stands(""));
    }
    let loud = bare.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if !attributes.is_empty() || (!loud && bare != "think" && bare != "gMASK") {
        return None;
    }
    if words.iter().all(|word| THINKS.contains(&word.as_str())) && !words.is_empty() {
        return Some(if closes { TextMark::ThoughtCloses } else { TextMark::ThoughtOpens });
    }
    if is_any(&words, CALLS) {
        let key = call_key(&words);
        return Some(if closes { TextMark::CallCloses(key) } else { TextMark::CallOpens(key) });
    }
    Some(match bare {
        "INST" => TextMark::Speaks { model: closes },
        "EOS" | "EOT" | "END_OF_TEXT" => TextMark::TurnEnds,
        "BOS" | "PAD" | "UNK" | "CLS" | "SEP" | "MASK" | "gMASK" | "ARGS" | "CALL_ID"
        | "BEGIN_OF_TEXT" | "SYSTEM_PROMPT" => TextMark::Stands(""),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
