//! Turns formulas in LaTeX into plain signs: `\frac{1}{2}` is "1/2" and `$n^2$` is "n²". The rules
//! for formulas say these.

use super::formulas::raise;

/// Limits a formula in dollar signs, in bytes.
const MAX_FORMULA: usize = 400;

/// Limits the brackets inside brackets.
const MAX_DEPTH: usize = 8;

/// Lists what opens and closes a formula.
const FENCES: [(&str, &str); 4] = [("$$", "$$"), ("\\(", "\\)"), ("\\[", "\\]"), ("$", "$")];

/// Lists commands and their signs.
const SIGNS: [(&str, &str); 32] = [
    ("times", " × "),
    ("cdot", " × "),
    ("div", " ÷ "),
    ("pm", " ± "),
    ("leq", " ≤ "),
    ("le", " ≤ "),
    ("leqslant", " ≤ "),
    ("geq", " ≥ "),
    ("ge", " ≥ "),
    ("geqslant", " ≥ "),
    ("neq", " ≠ "),
    ("ne", " ≠ "),
    ("approx", " ≈ "),
    ("left", ""),
    ("right", ""),
    ("quad", " "),
    ("qquad", " "),
    ("displaystyle", ""),
    ("circ", "°"),
    ("degree", "°"),
    ("pi", " pi "),
    ("alpha", " alpha "),
    ("beta", " beta "),
    ("gamma", " gamma "),
    ("delta", " delta "),
    ("lambda", " lambda "),
    ("mu", " mu "),
    ("sigma", " sigma "),
    ("theta", " theta "),
    ("omega", " omega "),
    ("to", " "),
    ("rightarrow", " "),
];

/// Lists commands whose argument stays as it is.
const TEXTS: [&str; 8] =
    ["text", "mathrm", "mathbf", "mathit", "operatorname", "boxed", "textbf", "mathbb"];

/// Replaces the formulas of a line by plain signs. Without backslash and dollar there are none.
pub(super) fn plain(line: &str) -> String {
    if !line.contains(['\\', '$']) {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        if let Some((inside, length)) = formula(&line[..at], &line[at..]) {
            out.push_str(convert(inside, 1).trim());
            at += length;
        } else if let Some((said, length)) = command(&line[at..], 0).filter(|_| c == '\\') {
            out.push_str(&said);
            at += length;
        } else {
            out.push(c);
            at += c.len_utf8();
        }
    }
    out
}

/// Reads a formula between its fences.
fn formula<'a>(before: &str, text: &'a str) -> Option<(&'a str, usize)> {
    let (open, close) = FENCES.iter().find(|(open, _)| text.starts_with(open))?;
    let inside = &text[open.len()..];
    let window = &inside[..inside.floor_char_boundary(MAX_FORMULA)];
    let inside = &window[..window.find(close)?];
    let length = open.len() + inside.len() + close.len();
    if *open == "$" && !(is_maths(inside) && stands_alone(before, &text[length..])) {
        return None;
    }
    Some((inside, length))
}

/// Returns whether dollar signs are no money: "$5 and $6", "5$ or 10$".
fn stands_alone(before: &str, after: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || c == '\\')
        && !after.starts_with(|c: char| c.is_ascii_digit())
}

/// Returns whether what is between two dollar signs is a formula: no words but those of commands.
fn is_maths(inside: &str) -> bool {
    let edges = inside.trim() == inside && !inside.is_empty();
    let mut run = 0;
    let mut words = false;
    let mut in_command = false;
    for c in inside.chars() {
        let letter = c.is_alphabetic();
        in_command = c == '\\' || (in_command && letter);
        run = if letter && !in_command { run + 1 } else { 0 };
        words |= run >= 3;
    }
    let signs = inside.contains(['\\', '^', '_', '=', '<', '>', '+', '/', '×', '÷', '·', '≤', '≥']);
    let variable =
        inside.chars().all(char::is_alphanumeric) && inside.contains(char::is_alphabetic);
    let open = inside.ends_with([',', '.', '-', '–', '/', '+', '=']);
    edges && !open && (signs || variable) && (!words || inside.contains('\\'))
}

/// Converts the inside of a formula.
fn convert(text: &str, depth: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if let Some((said, length)) = command(rest, depth).filter(|_| c == '\\') {
            out.push_str(&said);
            at += length;
            continue;
        }
        at += c.len_utf8();
        match c {
            '^' => {
                let (argument, length) = argument(&text[at..], depth);
                let argument = argument.trim();
                match raise(argument) {
                    Some(raised) => out.push_str(&raised),
                    None if argument.chars().count() == 1 => out.push_str(&format!("^{argument}")),
                    None => out.push_str(&format!("^({argument})")),
                }
                at += length;
            }
            '_' => {
                let (argument, length) = argument(&text[at..], depth);
                out.push_str(&format!(" {argument}"));
                at += length;
            }
            '/' if !out.ends_with(|c: char| c.is_ascii_digit()) => out.push_str(" ÷ "),
            '{' | '}' | '&' => {}
            '~' => out.push(' '),
            _ => out.push(c),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads a command and its arguments; `None` if it is none that is known.
fn command(text: &str, depth: usize) -> Option<(String, usize)> {
    let behind = text.strip_prefix('\\')?;
    let length = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
    let name = &behind[..length];
    let after = &behind[length..];
    let at = 1 + length;
    if name.is_empty() {
        let mark = behind.chars().next().filter(|_| depth > 0)?;
        return match mark {
            ',' | ';' | ':' | '!' | ' ' => Some((" ".to_owned(), 2)),
            '\\' => Some((", ".to_owned(), 2)),
            '%' | '$' | '{' | '}' | '#' | '&' | '_' => Some((mark.to_string(), 2)),
            _ => None,
        };
    }
    if depth > MAX_DEPTH {
        return Some((String::new(), at));
    }
    if let Some((_, sign)) = SIGNS.iter().find(|(known, _)| *known == name) {
        return Some(((*sign).to_owned(), at));
    }
    if matches!(name, "frac" | "dfrac" | "tfrac") {
        let (top, first) = argument(after, depth);
        let (bottom, second) = argument(&after[first..], depth);
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let said = if plain(&top) && plain(&bottom) {
            format!("{top}/{bottom}")
        } else {
            format!("{} ÷ {}", grouped(&top), grouped(&bottom))
        };
        return Some((said, at + first + second));
    }
    if name == "sqrt" {
        let (root, length) = argument(after, depth);
        return Some((format!("√{}", grouped(&root)), at + length));
    }
    if TEXTS.contains(&name) && after.starts_with('{') {
        let (words, length) = argument(after, depth);
        return Some((words, at + length));
    }
    None
}

/// Puts brackets around what is more than one letter or number.
fn grouped(text: &str) -> String {
    let simple = text.chars().all(char::is_alphanumeric);
    if simple { text.to_owned() } else { format!("({text})") }
}

/// Reads one argument: what is in braces, else one character.
fn argument(text: &str, depth: usize) -> (String, usize) {
    let Some(inside) = text.strip_prefix('{') else {
        let length = text.chars().next().map_or(0, char::len_utf8);
        if let Some((said, length)) = command(text, depth + 1) {
            return (said, length);
        }
        return (text[..length].to_owned(), length);
    };
    let mut open = 1;
    for (at, c) in inside.char_indices() {
        open += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if open == 0 {
            let argument = &inside[..at];
            let said = if depth < MAX_DEPTH { convert(argument, depth + 1) } else { String::new() };
            return (said, at + 2);
        }
    }
    (String::new(), 1)
}
