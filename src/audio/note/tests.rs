//! Stitched notes of samples, of Opus and of both: complete, in order and of their exact length.

use bytes::Bytes;

use super::*;
use crate::audio::{
    AudioLimits, CodedSpeech, OggOpus, Pcm, decode, inspect_note, note::stitch::RATE_AFTER_OPUS,
    testing::swelling,
};

#[derive(Clone)]
enum Input {
    Pcm(Pcm),
    Opus(CodedSpeech),
}

/// Stitches a note; `late` runs the tasks after all sound has come, the latest first.
fn stitch(inputs: &[Input], late: bool) -> (OggOpus, f64) {
    let mut note = match &inputs[0] {
        Input::Pcm(pcm) => NoteStitcher::for_pcm(pcm.rate),
        Input::Opus(speech) => NoteStitcher::for_opus(speech),
    };
    for input in inputs {
        match input {
            Input::Pcm(pcm) => note.push(pcm).unwrap(),
            Input::Opus(speech) => {
                assert!(note.may_pass(speech));
                note.pass(speech).unwrap();
            }
        }
        while let Some(task) = if late { None } else { note.next_task() } {
            note.take(task.run().unwrap());
        }
    }
    note.end().unwrap();
    let mut waiting = Vec::new();
    loop {
        waiting.extend(std::iter::from_fn(|| note.next_task()));
        let Some(task) = waiting.pop() else { break };
        note.take(task.run().unwrap());
    }
    note.finish().unwrap()
}

fn pieces(seconds: u32, rate: u32) -> Vec<Input> {
    let rate = SampleRate(rate);
    let samples = swelling(seconds, rate);
    let pieces = samples.chunks(2_205);
    pieces.map(|samples| Input::Pcm(Pcm { samples: samples.to_vec(), rate })).collect()
}

/// Makes a sentence in Opus with another encoder of ours.
fn coded(seconds: u32, rate: u32) -> CodedSpeech {
    CodedSpeech::read(stitch(&pieces(seconds, rate), false).0.0).unwrap()
}

/// Checks length and loudness second by second, which rises and falls: a stretch that is lost,
/// doubled or played at a wrong rate would shift it. `late_ms`: what joins added by then.
#[track_caller]
fn check((file, duration_ms): &(OggOpus, f64), late_ms: &[f64]) {
    let seconds = late_ms.len();
    let head = inspect_note(&file.0).unwrap();
    assert!((duration_ms - head.duration_ms).abs() < 0.1);
    let heard = decode(&file.0, AudioLimits::default()).unwrap();
    assert!((heard.duration_ms() - head.duration_ms).abs() < 0.2);
    #[expect(clippy::cast_precision_loss, reason = "some seconds")]
    let expected_ms = seconds as f64 * 1000.0 + late_ms.last().unwrap();
    assert!((head.duration_ms - expected_ms).abs() < 1.0, "{}", head.duration_ms);
    for (second, late_ms) in late_ms.iter().enumerate() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ms")]
        let from = second * 16_000 + (late_ms * 16.0) as usize;
        let (middle, edge) = (
            &heard.samples()[from + 7_000..from + 9_000],
            &heard.samples()[from + 100..from + 400],
        );
        let peak = |part: &[f32]| part.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        assert!(peak(middle) > 0.3, "second {second}: {}", peak(middle));
        assert!(peak(edge) < 0.1, "second {second}: {}", peak(edge));
    }
}

#[test]
fn a_backlog_is_cut_into_spans_and_keeps_its_exact_length() {
    for late in [false, true] {
        for rate in [22_050, 24_000] {
            check(&stitch(&pieces(12, rate), late), &[0.0; 12]);
        }
    }
    let mut note = NoteStitcher::for_pcm(SampleRate(24_000));
    let Input::Pcm(pcm) = &pieces(1, 24_000)[0] else { unreachable!("pieces are PCM") };
    let mut tasks = Vec::new();
    for _ in 0..40 {
        note.push(pcm).unwrap();
        tasks.extend(note.next_task());
    }
    assert!(tasks.len() > 2, "side by side: {}", tasks.len());
}

#[test]
fn sound_of_any_rate_follows_any_other() {
    for (late, first) in [(false, 24_000), (true, 16_000), (false, 22_050), (true, 48_000)] {
        let sounds: Vec<Input> =
            [first, 16_000, 24_000, 44_100].iter().flat_map(|rate| pieces(3, *rate)).collect();
        check(&stitch(&sounds, late), &[0.0; 12]);
    }
}

#[test]
fn opus_goes_into_the_note_packet_by_packet() {
    let sentences = [coded(2, RATE_AFTER_OPUS.0), coded(3, 48_000)];
    let sounds: Vec<Input> = sentences.iter().cloned().map(Input::Opus).collect();
    let joined = stitch(&sounds, true);
    let note = CodedSpeech::read(joined.0.0.clone()).unwrap();
    let server = sentences.iter().flat_map(CodedSpeech::packets);
    assert!(note.packets().iter().eq(server), "bit by bit");
    #[expect(clippy::cast_precision_loss, reason = "some granules")]
    let join_ms =
        (sentences[0].padding_granules() + u64::from(sentences[1].pre_skip())) as f64 / 48.0;
    assert!(join_ms < 27.0, "{join_ms}");
    check(&joined, &[0.0, 0.0, join_ms, join_ms, join_ms]);
}

#[test]
fn opus_and_samples_mix_in_any_order() {
    let opus = coded(2, RATE_AFTER_OPUS.0);
    // A run of samples that ends inside a note is filled up to a frame like a file of its own.
    #[expect(clippy::cast_precision_loss, reason = "some granules")]
    let join = (opus.padding_granules() + u64::from(opus.pre_skip())) as f64 / 48.0;
    let late_ms = [0.0, 0.0, join, join, 2.0 * join, 2.0 * join];
    let one = || vec![Input::Opus(opus.clone())];
    for late in [false, true] {
        let joined = stitch(&[pieces(2, 22_050), one(), pieces(2, 16_000)].concat(), late);
        check(&joined, &late_ms);
        let note = CodedSpeech::read(joined.0.0).unwrap();
        let at = opus.packets().len();
        assert_eq!(note.packets()[at..2 * at], *opus.packets());

        check(&stitch(&[one(), pieces(2, 24_000), one()].concat(), late), &late_ms);
    }
}

#[test]
fn a_sentence_behind_another_sounds_as_it_does_alone() {
    let read = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/audio-fixtures/");
        Bytes::from(std::fs::read(format!("{folder}{name}.ogg")).unwrap())
    };
    for (first, second) in [("en_booking", "en_hours"), ("en_complaint", "en_number")] {
        let alone = decode(&read(second), AudioLimits::default()).unwrap();
        let [first, second] = [first, second].map(|name| CodedSpeech::read(read(name)).unwrap());
        let before = first.coded_granules() - u64::from(first.pre_skip());
        let from = usize::try_from((before + u64::from(second.pre_skip())) / 3).unwrap();
        let (file, _) = stitch(&[Input::Opus(first), Input::Opus(second)], false);
        let note = decode(&file.0, AudioLimits::default()).unwrap();
        let power = |samples: &mut dyn Iterator<Item = f32>| samples.map(|s| s * s).sum::<f32>();
        // From the first 20 ms on, in which the decoder's past differs from the encoder's.
        let frames = alone.samples().chunks_exact(320);
        for (at, (alone, after)) in frames.zip(note.samples()[from..].chunks(320)).enumerate() {
            let sound = power(&mut alone.iter().copied());
            let error = power(&mut alone.iter().zip(after).map(|(a, b)| a - b));
            // 30 dB below the speech, or below what anybody hears.
            assert!(error < 0.001 * sound + 320.0 * 1e-7, "frame {at}: {error} of {sound}");
        }
    }
}
