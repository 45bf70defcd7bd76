//! Reads `default.toml` with its comments: sections, and their keys, set or commented out.
//!
//! A line is one of: blank; `[section]` or `[[list]]`; `key = value`; the same two commented out;
//! text at the line's beginning, which belongs to the section below it; an indented comment, which
//! continues the one above. Whatever else there is, is an error.

/// One `[section]`.
#[derive(Debug, Default)]
pub(super) struct Section {
    /// Empty for the keys before any section.
    pub(super) name: String,
    pub(super) is_list: bool,
    /// The lines of text above it.
    pub(super) prose: String,
    /// The comment beside it.
    pub(super) about: String,
    pub(super) keys: Vec<Key>,
}

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    /// As it stands in TOML.
    pub(super) value: String,
    /// Whether that is its default; else the key is commented out.
    pub(super) is_set: bool,
    /// The comment beside it.
    pub(super) about: String,
}

impl Section {
    /// The line that begins it.
    pub(super) fn title(&self) -> String {
        if self.is_list { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }

    /// The comment that an indented one continues.
    fn last_comment(&mut self) -> &mut String {
        self.keys.last_mut().map_or(&mut self.about, |key| &mut key.about)
    }
}

/// Returns the text at the file's beginning and its sections.
///
/// # Errors
/// The first line that has no place.
pub(super) fn sections(toml: &str) -> Result<(String, Vec<Section>), String> {
    let (preface, rest) =
        toml.split_once("\n\n").ok_or("default.toml has no text to begin with")?;
    let first = preface.lines().count() + 2;
    let preface: Vec<&str> = preface.lines().map(|line| line.trim_start_matches("# ")).collect();
    let mut sections = vec![Section::default()];
    let (mut prose, mut continues) = (String::new(), false);
    let mut lines = rest.lines().zip(first..).peekable();
    while let Some((line, number)) = lines.next() {
        let wrong = |why: &str| format!("default.toml, line {number}: {why}: {line}");
        let last = sections.last_mut().expect("there is one from the start");
        let (is_set, content) = match line.strip_prefix('#') {
            Some(content) => (false, content.strip_prefix(' ').unwrap_or(content)),
            None => (true, line),
        };
        if line.trim().is_empty() {
            if !prose.is_empty() {
                return Err(wrong("the text above belongs to no section or key"));
            }
            continues = false;
            continue;
        }
        if line.starts_with(' ') {
            let text = line.trim_start().strip_prefix('#').ok_or_else(|| wrong("what is it?"))?;
            if !continues {
                return Err(wrong("it continues no comment"));
            }
            join(last.last_comment(), text);
            continue;
        }
        if content.starts_with('[') {
            let mut section = header(content).ok_or_else(|| wrong("it is no section"))?;
            section.prose = std::mem::take(&mut prose);
            sections.push(section);
        } else if let Some(name) = key_name(content) {
            if !prose.is_empty() {
                return Err(wrong("text stands above a key; put it beside it"));
            }
            // A value may go on over the next lines.
            let mut whole = content.to_owned();
            let (value, about) = loop {
                if let Some(found) = value(name, &whole) {
                    break found;
                }
                let next = lines.next().map(|(next, _)| next).filter(|next| !next.is_empty());
                let next = next.ok_or_else(|| wrong("its value is not TOML"))?;
                let next = if is_set { Some(next) } else { next.strip_prefix('#') };
                whole.push('\n');
                whole.push_str(next.ok_or_else(|| wrong("its value is not TOML"))?);
            };
            last.keys.push(Key { name: name.to_owned(), value, is_set, about });
        } else if is_set {
            return Err(wrong("it is neither section nor key"));
        } else {
            join(&mut prose, content);
            continue;
        }
        continues = true;
    }
    if !prose.is_empty() {
        return Err(format!("default.toml ends in text that belongs to nothing: {prose}"));
    }
    sections.retain(|section| !section.name.is_empty() || !section.keys.is_empty());
    Ok((preface.join(" "), sections))
}

/// Adds a line to a text.
fn join(text: &mut String, line: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(line.trim());
}

/// Reads `[name]` or `[[name]]` and the comment beside it.
fn header(line: &str) -> Option<Section> {
    let is_list = line.starts_with("[[");
    let (open, close) = if is_list { ("[[", "]]") } else { ("[", "]") };
    let (name, rest) = line.strip_prefix(open)?.split_once(close)?;
    let rest = rest.trim();
    let about = if rest.is_empty() { "" } else { rest.strip_prefix('#')?.trim() };
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (!name.is_empty() && name.chars().all(plain)).then(|| Section {
        name: name.to_owned(),
        is_list,
        about: about.to_owned(),
        ..Section::default()
    })
}

/// The key that a line sets, if it does.
fn key_name(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(" = ")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(plain)).then_some(name)
}

/// Splits `name = value # comment`; `None` if there is no whole value yet.
fn value(name: &str, text: &str) -> Option<(String, String)> {
    let is_toml = |text: &str| text.parse::<toml::Table>().is_ok_and(|table| table.len() == 1);
    // A # may be part of a string: the first one that leaves TOML behind begins the comment.
    let marks = text.match_indices('#').map(|(at, _)| at).chain([text.len()]);
    let end = marks.into_iter().find(|at| is_toml(&text[..*at]))?;
    let value = text[..end].trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim();
    let comment = text[end..].trim_start_matches('#').trim();
    Some((value.to_owned(), comment.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(body: &str, word: &str) {
        let error = sections(&format!("# Text.\n\n{body}")).unwrap_err();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn a_line_without_a_place_is_an_error() {
        refused("[a]\nb = 1\n\n# lost text\n\n[c]\n", "line 7: the text above belongs to no");
        refused("[a]\nb = 1\n# lost text\n", "ends in text that belongs to nothing: lost text");
        refused("[a]\n# text\nb = 1\n", "line 5: text stands above a key");
        refused("[a]\n\n     # lost\n", "line 5: it continues no comment");
        refused("[a]\n  b = 1\n", "line 4: what is it?");
        refused("[a]\nB = 1\n", "line 4: it is neither section nor key");
        refused("[a\n", "line 3: it is no section");
        refused("[a] b\n", "line 3: it is no section");
        refused("[a]\nb = [1,\n\nc = 2\n", "line 4: its value is not TOML");
        refused("[a]\n# b = ...\n", "line 4: its value is not TOML");
    }

    #[test]
    fn values_keep_what_only_looks_like_a_comment() {
        let toml =
            "# Text.\n\n# a = \"x # y\"  # about # it\n# b = [\n#   1, # one\n# ]\n[c]\nd = 1\n";
        let (preface, sections) = sections(toml).unwrap();
        assert_eq!(preface, "Text.");
        let keys: Vec<_> =
            sections[0].keys.iter().map(|k| (&*k.name, &*k.value, k.is_set)).collect();
        assert_eq!(keys, [("a", "\"x # y\"", false), ("b", "[\n   1, # one\n ]", false)]);
        assert_eq!(sections[0].keys[0].about, "about # it");
        assert_eq!((sections[1].title(), sections[1].keys[0].is_set), ("[c]".to_owned(), true));
    }

    #[test]
    fn text_above_a_section_is_its_own_and_comments_go_on() {
        let toml =
            "# Text.\n\n# Two\n# lines.\n# [[n]]   # a\n   # table\n# k = 1 # one\n  # two\n";
        let (_, sections) = sections(toml).unwrap();
        let section = &sections[0];
        assert_eq!((&*section.prose, &*section.about), ("Two lines.", "a table"));
        assert!(section.is_list && section.keys[0].about == "one two");
    }
}
