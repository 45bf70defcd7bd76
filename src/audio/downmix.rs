//! Mixes interleaved channels down to mono, for everything that is decoded here.

use std::f32::consts::FRAC_1_SQRT_2;

use crate::audio::{limits::MAX_CHANNELS, pcm::sane};

/// Names the order of the channels: it decides which of them is the centre, where speech is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audio) enum ChannelOrder {
    /// Left, right, centre, low frequencies, surround: WAV, FLAC, and what symphonia hands out.
    Wave,
    /// Left, centre, right, surround, low frequencies: Opus (RFC 7845 section 5.1.1.2).
    Vorbis,
}

/// Returns the gain of each channel. One or two channels count alike; more are weighted as ITU-R
/// BS.775 does for mono. The power of the mix stays that of one channel; if all channels peak at
/// once, the sum is clamped to 1.
fn gains(channels: usize, order: ChannelOrder) -> [f32; MAX_CHANNELS] {
    let mut gains = [0.5; MAX_CHANNELS];
    if channels < 3 {
        gains.fill(if channels == 2 { 0.5 } else { 1.0 });
        return gains;
    }
    let ([left, right, centre], low) = match order {
        ChannelOrder::Vorbis if channels != 4 => ([0, 2, 1], channels - 1),
        _ => ([0, 1, 2], 3),
    };
    (gains[left], gains[right]) = (FRAC_1_SQRT_2, FRAC_1_SQRT_2);
    // Four channels are front left and right, back left and right.
    gains[centre] = if channels == 4 { 0.5 } else { 1.0 };
    if channels > 5 {
        gains[low] = 0.0;
    }
    let power = gains.iter().take(channels).map(|gain| gain * gain).sum::<f32>().sqrt();
    gains.map(|gain| gain / power)
}

/// Mixes interleaved channels down to mono; an incomplete last frame is dropped.
pub(in crate::audio) fn downmix(
    interleaved: &[f32],
    channels: usize,
    order: ChannelOrder,
) -> impl Iterator<Item = f32> {
    let gains = gains(channels, order);
    // Each sample is cleaned before the mix, or one infinite sample would spoil the block.
    let mono = move |frame: &[f32]| {
        sane(frame.iter().zip(gains).map(|(&sample, gain)| sane(sample) * gain).sum())
    };
    interleaved.chunks_exact(channels.max(1)).map(mono)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_heard_in_every_order_and_low_frequencies_are_not() {
        for (order, channels, centre, low) in [
            (ChannelOrder::Wave, 3, 2, None),
            (ChannelOrder::Wave, 6, 2, Some(3)),
            (ChannelOrder::Vorbis, 5, 1, None),
            (ChannelOrder::Vorbis, 6, 1, Some(5)),
            (ChannelOrder::Vorbis, 8, 1, Some(7)),
        ] {
            let heard = |channel| {
                let mut frame = vec![0.0; channels];
                frame[channel] = 0.9;
                downmix(&frame, channels, order).next().unwrap() / 0.9
            };
            assert!(heard(centre) > 0.5, "{order:?} {channels}: {}", heard(centre));
            assert!((0..channels).all(|other| heard(other) <= heard(centre)));
            assert!(low.is_none_or(|low| heard(low) == 0.0), "{order:?} {channels}");
        }
        assert_eq!(downmix(&[0.5, 0.25], 2, ChannelOrder::Wave).collect::<Vec<_>>(), [0.375]);
        assert_eq!(downmix(&[1.0; 6], 6, ChannelOrder::Wave).collect::<Vec<_>>(), [1.0]);
    }
}
