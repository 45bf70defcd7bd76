//! What an agent knows: passages from files, found by the words and the meaning of a question.
//!
//! A ranking always has a first row, so a hit must also *cover* the question: the rare words of the
//! question must be in the passage, or it must mean nearly the same by an embedding model, or the
//! honest answer is that we do not know. A [`Knowledge`] is made anew of the former one for every change
//! of its sources, so that no search sees half of one.

mod embedder;
mod error;
mod html;
mod index;
mod names;
mod pdf;
mod read;
mod rows;
mod sections;
mod source;
mod table;
mod text;
mod vectors;
mod words;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

pub use embedder::{EmbedError, Embedder, EmbeddingSettings};
pub use error::KnowledgeError;
use index::{CANDIDATES, Index};
pub use pdf::{PDF_COMMAND, read_pdf_by, read_pdf_here};
pub use read::MAX_BYTES;
pub use rows::{TableFile, TableRow};
pub use source::{KnowledgeSource, Passage, SourceFile, SourceKey};
pub use vectors::Vector;
use vectors::Vectors;

use crate::turn::{LanguageCode, PassageSource};

/// Sets how little the first places of two rankings count for more than the next, as in the paper that
/// found it: Cormack, Clarke and Büttcher, "Reciprocal rank fusion", SIGIR 2009.
const FUSION: f64 = 60.0;

/// Passages that are looked through for names: of many a sample has the likeliest.
const NAMED: usize = 10_000;

/// Holds the passages of an agent's files, ready to be searched.
///
/// One index behind a mutex, so async callers search on a blocking thread: a question to 22 passages
/// takes about 0.1 ms, to 100,000 some milliseconds (docs/PERFORMANCE.md).
#[derive(Debug)]
pub struct Knowledge {
    index: Mutex<Index>,
    /// Of the passages that an embedding model was asked about.
    vectors: RwLock<Vectors>,
    names: Vec<String>,
}

/// Holds a passage that answers a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The question the passage was filed under; `None` for running text.
    pub question: Option<String>,
    /// The answer, or the passage itself.
    pub answer: String,
    /// The file it is from, and where in it.
    pub source: PassageSource,
    /// BM25 rank, higher is better; comparable only within one search. 0 if it was found by its meaning.
    pub score: f64,
    /// Share of the question's informative words found in the passage, 0 to 1; 0 if it was found by its
    /// meaning alone.
    pub coverage: f64,
    /// How nearly it means what was asked, a cosine from -1 to 1; `None` if that was not asked for, or
    /// other passages are nearer.
    pub similarity: Option<f32>,
}

/// Holds what a question means, for a search by meaning beside that by words.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// By the model that the passages were asked of.
    pub vector: Vector,
    /// The cosine below which a passage means something else.
    pub least: f32,
}

/// Describes a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// What tells it from every other.
    pub key: SourceKey,
    /// Its name, as answers cite it.
    pub name: String,
    /// How many passages it has.
    pub passages: usize,
}

impl Knowledge {
    /// Makes one that knows nothing.
    ///
    /// # Errors
    /// Only when SQLite itself fails.
    pub fn new() -> Result<Self, KnowledgeError> {
        Ok(Self { index: Mutex::new(Index::new()?), vectors: RwLock::default(), names: Vec::new() })
    }

    /// Reads and indexes the files at `paths`, and all in those that are folders.
    ///
    /// # Errors
    /// As [`Knowledge::load`], and for a file that cannot be opened.
    pub fn read(paths: &[PathBuf]) -> Result<Self, KnowledgeError> {
        let (files, _) = SourceFile::open(paths)?;
        let sources = files.iter().map(SourceFile::read).collect::<Result<_, _>>()?;
        Self::new()?.changed(&HashSet::new(), sources)
    }

    /// Reads and indexes `files`, pairs of name and contents; no files make an empty knowledge.
    ///
    /// # Errors
    /// A file that is not read in full is an error that names it, and the line where there is one.
    pub fn load<C: AsRef<[u8]>>(files: &[(String, C)]) -> Result<Self, KnowledgeError> {
        let read =
            files.iter().map(|(name, contents)| KnowledgeSource::read(name, contents.as_ref()));
        let sources = read.collect::<Result<_, _>>()?;
        Self::new()?.changed(&HashSet::new(), sources)
    }

    /// Makes one that has of the sources of this one those in `keep`, and `new` ones.
    ///
    /// # Errors
    /// Only when SQLite itself fails.
    pub fn changed(
        &self,
        keep: &HashSet<SourceKey>,
        new: Vec<KnowledgeSource>,
    ) -> Result<Self, KnowledgeError> {
        let mut index = self.index().with_only(keep)?;
        for source in &new {
            index.add(source)?;
        }
        drop(new);
        let rows: HashSet<i64> = index.rows().collect();
        let names = names::of(&index.sample(NAMED)?);
        let vectors = self.vectors.read().unwrap_or_else(PoisonError::into_inner);
        let vectors = RwLock::new(vectors.with_only(|row| rows.contains(&row)));
        Ok(Self { index: Mutex::new(index), vectors, names })
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names the sources.
    #[must_use]
    pub fn sources(&self) -> HashSet<SourceKey> {
        self.index().keys()
    }

    /// Lists the sources, in the order in which they came.
    #[must_use]
    pub fn list(&self) -> Vec<SourceInfo> {
        self.index().list()
    }

    /// Returns up to `most` passages of a source, from this place in it on.
    ///
    /// # Errors
    /// Only when SQLite itself fails.
    pub fn passages_of(
        &self,
        key: SourceKey,
        from: usize,
        most: usize,
    ) -> Result<Vec<Passage>, KnowledgeError> {
        self.index().passages_of(key, from, most)
    }

    /// Counts the passages.
    #[must_use]
    pub fn passages(&self) -> usize {
        self.index().len()
    }

    /// Counts the passages whose meaning is known.
    #[must_use]
    pub fn meant(&self) -> usize {
        self.vectors.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Returns what may be answered, as it would be said: the first `most` passages.
    ///
    /// # Errors
    /// Only when SQLite itself fails.
    pub fn answers(&self, most: usize) -> Result<Vec<String>, KnowledgeError> {
        self.index().answers(most)
    }

    /// Returns the names in the passages, those that are likeliest asked for first: a few at most.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns up to `most` rows behind the row `after` whose meaning is not known, with the words that
    /// stand for it.
    ///
    /// # Errors
    /// Only when SQLite itself fails.
    pub fn unmeant(&self, after: i64, most: usize) -> Result<Vec<(i64, String)>, KnowledgeError> {
        let index = self.index();
        let vectors = self.vectors.read().unwrap_or_else(PoisonError::into_inner);
        let missing = index.rows().filter(|row| *row > after && !vectors.has(*row)).take(most);
        let mut unmeant = Vec::new();
        for row in missing {
            unmeant.extend(index.passage(row)?.map(|passage| (row, passage.meant())));
        }
        Ok(unmeant)
    }

    /// Takes what rows mean.
    ///
    /// # Errors
    /// [`KnowledgeError::Dimensions`]; nothing is taken then.
    pub fn learn(&self, meant: Vec<(i64, Vector)>) -> Result<(), KnowledgeError> {
        self.vectors.write().unwrap_or_else(PoisonError::into_inner).add(meant)
    }

    /// Finds up to `most` passages that each cover enough of `question`, asked in `language`, those
    /// that cover most first. Only the first 32 informative words count. With `meaning` those that
    /// mean nearly the same are joined: what both rankings have at their top comes first.
    ///
    /// # Errors
    /// Only when SQLite itself fails.
    pub fn top(
        &self,
        question: &str,
        language: &LanguageCode,
        meaning: Option<&Meaning>,
        most: usize,
    ) -> Result<Vec<Hit>, KnowledgeError> {
        let near = meaning.map(|meaning| {
            let vectors = self.vectors.read().unwrap_or_else(PoisonError::into_inner);
            vectors.nearest(&meaning.vector, CANDIDATES, meaning.least)
        });
        let near = near.unwrap_or_default();
        let mut index = self.index();
        let covering = index.covering(words::terms(question, language))?;
        let mut ranks: HashMap<i64, (f64, usize)> = HashMap::new();
        let by_words = covering.iter().map(|(row, _)| *row).enumerate();
        for (place, row) in by_words.chain(near.iter().map(|(row, _)| *row).enumerate()) {
            let order = ranks.len();
            let rank = ranks.entry(row).or_insert((0.0, order));
            #[expect(clippy::cast_precision_loss, reason = "a place, below 8")]
            let share = 1.0 / (FUSION + place as f64);
            rank.0 += share;
        }
        let mut ranked: Vec<_> = ranks.into_iter().collect();
        // Of two with the same rank, what has the words comes first.
        ranked.sort_by(|(_, one), (_, other)| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        ranked.truncate(most);
        let mut covering: HashMap<i64, Hit> = covering.into_iter().collect();
        let near: HashMap<i64, f32> = near.into_iter().collect();
        let hits = ranked.into_iter().map(|(row, _)| {
            let hit = covering.remove(&row).map_or_else(|| index.hit(row), Ok)?;
            Ok(Hit { similarity: near.get(&row).copied(), ..hit })
        });
        hits.collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shop() -> Knowledge {
        let csv = "Question,ANSWER,topic\n\
                   What are your opening hours?,From nine to six.,schedule\n\
                   Do you deliver?,\"Yes, in two days.\",shipping parcel\n\
                   How can I pay?,By card.,\n\
                   How are you?,Very well.,\n";
        let text = "Our café is in\nMain Street.\n\n- Dogs are welcome.\n- Cats are not.\n";
        let files =
            [("faq.csv".to_owned(), csv.to_owned()), ("more.md".to_owned(), text.to_owned())];
        Knowledge::load(&files).unwrap()
    }

    #[track_caller]
    fn check(question: &str, expected: Option<&str>) {
        let hit = shop().top(question, &"en".into(), None, 1).unwrap().pop();
        assert_eq!(hit.as_ref().map(|hit| hit.answer.as_str()), expected, "{hit:?}");
    }

    #[test]
    fn questions_find_their_row() {
        check("when do you open?", Some("From nine to six."));
        check("Will it be delivered?", Some("Yes, in two days."));
        check("what about shipping", Some("Yes, in two days."));
        check("where is the cafe", Some("Our café is in Main Street."));
        check("how are you", Some("Very well."));
    }

    #[test]
    fn what_is_not_known_is_not_answered() {
        check("who won the world cup in Brazil", None);
        check("when do you open the champagne for grandmother", None);
        check("who is it", None);
        check("open parcel card story about many other unknown things entirely elsewhere", None);
        check("?! ...", None);
        check("", None);
        let nothing = Knowledge::load::<&str>(&[]).unwrap();
        assert_eq!(nothing.top("when do you open", &"en".into(), None, 1).unwrap(), []);
    }

    #[test]
    fn hits_say_how_well_they_match() {
        let hit = &shop().top("opening hours", &"en".into(), None, 1).unwrap()[0];
        assert_eq!(hit.question.as_deref(), Some("What are your opening hours?"));
        assert!((hit.coverage - 1.0).abs() < 1e-9 && hit.score > 0.0, "{hit:?}");
    }

    #[test]
    fn more_than_one_passage_can_be_had() {
        let top = |question, most| {
            let hits = shop().top(question, &"en".into(), None, most).unwrap();
            hits.into_iter().map(|hit| hit.answer).collect::<Vec<_>>()
        };
        let both = ["From nine to six.", "Yes, in two days."];
        assert_eq!(top("opening or shipping", 3), both);
        assert_eq!(top("opening or shipping", 1), both[..1]);
        assert!(top("who won the world cup", 3).is_empty() && top("", 3).is_empty());
    }

    /// Says what a passage is about by one of two directions.
    fn meaning(text: &str) -> Vector {
        let about_dogs = text.contains("Dogs") || text.contains("puppy");
        Vector::of(if about_dogs { &[1.0, 0.1] } else { &[0.1, 1.0] }).unwrap()
    }

    fn learned(knowledge: Knowledge) -> Knowledge {
        let rows = knowledge.unmeant(i64::MIN, usize::MAX).unwrap();
        let meant = rows.into_iter().map(|(row, text)| (row, meaning(&text))).collect();
        knowledge.learn(meant).unwrap();
        knowledge
    }

    fn found(knowledge: &Knowledge, question: &str) -> Vec<String> {
        let meaning = Meaning { vector: meaning(question), least: 0.9 };
        let hits = knowledge.top(question, &"en".into(), Some(&meaning), 8).unwrap();
        hits.into_iter().map(|hit| hit.answer).collect()
    }

    #[test]
    fn words_and_meaning_are_joined() {
        let shop = learned(shop());
        assert_eq!(found(&shop, "can my puppy come in"), ["- Dogs are welcome.\n- Cats are not."]);
        // What has the words stands before what only means the same.
        let found = found(&shop, "when do you open?");
        assert_eq!((found[0].as_str(), found.len() > 1), ("From nine to six.", true));
        let hit = &shop.top("puppy", &"en".into(), None, 3).unwrap();
        assert!(hit.is_empty(), "{hit:?}");
    }

    #[test]
    fn a_changed_one_has_what_a_new_one_would_have() {
        let source = |name: &str, text: &str| KnowledgeSource::read(name, text.as_bytes()).unwrap();
        let (old, kept) = (source("a.txt", "We sell bread."), source("b.txt", "Dogs are welcome."));
        let (new, more) = (source("a.txt", "We sell cakes."), source("c.txt", "No cats."));
        let first = Knowledge::new().unwrap();
        let first = first.changed(&HashSet::new(), vec![kept.clone(), old.clone()]).unwrap();
        let first = learned(first);
        let keep = HashSet::from([kept.key, new.key]);
        let changed = first.changed(&keep, vec![new.clone(), more, kept.clone()]).unwrap();
        let names: Vec<String> = changed.list().into_iter().map(|info| info.name).collect();
        assert_eq!(names, ["b.txt", "a.txt", "c.txt"]);
        assert_eq!((changed.passages(), changed.meant()), (3, 1), "of new ones nothing is known");
        let answers = |question: &str| {
            let hits = changed.top(question, &"en".into(), None, 3).unwrap();
            hits.into_iter().map(|hit| hit.answer).collect::<Vec<_>>()
        };
        assert_eq!(answers("do you sell bread or cakes"), ["We sell cakes."]);
        assert_eq!(answers("are dogs welcome"), ["Dogs are welcome."]);
        assert_eq!(changed.passages_of(new.key, 0, 9).unwrap(), new.passages);
        assert_eq!(changed.passages_of(old.key, 0, 9).unwrap(), []);
        assert_eq!(first.top("bread", &"en".into(), None, 1).unwrap().len(), 1, "it is as it was");
    }

    proptest! {
        #[test]
        fn no_question_is_query_syntax(question in "([\"*:^(){}+-]|AND |OR |NOT |NEAR|open|\\PC){0,60}") {
            shop().top(&question, &"en".into(), None, 1).unwrap();
        }
    }
}
