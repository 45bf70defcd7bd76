//! Indexes many passages and searches them: `cargo bench --bench knowledge`.
//!
//! Words are made up and as unequal as those of a language (the n-th is n times rarer than the first), so
//! that questions have words that most passages hold. Prints passages a second, how long a search takes by
//! words, and by words and meaning, how many found the passage that was asked for, and how long a file
//! more takes. The seed is the first argument: measure with another than you looked at.

#![expect(clippy::print_stdout, reason = "a program whose result is on stdout")]

use std::fmt::Write as _;
use std::time::Instant;

use hark::knowledge::{Knowledge, KnowledgeSource, Meaning, Vector};
use hark::turn::LanguageCode;

const PASSAGES: usize = 100_000;
const FILES: usize = 10;
const WORDS_EACH: usize = 40;
const VOCABULARY: f64 = 30_000.0;
const QUESTIONS: usize = 500;
const DIMENSIONS: usize = 768;
const SYLLABLES: [&str; 16] = [
    "ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu", "dra", "fle", "gri", "pro", "stu",
    "cha",
];

/// Gives numbers that look random: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a number from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits")]
    fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a direction.
    #[expect(clippy::cast_possible_truncation, reason = "a number from -0.5 to 0.5")]
    fn vector(&mut self) -> Vector {
        let values: Vec<f32> = (0..DIMENSIONS).map(|_| self.share() as f32 - 0.5).collect();
        Vector::of(&values).expect("it has a direction")
    }

    /// Returns a word by Zipf's law.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    fn word(&mut self) -> String {
        let mut rank = VOCABULARY.powf(self.share()) as usize;
        let mut word = String::new();
        for _ in 0..4 {
            word.push_str(SYLLABLES[rank % 16]);
            rank /= 16;
        }
        word
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count")]
fn main() {
    let seed = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1);
    let mut dice = Dice(seed * 0x9E37_79B9_7F4A_7C15);
    for _ in 0..20 {
        dice.roll();
    }
    let mut passages = Vec::with_capacity(PASSAGES);
    for _ in 0..PASSAGES {
        let words: Vec<String> = (0..WORDS_EACH).map(|_| dice.word()).collect();
        passages.push(words.join(" "));
    }
    let files: Vec<(String, String)> = passages
        .chunks(PASSAGES / FILES)
        .enumerate()
        .map(|(n, part)| (format!("part{n}.txt"), part.join(".\n\n")))
        .collect();
    let started = Instant::now();
    let knowledge = Knowledge::load(&files).expect("it is text");
    let took = started.elapsed().as_secs_f64();
    let count = knowledge.passages();
    println!(
        "seed {seed}: {count} passages indexed in {took:.1} s, {:.0} a second",
        count as f64 / took
    );

    let mut rare = Dice(dice.0);
    let words = searches(&knowledge, &passages, &mut rare, false);
    println!("by words:             {words}");

    let started = Instant::now();
    let one = KnowledgeSource::read("one.txt", b"A line that is new.").expect("it is text");
    let changed = knowledge.changed(&knowledge.sources(), vec![one]).expect("the index works");
    let took = started.elapsed().as_secs_f64() * 1000.0;
    println!("one file more: {took:.0} ms, {} passages", changed.passages());

    let rows = knowledge.unmeant(i64::MIN, usize::MAX).expect("the index works");
    let meant = rows.into_iter().map(|(row, _)| (row, dice.vector())).collect();
    knowledge.learn(meant).expect("of one model");
    let both = searches(&knowledge, &passages, &mut dice, true);
    println!("by words and meaning: {both}");
}

/// Asks for passages by three words of each, among words as they come; returns how long that took.
#[expect(clippy::cast_possible_truncation, reason = "a place in a list")]
fn searches(knowledge: &Knowledge, passages: &[String], dice: &mut Dice, meaning: bool) -> String {
    let language: LanguageCode = "en".into();
    let (mut times, mut right) = (Vec::new(), 0);
    for _ in 0..QUESTIONS {
        let passage = &passages[dice.roll() as usize % PASSAGES];
        let words: Vec<&str> = passage.split(' ').collect();
        let mut question = String::new();
        for _ in 0..3 {
            let word = words[dice.roll() as usize % words.len()];
            write!(question, "{word} {} ", dice.word()).expect("a string takes it");
        }
        // Nothing is near, so that all are compared and none is found by it.
        let meaning = meaning.then(|| Meaning { vector: dice.vector(), least: 0.9 });
        let started = Instant::now();
        let hits = knowledge.top(&question, &language, meaning.as_ref(), 3);
        times.push(started.elapsed().as_secs_f64() * 1000.0);
        let hits = hits.expect("the index works");
        right += usize::from(hits.iter().any(|hit| hit.answer.starts_with(passage.as_str())));
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    let (p50, p95, p99, max) = (at(50), at(95), at(99), at(100));
    format!(
        "p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, max {max:.1} ms; {right} of {QUESTIONS} \
         found the passage"
    )
}
