//! Decides from a detector's probabilities which parts of a span are worth hearing.
//!
//! Pure. A span without a voice gives nothing, so that nothing is heard in it; another is trimmed at
//! both ends, and its long pauses are shortened.

use std::ops::Range;

/// Samples of one probability: 32 ms.
pub(super) const FRAME: usize = 512;

/// Probability from which on a frame is a voice, and down to which it still is one.
const VOICE: f32 = 0.5;
const STILL: f32 = 0.35;

/// Frames of voice, with gaps of so many at most, that are believed: 128 ms. The shortest "sí" of a
/// person is longer, what the detector takes for a voice in noise is mostly shorter.
const BELIEVED: usize = 4;
const GAP: usize = 3;

/// Samples that are kept before the first and after the last voiced frame: 0.2 s.
const PADDING: usize = 3_200;

/// A pause that is longer is shortened to [`KEPT_PAUSE`].
const LONGEST_PAUSE: usize = 16_000;
const KEPT_PAUSE: usize = 8_000;

/// Returns the parts of a span of `samples` samples that are worth hearing, in order and apart;
/// nothing if no voice is in it.
pub(super) fn kept(probabilities: &[f32], samples: usize) -> Vec<Range<usize>> {
    let islands = islands(probabilities);
    if !islands.iter().any(|island| is_believed(&probabilities[island.clone()])) {
        return Vec::new();
    }
    let mut kept: Vec<Range<usize>> = Vec::new();
    for island in islands {
        let (from, to) = (island.start * FRAME, (island.end * FRAME).min(samples));
        match kept.last_mut() {
            Some(last) if from - last.end <= LONGEST_PAUSE => last.end = to,
            _ => kept.push(from..to),
        }
    }
    let last = kept.len() - 1;
    for (at, part) in kept.iter_mut().enumerate() {
        let before = if at == 0 { PADDING } else { KEPT_PAUSE / 2 };
        let after = if at == last { PADDING } else { KEPT_PAUSE / 2 };
        *part = part.start.saturating_sub(before)..(part.end + after).min(samples);
    }
    kept
}

/// Returns the frames of each voice.
fn islands(probabilities: &[f32]) -> Vec<Range<usize>> {
    let mut islands: Vec<Range<usize>> = Vec::new();
    let mut voiced = false;
    for (at, probability) in probabilities.iter().enumerate() {
        voiced = *probability >= if voiced { STILL } else { VOICE };
        if voiced {
            match islands.last_mut() {
                Some(last) if at - last.end <= GAP => last.end = at + 1,
                _ => islands.push(at..at + 1),
            }
        }
    }
    islands
}

fn is_believed(island: &[f32]) -> bool {
    island.iter().filter(|probability| **probability >= VOICE).count() >= BELIEVED
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes probabilities from lengths in frames, of silence and of a voice in turn.
    fn frames(lengths: &[usize]) -> Vec<f32> {
        let all = lengths.iter().enumerate();
        all.flat_map(|(at, length)| vec![if at % 2 == 0 { 0.02 } else { 0.97 }; *length]).collect()
    }

    fn ends(probabilities: &[f32], samples: usize) -> Vec<(usize, usize)> {
        kept(probabilities, samples).into_iter().map(|part| (part.start, part.end)).collect()
    }

    #[track_caller]
    fn check(lengths: &[usize], expected: &[(usize, usize)]) {
        let probabilities = frames(lengths);
        assert_eq!(ends(&probabilities, probabilities.len() * FRAME), expected, "{lengths:?}");
    }

    #[test]
    fn a_span_is_trimmed_to_the_voice_in_it() {
        let (from, to) = (100 * FRAME - PADDING, 140 * FRAME + PADDING);
        check(&[100, 40, 100], &[(from, to)]);
        check(&[2, 40, 3], &[(0, 45 * FRAME)]);
        // Not a whole frame.
        assert_eq!(ends(&frames(&[0, 10]), 9 * FRAME + 7), [(0, 9 * FRAME + 7)]);
    }

    #[test]
    fn what_is_too_short_for_a_voice_is_none() {
        for lengths in [&[50][..], &[50, BELIEVED - 1, 50], &[9, 2, 9, 3, 9, 1], &[]] {
            check(lengths, &[]);
        }
        check(&[30, BELIEVED, 30], &[(30 * FRAME - PADDING, 34 * FRAME + PADDING)]);
        // A gap in a word does not end it.
        check(&[30, 2, GAP, 2, 30], &[(30 * FRAME - PADDING, (34 + GAP) * FRAME + PADDING)]);
        // Beside a voice, a short sound may be a word.
        check(&[0, 40, 20, 1, 30], &[(0, 61 * FRAME + PADDING)]);
        assert!(kept(&[0.49; 60], 60 * FRAME).is_empty());
        assert!(kept(&[f32::NAN; 60], 60 * FRAME).is_empty());
    }

    #[test]
    fn a_falling_voice_is_one_still() {
        let mut probabilities = frames(&[30, 10]);
        probabilities.extend([0.4; 20]);
        probabilities.extend([0.3; 40]);
        assert_eq!(
            ends(&probabilities, 100 * FRAME),
            [(30 * FRAME - PADDING, 60 * FRAME + PADDING)]
        );
    }

    #[test]
    fn only_a_long_pause_is_shortened() {
        let pause = LONGEST_PAUSE / FRAME;
        check(&[0, 20, pause, 20], &[(0, (40 + pause) * FRAME)]);
        let (first, second) = (20 * FRAME, (21 + pause) * FRAME);
        let half = KEPT_PAUSE / 2;
        check(&[0, 20, pause + 1, 20], &[(0, first + half), (second - half, second + 20 * FRAME)]);
    }
}
