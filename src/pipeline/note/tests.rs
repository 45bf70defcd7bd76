//! Notes made on worker threads: complete and of their exact length.

use super::*;
use crate::audio::{AudioLimits, Pcm, SampleRate, decode, inspect_note, testing::swelling};

/// Makes a note of pieces that each promise `more_ms` of sound after them, the last one, too.
async fn joined(sounds: Vec<Sound>, more_ms: f64) -> (OggOpus, NoteInfo) {
    let workers = Threads::start("audio", 2, 64).unwrap();
    let (sound, to_encode) = mpsc::channel(4);
    let feed = async move {
        for piece in sounds {
            let piece = SpokenPiece { sound: piece, more_ms };
            assert!(sound.send(piece).await.is_ok());
        }
    };
    let trace = Trace::start();
    let ((), note) = tokio::join!(feed, encode(&workers, &trace, to_encode));
    note.unwrap().unwrap()
}

fn pieces(samples: &[f32], rate: SampleRate) -> Vec<Sound> {
    let pieces = samples.chunks(2_205);
    pieces.map(|samples| Sound::Pcm(Pcm { samples: samples.to_vec(), rate })).collect()
}

#[tokio::test]
async fn a_note_made_at_once_is_whole_and_has_its_exact_length() {
    let rates = [SampleRate(22_050), SampleRate(24_000)];
    // A voice that gives less than its words promise ends the note all the same.
    for (rate, more_ms) in rates.into_iter().flat_map(|rate| [(rate, 0.0), (rate, 9_000.0)]) {
        let samples = swelling(12, rate);
        let (file, info) = joined(pieces(&samples, rate), more_ms).await;
        let head = inspect_note(&file.0).unwrap();
        assert!((head.duration_ms - 12_000.0).abs() < 1.0, "{}", head.duration_ms);
        assert!((info.duration_ms - head.duration_ms).abs() < 1.0);
        let heard = decode(&file.0, AudioLimits::default()).unwrap();
        // The loudness rises and falls once a second: a lost or doubled stretch would shift it.
        for second in 0..12 {
            let middle = &heard.samples()[second * 16_000 + 7_000..second * 16_000 + 9_000];
            let edge = &heard.samples()[second * 16_000..second * 16_000 + 300];
            let peak = |part: &[f32]| part.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
            assert!(peak(middle) > 0.3, "second {second}: {}", peak(middle));
            assert!(peak(edge) < 0.1, "second {second}: {}", peak(edge));
        }
    }
}

#[tokio::test]
async fn no_sound_is_no_note() {
    let workers = Threads::start("audio", 1, 64).unwrap();
    let (pcm, to_encode) = mpsc::channel::<SpokenPiece>(1);
    drop(pcm);
    assert!(encode(&workers, &Trace::start(), to_encode).await.unwrap().is_none());
}
