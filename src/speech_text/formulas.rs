//! Rule for formulas: "10÷2 = 5", "2^3", "a² + b²", "√9". Inside one "-" is minus and "/" divides.

use super::counting::{part, say_part};
use super::language::{Form, Language, Maths, Unit};
use super::number::{Numeral, digits, say};
use super::rules::{Said, Spot, ends_word};
use super::{money, quantities};

/// Lists the raised digits and signs, each with what it stands for.
const RAISED: [(char, char); 12] = [
    ('⁰', '0'),
    ('¹', '1'),
    ('²', '2'),
    ('³', '3'),
    ('⁴', '4'),
    ('⁵', '5'),
    ('⁶', '6'),
    ('⁷', '7'),
    ('⁸', '8'),
    ('⁹', '9'),
    ('⁻', '-'),
    ('ⁿ', 'n'),
];

/// Limits a formula, in operands.
const MAX_OPERANDS: usize = 40;

/// Limits how far the equals sign of an equation is looked for, in bytes.
const MAX_EQUATION: usize = 120;

/// Holds a formula that is read from left to right.
struct Formula<'a> {
    text: &'a str,
    at: usize,
    language: &'static Language,
    words: String,
    /// A sign that only formulas have has been read.
    sure: bool,
    /// Brackets that are open.
    depth: usize,
}

/// Says a formula of at least one sign that only formulas have.
pub(super) fn said(spot: &Spot) -> Option<Said> {
    let rest = spot.rest();
    let starts = |c: char| c.is_alphanumeric() || matches!(c, '(' | '√' | '-' | '−');
    let priced = || money::prefix(rest, spot.language).is_some();
    if !(rest.starts_with(starts) || priced()) || !spot.is_fresh() {
        return None;
    }
    if let Some((noun, length)) = unit_alone(rest, spot.language) {
        return Said::new(length, noun);
    }
    let mut reader = Formula {
        text: rest,
        at: 0,
        language: spot.language,
        words: String::new(),
        sure: false,
        depth: 0,
    };
    let length = reader.read()?;
    let whole = reader.sure && reader.depth == 0 && ends_word(&rest[length..]);
    whole.then_some(())?;
    Said::new(length, reader.words.trim_end_matches(','))
}

/// Reads "m²" without a number before it: a unit, not a variable.
fn unit_alone(text: &str, language: &Language) -> Option<(&'static str, usize)> {
    let word = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
    text[..word].ends_with(['²', '³']).then_some(())?;
    let units: &'static [Unit] = language.units;
    let signs = units.iter().flat_map(|unit| unit.signs.iter().map(move |sign| (unit, *sign)));
    let mut raised = signs.filter(|(_, sign)| sign.ends_with(['²', '³']));
    let (unit, sign) = raised.find(|(_, sign)| text.strip_prefix(sign).is_some_and(ends_word))?;
    let formula = text[sign.len()..].trim_start().starts_with(['+', '-', '−', '=']);
    (!formula).then_some((unit.noun.one, sign.len()))
}

impl Formula<'_> {
    /// Reads operands with operators between them; returns where the last operand ends.
    fn read(&mut self) -> Option<usize> {
        self.operand()?;
        let mut done = self.at;
        for _ in 0..MAX_OPERANDS {
            let (at, words) = (self.at, self.words.len());
            let (sure, depth) = (self.sure, self.depth);
            if self.operator().is_none() || self.operand().is_none() {
                (self.at, self.sure, self.depth) = (at, sure, depth);
                self.words.truncate(words);
                break;
            }
            done = self.at;
        }
        Some(done)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn say(&mut self, words: &str) {
        if !self.words.is_empty() && !words.is_empty() {
            self.words.push(' ');
        }
        self.words.push_str(words);
    }

    /// Lets brackets be heard: "(a+b) ÷ c" is not "a+b ÷ c".
    fn pause(&mut self) {
        if !self.words.is_empty() && !self.words.ends_with(',') {
            self.words.push(',');
        }
    }

    fn maths(&self) -> &'static Maths {
        &self.language.maths
    }

    /// Reads a number, a variable or a root, in brackets or not, and its exponents.
    fn operand(&mut self) -> Option<()> {
        while let Some(mark) = self.rest().chars().next() {
            match mark {
                '(' => {
                    self.pause();
                    self.depth += 1;
                }
                '√' => {
                    self.say(self.maths().root);
                    self.sure = true;
                }
                '-' | '−' => self.say(self.language.words.minus),
                _ => break,
            }
            self.at += mark.len_utf8();
        }
        self.number().or_else(|| self.variable())?;
        loop {
            self.raised();
            if self.depth == 0 || !self.rest().starts_with(')') {
                return Some(());
            }
            self.pause();
            self.depth -= 1;
            self.at += 1;
        }
    }

    /// Reads a number with its unit, a fraction, or a number and its variable: "2x".
    fn number(&mut self) -> Option<()> {
        let run = digits(self.rest());
        let run_length = run.len();
        if let Some((top, bottom, length)) = part(self.rest())
            && top < bottom
            && bottom <= 10
        {
            let words = say_part(top, bottom, self.language);
            self.say(&words);
            self.at += length;
            return Some(());
        }
        let (words, length) = quantities::single(self.rest(), self.language)?;
        let behind = &self.rest()[length..];
        if ends_word(behind) || behind.starts_with(is_raised) {
            self.say(&words);
            self.at += length;
            return Some(());
        }
        let whole: u64 = run.parse().ok()?;
        let words = say(&Numeral::of(whole), self.language, Form::Alone);
        self.say(&words);
        self.at += run_length;
        self.variable()
    }

    /// Reads a letter; two or three only with an exponent, since they may be a word.
    fn variable(&mut self) -> Option<()> {
        let rest = self.rest();
        let letter = |c: char| c.is_ascii_alphabetic() || ('α'..='ω').contains(&c);
        let name = &rest[..rest.find(|c| !letter(c)).unwrap_or(rest.len())];
        let behind = &rest[name.len()..];
        let raised = behind.starts_with(is_raised) || behind.starts_with('^');
        let fits = match name.chars().count() {
            1 => raised || !behind.starts_with(|c: char| c.is_alphanumeric() || "'’_".contains(c)),
            2 | 3 => raised,
            _ => false,
        };
        fits.then_some(())?;
        let length = name.len();
        let name = name.replace('π', "pi");
        self.say(&name);
        self.at += length;
        Some(())
    }

    /// Reads exponents: "²", "^3", "^(n+1)".
    fn raised(&mut self) {
        let raised: String = self.rest().chars().map_while(of_raised).collect();
        if !raised.is_empty() {
            self.at += self.rest().find(|c| !is_raised(c)).unwrap_or(self.rest().len());
            self.exponent(&raised);
            return;
        }
        let Some(behind) = self.rest().strip_prefix('^') else { return };
        let number = digits(behind);
        if !number.is_empty() {
            let number = number.to_owned();
            self.at += 1 + number.len();
            self.exponent(&number);
            return;
        }
        let (at, words) = (self.at, self.words.len());
        self.say(self.maths().power);
        self.at += 1;
        if self.operand().is_none() {
            self.at = at;
            self.words.truncate(words);
        } else {
            self.sure = true;
        }
    }

    fn exponent(&mut self, number: &str) {
        self.sure = true;
        match number {
            "2" => self.say(self.maths().squared),
            "3" => self.say(self.maths().cubed),
            _ => {
                self.say(self.maths().power);
                let (minus, number) = match number.strip_prefix('-') {
                    Some(number) => (self.language.words.minus, number),
                    None => ("", number),
                };
                self.say(minus);
                let words = match number.parse() {
                    Ok(n) => (self.language.cardinal)(n, Form::Alone),
                    Err(_) => number.to_owned(),
                };
                self.say(&words);
            }
        }
    }

    /// Reads an operator with at most a space on either side.
    fn operator(&mut self) -> Option<()> {
        let bare = self.rest().strip_prefix(' ').unwrap_or(self.rest());
        let (words, maths) = (&self.language.words, self.maths());
        let two = ["<=", ">=", "!="].into_iter().find(|sign| bare.starts_with(sign));
        let sign = two.map_or_else(|| bare.chars().next().map(String::from), |s| Some(s.into()))?;
        let spaced = bare.len() < self.rest().len();
        let digit = self.text[..self.at].ends_with(|c: char| c.is_ascii_digit());
        let (said, sure) = match sign.as_str() {
            "=" => (words.equals, true),
            "+" => (words.plus, false),
            "±" => (words.plus_minus, false),
            "-" | "−" | "–" => (words.minus, false),
            "×" | "·" | "⋅" | "∙" => (words.times, true),
            "*" => (words.times, digit),
            "x" if digit => (words.times, false),
            "÷" => (maths.divided, true),
            "/" => (maths.divided, false),
            ":" if digit && self.divides(bare) => (maths.divided, false),
            "≠" | "!=" => (maths.unequal, true),
            "≈" => (words.about, true),
            "≤" | "≦" | "⩽" | "<=" => (maths.no_more, true),
            "≥" | "≧" | "⩾" | ">=" => (maths.no_less, true),
            "<" => (words.less, false),
            ">" => (words.more, false),
            _ => return None,
        };
        if matches!(sign.as_str(), "/" | ":") && !self.is_equation() {
            return None;
        }
        let behind = &bare[sign.len()..];
        let after = behind.strip_prefix(' ').unwrap_or(behind);
        // "5 -3" is no subtraction, and "==" no sign of formulas.
        let even = spaced == (after.len() < behind.len()) || sure || sign == ":";
        (even && !after.starts_with(['=', ' '])).then_some(())?;
        self.at = self.text.len() - after.len();
        self.sure |= sure;
        self.say(said);
        Some(())
    }

    /// Returns whether the formula is one of equal sides: only there ":" and "/" divide.
    fn is_equation(&self) -> bool {
        self.text[..self.text.floor_char_boundary(MAX_EQUATION)].contains('=')
    }

    /// Returns whether a colon before a number divides, as it does where decimals have a comma.
    fn divides(&self, text: &str) -> bool {
        let number = text.strip_prefix(": ");
        self.language.decimal == ','
            && number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
    }
}

pub(super) fn is_raised(c: char) -> bool {
    of_raised(c).is_some()
}

fn of_raised(c: char) -> Option<char> {
    RAISED.iter().find(|(raised, _)| *raised == c).map(|(_, plain)| *plain)
}

/// Raises digits and signs, if all of them can be.
pub(super) fn raise(text: &str) -> Option<String> {
    let raised = |c: char| RAISED.iter().find(|(_, plain)| *plain == c).map(|(raised, _)| *raised);
    text.chars().map(raised).collect()
}
