//! Model files built by hand, each wrong in one way.

use std::io::Cursor;

use super::*;

/// Makes magic, header, filters and vocabulary of a small English model: everything but tensors.
fn model() -> Vec<u8> {
    with_hparams([51_864, 1_500, 64, 2, 1, 448, 64, 2, 1, 80, 1])
}

fn with_hparams(hparams: [i32; 11]) -> Vec<u8> {
    let mut bytes = MAGIC.to_le_bytes().to_vec();
    numbers(&mut bytes, &hparams);
    numbers(&mut bytes, &[80, FFT_BINS]);
    bytes.resize(bytes.len() + 80 * 201 * 4, 0);
    numbers(&mut bytes, &[WORDS + 1]);
    for _ in 0..=WORDS {
        numbers(&mut bytes, &[1]);
        bytes.push(b' ');
    }
    bytes
}

fn numbers(bytes: &mut Vec<u8>, values: &[i32]) {
    for value in values {
        bytes.extend(value.to_le_bytes());
    }
}

fn tensor(bytes: &mut Vec<u8>, dims: &[i32]) {
    numbers(bytes, &[i32::try_from(dims.len()).unwrap(), 4, 0]);
    numbers(bytes, dims);
    bytes.extend(b"name");
    let elements: i32 = dims.iter().product();
    bytes.resize(bytes.len() + 4 * usize::try_from(elements).unwrap(), 0);
}

fn complete() -> Vec<u8> {
    let mut bytes = model();
    for _ in 0..11 + 15 + 24 {
        tensor(&mut bytes, &[8, 2]);
    }
    bytes
}

fn checked(bytes: &[u8]) -> Result<Header, ModelError> {
    check(Cursor::new(bytes), bytes.len() as u64, "m.bin")
}

#[track_caller]
fn refused(bytes: &[u8], sentence: &str) {
    let message = checked(bytes).expect_err("it must be refused").to_string();
    assert!(message.starts_with("m.bin is ") && message.contains(sentence), "{message}");
}

#[test]
fn complete_models_and_models_without_weights_are_taken() {
    let header = checked(&model()).unwrap();
    assert!(!header.has_weights() && !header.multilingual() && header.languages() == 1);
    let header = checked(&complete()).unwrap();
    assert_eq!((header.tensors, header.demanded_tensors()), (50, 50));
    let large = with_hparams([51_866, 1_500, 64, 2, 1, 448, 64, 2, 1, 80, 1]);
    assert_eq!(checked(&large).unwrap().languages(), 100);
}

#[test]
fn other_things_saved_as_a_model_are_named() {
    refused(b"", "empty, not a model");
    refused(b"\n <!DOCTYPE html>\n<html>", "a web page (HTML), not a model");
    refused(b"<html", "; run `hark models pull tiny`");
    refused(b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer");
    refused(b"{\"error\":\"not found\"}", "a text file, not a model");
    refused(b"GGUF\x03\0\0\0", "a GGUF file");
    refused(b"\0\0\0\0", "not a whisper.cpp model");
    refused(b"lmg", "not a whisper.cpp model");
}

#[test]
fn every_cut_is_refused_without_a_panic() {
    let whole = complete();
    let tensors = model().len();
    refused(&whole[..20], "it ends in its header");
    refused(&whole[..60], "it ends in its mel filters");
    refused(&whole[..100_000], "it ends in its vocabulary");
    refused(&whole[..whole.len() - 1], "it ends in tensor 49");
    refused(&whole[..tensors + 88 * 3], "it has 3 of 50 tensors");
    for end in (0..64).chain(tensors - 9..tensors).chain(tensors + 1..tensors + 200) {
        assert!(checked(&whole[..end]).is_err(), "{end}");
    }
}

#[test]
fn absurd_numbers_are_refused_before_anything_is_allocated() {
    let good = [51_864, 1_500, 64, 2, 1, 448, 64, 2, 1, 80, 1];
    for (at, value) in (0..11).flat_map(|at| [i32::MIN, -1, i32::MAX].map(|value| (at, value))) {
        let mut hparams = good;
        hparams[at] = value;
        let bytes = with_hparams(hparams);
        let refusal = checked(&bytes[..48]);
        assert!(matches!(refusal, Err(ModelError::Malformed { .. })), "{at} {value} {refusal:?}");
    }
    let mut bytes = model();
    let vocabulary = 4 + 44 + 8 + 80 * 201 * 4;
    bytes[vocabulary..vocabulary + 4].copy_from_slice(&i32::MAX.to_le_bytes());
    refused(&bytes, "the size of the vocabulary is 2147483647");
    let mut bytes = model();
    bytes[vocabulary + 4..vocabulary + 8].copy_from_slice(&i32::MAX.to_le_bytes());
    refused(&bytes, "the length of a word is 2147483647");
    refused(&with_hparams([51_864, 1_500, 72, 2, 1, 448, 72, 2, 1, 80, 8]), "not a multiple of 32");
}

#[test]
fn impossible_tensors_are_refused() {
    let with = |record: &[i32]| {
        let mut bytes = model();
        numbers(&mut bytes, record);
        bytes.resize(bytes.len() + 64, 0);
        bytes
    };
    refused(&with(&[5, 4, 0, 1, 1, 1, 1, 1]), "the number of dimensions of tensor 0 is 5");
    refused(&with(&[0, 4, 0]), "the number of dimensions of tensor 0 is 0");
    refused(&with(&[1, -4, 0, 1]), "the length of the name of tensor 0 is -4");
    refused(&with(&[1, 4, 4, 1]), "type 4 of tensor 0 is unknown");
    refused(&with(&[1, 4, 8, 32]), "type 8 of tensor 0 is not the type in the header");
    refused(&with(&[2, 4, 0, i32::MAX, i32::MAX]), "dimension 0 of tensor 0 is 2147483647");
    refused(&with(&[2, 4, 0, 3_000_000, 3_000_000]), "dimension 1 of tensor 0 is 3000000");
    let mut bytes = complete();
    bytes.push(0);
    refused(&bytes, "1 bytes follow its 50 tensors");
}
