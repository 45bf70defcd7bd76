//! Reads figures: amounts, years, ordinals, decimals, and the numbers of rooms, roads and models.

use super::letters::{digits, is_digits, run};
use super::numerals::{cardinal, one_by_one, ordinal, year};
use super::reader::{MoneyUnit, Setting, WordReader};
use super::stress::Stress;

/// Lists the endings that order: "3rd".
const ORDERING: [&str; 4] = ["st", "nd", "rd", "th"];
/// Lists all endings that figures have; "1980s", "3-peat'd".
const ENDINGS: [&str; 9] = ["ing", "'d", "ed", "'s", "st", "nd", "rd", "th", "s"];

/// Returns whether a word is figures, perhaps with an ending; only a `head` has a minus.
pub(super) fn is_number(word: &str, head: bool) -> bool {
    let figures = ENDINGS.iter().find_map(|ending| word.strip_suffix(ending)).unwrap_or(word);
    let minus = usize::from(head && figures.starts_with('-'));
    let figures = &figures[minus..];
    figures.contains(|c: char| c.is_ascii_digit())
        && figures.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'.'))
}

impl WordReader {
    /// Reads figures. Those that are no `head` are part of a name: "Boeing 747", "A1".
    pub(super) fn number(&self, word: &str, unit: Option<MoneyUnit>, head: bool) -> Option<String> {
        let (minus, unsigned) = match word.strip_prefix('-') {
            Some(unsigned) => (true, unsigned),
            None => (false, word),
        };
        let end = run(unsigned, |c| c.is_ascii_digit() || matches!(c, ',' | '.'));
        let (figures, ending) = unsigned.split_at(end);
        let orders = ORDERING.contains(&ending);
        let plain = figures.replace(',', "");
        let words: Vec<String> = if is_digits(figures) && orders {
            owned(ordinal(figures))
        } else if !minus && figures.len() == 4 && unit.is_none() && is_digits(figures) {
            owned(year(figures))
        } else if !head && !figures.contains('.') {
            owned(numbered(&plain))
        } else if plain.matches('.').count() > 1 || !head {
            owned(plain.split('.').flat_map(in_version))
        } else {
            match unit.filter(|_| is_amount(&plain)) {
                Some(unit) => owned(amount(&plain, unit)),
                None if orders && is_digits(&plain) => owned(ordinal(&plain)),
                None => owned(decimal(&plain)),
            }
        };
        let minus = minus.then(|| "minus".to_owned());
        let sounds = minus.iter().chain(&words).map(|word| self.number_word(word));
        let sound = sounds.collect::<Option<Vec<_>>>()?.join(" ");
        match ending {
            _ if sound.is_empty() => None,
            "s" | "'s" => self.add_s(&sound),
            "ed" | "'d" => self.add_ed(&sound),
            "ing" => self.add_ing(&sound),
            _ => Some(sound),
        }
    }

    fn number_word(&self, word: &str) -> Option<String> {
        match word {
            "point" | "O" => self.look_up(word, Setting::ANY.stressed(Stress::Without)),
            "dollars" | "cents" | "pounds" | "euros" => self.plural(&word[..word.len() - 1]),
            _ => self.look_up(word, Setting::ANY),
        }
    }
}

fn owned<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Vec<String> {
    words.into_iter().map(Into::into).collect()
}

/// Says a number that is a name: "one oh five", "seven forty seven", "zero zero one".
fn numbered(figures: &str) -> Vec<&'static str> {
    let mut words = Vec::new();
    match figures.len() {
        _ if figures.starts_with('0') => words.extend(one_by_one(figures)),
        3 if !figures.ends_with("00") => {
            words.extend(cardinal(&figures[..1]));
            words.extend(figures[1..].starts_with('0').then_some("O"));
            words.extend(cardinal(&figures[1..]));
        }
        0..=3 => words.extend(cardinal(figures)),
        _ => words.extend(one_by_one(figures)),
    }
    words
}

/// Says one number of several between stops: those of "3.14.15".
fn in_version(figures: &str) -> Vec<&'static str> {
    let round = figures.len() == 2 || figures.bytes().skip(1).all(|b| b == b'0');
    match figures {
        "" => Vec::new(),
        _ if round && !figures.starts_with('0') => cardinal(figures),
        _ => one_by_one(figures).collect(),
    }
}

/// Returns whether figures are an amount of money: with hundredths or without.
fn is_amount(figures: &str) -> bool {
    figures.split_once('.').is_none_or(|(_, cents)| cents.len() < 3)
}

/// Says an amount: "five dollars and twenty cents".
fn amount(figures: &str, unit: MoneyUnit) -> Vec<&'static str> {
    let (whole, cents) = figures.split_once('.').unwrap_or((figures, ""));
    // "$1.5" is one and a half.
    let cents = if cents.len() == 1 { format!("{cents}0") } else { cents.to_owned() };
    let is_zero = |figures: &str| figures.bytes().all(|b| b == b'0');
    let mut words = Vec::new();
    for (count, name) in [whole, &cents].into_iter().zip(unit.names()) {
        let alone = words.is_empty();
        let is_cents = name != unit.names()[0];
        let said = if is_cents { !is_zero(count) } else { !is_zero(count) || is_zero(&cents) };
        if !said {
            continue;
        }
        words.extend((!alone).then_some("and"));
        words.extend(cardinal(count));
        let one = count.trim_start_matches('0') == "1";
        words.push(match name {
            "dollar" if !one => "dollars",
            "pound" if !one => "pounds",
            "euro" if !one => "euros",
            "cent" if !one => "cents",
            name => name,
        });
    }
    words
}

/// Says a number with decimals: "three point one four".
fn decimal(figures: &str) -> Vec<&'static str> {
    let (whole, decimals) = figures.split_once('.').unwrap_or((figures, ""));
    if whole.is_empty() {
        return ["point"].into_iter().chain(one_by_one(decimals)).collect();
    }
    let decimals = &digits(decimals).trim_end_matches('0');
    let mut words = cardinal(whole);
    if !decimals.is_empty() {
        words.push("point");
        words.extend(one_by_one(decimals));
    }
    words
}
