//! Defines the tables that each file of `lang/` fills in.

use super::lang::Cues;

/// Names what a number word agrees with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Nothing: "uno", "eins"; as a German ordinal "dritter".
    Alone,
    /// A masculine or neuter noun after it: "un", "ein"; as a German ordinal "dritte".
    Masculine,
    /// A feminine noun after it: "una", "eine".
    Feminine,
    /// A noun that changes the ordinal before it: Spanish "primer", German "dritten".
    Bound,
}

/// Names something that is counted.
#[derive(Debug)]
pub(super) struct Noun {
    pub(super) one: &'static str,
    pub(super) many: &'static str,
    pub(super) form: Form,
}

/// Holds a noun and the signs that are written for it after a number.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) signs: &'static [&'static str],
    pub(super) noun: Noun,
}

/// Describes a currency; its signs come before or after the amount.
#[derive(Debug)]
pub(super) struct Currency {
    pub(super) signs: &'static [&'static str],
    pub(super) noun: Noun,
    /// The hundredth part; `one` is empty if there is none.
    pub(super) cent: Noun,
    /// What is written after a number of them.
    pub(super) cent_signs: &'static [&'static str],
}

/// Describes a word such as "million" after an amount of money.
#[derive(Debug)]
pub(super) struct Multiplier {
    pub(super) signs: &'static [&'static str],
    pub(super) factor: u64,
    pub(super) noun: Noun,
}

/// Holds a date; `month` is 1 to 12.
#[derive(Clone, Copy, Debug)]
pub(super) struct Date {
    pub(super) day: u64,
    pub(super) month: usize,
    pub(super) year: Option<u64>,
    /// Written with the month's name before the day, as in "May 3".
    pub(super) month_first: bool,
}

/// Holds a time of day as it was written; `hour` is 0 to 24.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) hour: u64,
    pub(super) minute: u64,
    pub(super) half: Option<Half>,
    /// Another time follows that says the unit: "nine" of "nine to six o'clock".
    pub(super) bare: bool,
}

/// Tells the hours before noon from those after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Am,
    Pm,
}

impl Time {
    /// Returns the hour out of 24; as written if neither am nor pm was.
    pub(super) fn hour_of_day(self) -> u64 {
        match (self.half, self.hour) {
            (Some(Half::Pm), 1..=11) => self.hour + 12,
            (Some(Half::Am), 12) => 0,
            _ => self.hour,
        }
    }
}

/// Holds all that is particular to one language, whether it is heard, searched for or said.
///
/// A list is one string with commas between its entries: see [`super::lang::entries`].
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent facts")]
pub struct Language {
    /// ISO 639-1.
    pub code: &'static str,
    /// How people ask for answers in text or by voice.
    pub wishes: Wishes,
    /// How people ask for a person.
    pub person: PersonRequests,
    /// What people answer to "Did you say ...?".
    pub answers: Answers,
    /// Words that do not tell what a question is about.
    pub search: Search,
    pub(super) stops: Stops,
    /// Numeral words up to 999 999 999 999.
    pub(super) cardinal: fn(u64, Form) -> String,
    /// The same for a number in Indian groups, where the language has words for these.
    pub(super) indian: Option<fn(u64) -> String>,
    pub(super) ordinal: fn(u64, Form) -> String,
    /// What an ordinal agrees with after a word in lower case.
    pub(super) ordinal_form: fn(&str) -> Form,
    /// Four digits as a year.
    pub(super) year: fn(u64) -> String,
    /// A day; the text is the word before it, in lower case, which German inflects for.
    pub(super) date: fn(Date, &str) -> String,
    /// 1980s, or 80s if it is below 100; the text is the ending that was written.
    pub(super) decade: fn(u64, &str) -> String,
    /// What makes a number a decade.
    pub(super) decade_marks: &'static [&'static str],
    /// The number of a monarch or a pope; the form is that of the name before it.
    pub(super) regnal: fn(u64, Form) -> String,
    pub(super) time: fn(Time) -> String,
    /// The mark before decimals; the other one groups thousands.
    pub(super) decimal: char,
    /// Decimals are said one by one, not as a number.
    pub(super) decimals_by_digit: bool,
    /// 1.5 is followed by the singular.
    pub(super) singular_below_two: bool,
    /// Two digits of a telephone number are one number.
    pub(super) phone_in_pairs: bool,
    /// 555-1234 is a telephone number.
    pub(super) seven_digit_phones: bool,
    /// The 3 of 3/5 is the month.
    pub(super) month_before_day: bool,
    /// Months and weekdays are written with a capital: "may" is a verb, "so" an adverb.
    pub(super) capital_names: bool,
    /// So are all nouns; elsewhere a capital marks a name, which is not counted.
    pub(super) capital_nouns: bool,
    /// "I" is a word.
    pub(super) first_person_is_i: bool,
    /// A Roman number before a name is an ordinal: "la II Guerra Mundial".
    pub(super) roman_before_name: bool,
    pub(super) words: Words,
    pub(super) maths: Maths,
    /// Goes between a round million and the noun, with its space; empty if nothing does.
    pub(super) million_of: fn(&str) -> &'static str,
    /// Goes between an amount and its cents.
    pub(super) cents_join: &'static str,
    pub(super) cents_named: bool,
    /// What a price is in where it names no other: that of "$" in Mexico, of "5,-" in Germany.
    pub(super) own: &'static Currency,
    pub(super) currencies: &'static [Currency],
    pub(super) multipliers: &'static [Multiplier],
    pub(super) units: &'static [Unit],
    /// Each month's name, then its short forms.
    pub(super) months: [&'static [&'static str]; 12],
    /// Each weekday's name, from Monday, then its short forms.
    pub(super) weekdays: [&'static [&'static str]; 7],
    /// What may separate a day from its month.
    pub(super) day_to_month: &'static [&'static str],
    /// What may separate a month from its year.
    pub(super) month_to_year: &'static [&'static str],
    /// List: what is written after the hour; with "h", 15h30 is a time.
    pub(super) hour_units: &'static str,
    /// One and several of 1/2 to 1/10.
    pub(super) parts: [(&'static str, &'static str); 9],
    /// What makes a number an ordinal.
    pub(super) ordinal_marks: &'static [(&'static str, Form)],
    /// How "3." is an ordinal, where a full stop makes one.
    pub(super) dotted_ordinals: Option<DottedOrdinals>,
    /// List: the first ten numbers of an enumeration.
    pub(super) list: &'static str,
    /// What is written and what is said for it, at the start of a word.
    pub(super) replacements: &'static [(&'static str, &'static str)],
    /// Words around a number that tell what it is.
    pub(super) cues: &'static Cues,
    /// List: words after a number that are not what it counts.
    pub(super) not_counted: &'static str,
    /// List: endings of feminine nouns.
    pub(super) feminine_endings: &'static str,
    /// List: nouns that only look feminine.
    pub(super) masculine: &'static str,
}

impl Language {
    /// Returns the noun of a unit that every language has.
    pub(super) fn unit(&self, sign: &str) -> &'static Noun {
        let units: &'static [Unit] = self.units;
        let unit = units.iter().find(|unit| unit.signs.contains(&sign));
        &unit.expect("every language lists the units that are asked for").noun
    }
}

/// Lists how people ask for one form of answers, in lower case and without punctuation.
///
/// In a request `a/b` is either word, `*` up to two words, `^` and `$` the start and the end of a
/// clause that says nothing else: "no audio please", but not "there is no audio on my TV".
#[derive(Debug)]
pub struct Wishes {
    /// Requests for text.
    pub text: &'static str,
    /// Requests for the voice.
    pub voice: &'static str,
    /// Where people are who cannot listen; a request for text in a message that says nothing else.
    pub busy: &'static str,
    /// Words shortly before a request that turn it round: "you don't have to answer in text".
    pub not: &'static str,
    /// Words around a request that are not a question of their own.
    pub around: &'static str,
}

/// Lists how people ask for a person, in lower case and without punctuation.
#[derive(Debug)]
pub struct PersonRequests {
    /// Requests. `@` stands for somebody, `*` for up to four words; one that ends with `.` counts
    /// only at the end of a clause or before words of `around`.
    pub requests: &'static str,
    /// Whom they ask for.
    pub people: &'static str,
    /// Who is asked for by these words alone, and not counted: "one person" may be a table's.
    pub alone: &'static str,
    /// Words before somebody: articles, "real".
    pub before: &'static str,
    /// Words after somebody, or around them, that add nothing.
    pub around: &'static str,
    /// Words right before a request that turn it round.
    pub not: &'static str,
}

/// Lists complete answers to a yes-or-no question, in lower case and without punctuation.
#[derive(Debug)]
#[expect(missing_docs, reason = "each lists the answers of that meaning")]
pub struct Answers {
    pub yes: &'static str,
    pub no: &'static str,
}

/// Lists words that a search leaves out, in lower case.
#[derive(Debug)]
pub struct Search {
    /// Words that are in most questions.
    pub common: &'static str,
    /// Words of courtesy: a message is about them only when nothing else is in it.
    pub courtesies: &'static str,
    /// Words that stand before a name.
    pub titles: &'static str,
    /// Words with a capital that are no names.
    pub capitals: &'static str,
}

/// Lists words that carry a full stop, in lower case and without it.
#[derive(Debug)]
pub(super) struct Stops {
    /// Abbreviations that never end a sentence.
    pub(super) never_end: &'static str,
    /// Abbreviations that may end one: what follows decides.
    pub(super) may_end: &'static str,
}

/// Lists the words that show that a number with a full stop is an ordinal.
#[derive(Debug)]
pub(super) struct DottedOrdinals {
    /// Words before it, in lower case.
    pub(super) before: &'static str,
    /// Words after it.
    pub(super) after: &'static str,
}

/// Holds the single words of a language.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) point: &'static str,
    pub(super) minus: &'static str,
    pub(super) plus: &'static str,
    pub(super) equals: &'static str,
    pub(super) times: &'static str,
    pub(super) and: &'static str,
    pub(super) percent: &'static str,
    pub(super) to: &'static str,
    /// The mark of 3:1.
    pub(super) ratio: &'static str,
    /// The slash of 8/10.
    pub(super) out_of: &'static str,
    pub(super) about: &'static str,
    pub(super) less: &'static str,
    pub(super) more: &'static str,
    /// The sign of ≤ 5 before an amount: "at most"; between two sides of a formula it is
    /// [`Maths::no_more`].
    pub(super) at_most: &'static str,
    pub(super) at_least: &'static str,
    pub(super) plus_minus: &'static str,
    pub(super) per: &'static str,
    /// The mark of #1.
    pub(super) number: &'static str,
    pub(super) at: &'static str,
    pub(super) dot: &'static str,
    pub(super) slash: &'static str,
    pub(super) hyphen: &'static str,
    pub(super) underscore: &'static str,
    pub(super) hashtag: &'static str,
    pub(super) half: &'static str,
    /// 1/2 before a unit.
    pub(super) half_a: &'static str,
    /// What follows the whole number of 1½.
    pub(super) and_half: &'static str,
    /// Replaces a link that is sent as text.
    pub(super) long_link: &'static str,
    /// Replaces a code block.
    pub(super) code: &'static str,
}

/// Holds the words of formulas.
#[derive(Debug)]
pub(super) struct Maths {
    pub(super) divided: &'static str,
    pub(super) no_less: &'static str,
    pub(super) no_more: &'static str,
    pub(super) unequal: &'static str,
    pub(super) squared: &'static str,
    pub(super) cubed: &'static str,
    /// Comes before any other exponent.
    pub(super) power: &'static str,
    pub(super) root: &'static str,
}

pub(super) const fn noun(one: &'static str, many: &'static str, form: Form) -> Noun {
    Noun { one, many, form }
}

pub(super) const fn unit(signs: &'static [&'static str], noun: Noun) -> Unit {
    Unit { signs, noun }
}

pub(super) const fn currency(signs: &'static [&'static str], noun: Noun, cent: Noun) -> Currency {
    Currency { signs, noun, cent, cent_signs: &[] }
}

/// Adds the signs of the hundredth part.
pub(super) const fn cents(signs: &'static [&'static str], of: Currency) -> Currency {
    Currency { cent_signs: signs, ..of }
}

pub(super) const fn multiplier(
    signs: &'static [&'static str],
    factor: u64,
    noun: Noun,
) -> Multiplier {
    Multiplier { signs, factor, noun }
}
