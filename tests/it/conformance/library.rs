//! What agents know: files that take each other's place, and what their words mean.

use hark::knowledge::{Passage, SourceKey, Vector};
use hark::store::{Directory as _, Library, SourceRow, WordsKey};

use super::{Backend, on_every_backend};

on_every_backend! {
    a_file_takes_the_place_of_one_of_its_name,
    a_large_file_is_seen_whole_or_not_at_all,
    what_words_mean_is_kept_for_each_model_while_it_is_used,
}

fn passages(count: usize, text: &str) -> Vec<Passage> {
    let passage = |n| Passage {
        question: (n % 2 == 0).then(|| format!("question {n}")),
        answer: format!("{text} {n}"),
        also: "also".to_owned(),
        place: "Shop > Pets".to_owned(),
    };
    (0..count).map(passage).collect()
}

fn row(agent: &str, name: &str, key: u8, passages: usize) -> SourceRow {
    SourceRow {
        id: 0,
        agent: agent.to_owned(),
        name: name.to_owned(),
        key: SourceKey([key; 32]),
        bytes: 7,
        passages: passages.try_into().unwrap(),
        added_ms: 1_000,
    }
}

async fn a_file_takes_the_place_of_one_of_its_name<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let put = async |agent, name, key, count, text| {
        store.put_source(row(agent, name, key, count), passages(count, text)).await.unwrap()
    };
    assert!(put("desk", "b.md", 1, 3, "old").await);
    assert!(put("desk", "a.md", 2, 1, "other").await);
    assert!(put("shop", "b.md", 1, 2, "shop").await);
    let revision = store.revision().await.unwrap();
    assert!(!put("desk", "b.md", 1, 3, "old").await, "it is there");
    assert_eq!(store.revision().await.unwrap(), revision);
    let before = store.sources("desk").await.unwrap();
    assert_eq!(before.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["a.md", "b.md"]);
    assert_eq!(store.passages(before[1].id, 1, 9).await.unwrap(), passages(3, "old")[1..]);
    assert_eq!(store.passages(before[1].id, 1, 1).await.unwrap(), passages(3, "old")[1..2]);

    assert!(put("desk", "b.md", 3, 2, "new").await);
    assert!(store.revision().await.unwrap() > revision);
    let after = store.sources("desk").await.unwrap();
    assert_eq!((after.len(), after[1].key), (2, SourceKey([3; 32])));
    assert_ne!(after[1].id, before[1].id);
    assert_eq!(store.passages(after[1].id, 0, 9).await.unwrap(), passages(2, "new"));
    assert_eq!(store.passages(before[1].id, 0, 9).await.unwrap(), [], "it is gone");
    let all = store.directory().await.unwrap().sources;
    assert_eq!(
        all.iter().map(|row| row.agent.as_str()).collect::<Vec<_>>(),
        ["desk", "desk", "shop"]
    );

    let revision = store.revision().await.unwrap();
    assert!(store.remove_source("desk", "b.md").await.unwrap());
    assert!(!store.remove_source("desk", "b.md").await.unwrap());
    assert_eq!(store.revision().await.unwrap(), revision + 1);
    assert_eq!(store.sources("desk").await.unwrap().len(), 1);
    assert_eq!(store.sources("shop").await.unwrap().len(), 1, "another's of the same name stays");
    drop(store);
    assert_eq!(backend.open().sources("desk").await.unwrap().len(), 1, "it is on disk");
}

async fn a_large_file_is_seen_whole_or_not_at_all<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let many = 2_500;
    let looks = async {
        // Whoever looks while it comes in sees no file, or all of it.
        loop {
            if let [only] = &store.sources("desk").await.unwrap()[..] {
                break store.passages(only.id, 0, usize::MAX).await.unwrap().len();
            }
        }
    };
    let put = store.put_source(row("desk", "large.csv", 1, many), passages(many, "row"));
    let (put, seen) = tokio::join!(put, looks);
    assert!(put.unwrap());
    assert_eq!(seen, many);
}

async fn what_words_mean_is_kept_for_each_model_while_it_is_used<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let (one, other) = (WordsKey([1; 32]), WordsKey([2; 32]));
    let vector = |values: &[f32]| Vector::of(values).unwrap();
    let meant = vec![(one, vector(&[1.0, 0.0])), (other, vector(&[0.5, 0.5]))];
    store.keep_vectors("small", meant, 100).await.unwrap();
    store.keep_vectors("large", vec![(one, vector(&[0.0, 1.0, 0.0]))], 100).await.unwrap();
    let found = store.vectors("small", vec![one, other, WordsKey([3; 32])], 101).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[&one], vector(&[1.0, 0.0]));
    assert_eq!(
        store.vectors("large", vec![one], 100).await.unwrap()[&one],
        vector(&[0.0, 1.0, 0.0])
    );
    assert_eq!(store.vectors("large", vec![one], 130).await.unwrap().len(), 1, "used again");
    assert_eq!(store.forget_vectors(101).await.unwrap(), 2);
    assert_eq!(store.vectors("small", vec![one, other], 130).await.unwrap().len(), 0);
    assert_eq!(store.vectors("large", vec![one], 130).await.unwrap().len(), 1);
}
