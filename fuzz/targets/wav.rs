//! What a speech server sends, WAV or bare samples: the same sound however its bytes arrive.

use hark::audio::{DecodeError, RawKind, RawPcm, SampleRate, WavStream};

use super::sound::outcome;

/// What a server may say of samples without a header; the first has one.
const RAW: [Option<(RawKind, usize)>; 8] = [
    None,
    None,
    None,
    Some((RawKind::Little16, 1)),
    Some((RawKind::Big16, 2)),
    Some((RawKind::Float32, 1)),
    Some((RawKind::MuLaw, 1)),
    Some((RawKind::ALaw, 8)),
];

/// Samples of one byte: it takes half a bit of ADPCM, and a second header may ask for 96 times the
/// rate of the first.
const MOST_OF_A_BYTE: usize = 2 * 96;

pub(super) fn run(input: &[u8]) {
    let (kind, body) = super::choice(input);
    let raw = RAW[usize::from(kind) % RAW.len()];
    let whole = samples([body].into_iter(), raw);
    if let Ok(samples) = &whole {
        let most = (body.len() + 4096) * MOST_OF_A_BYTE;
        assert!(samples.len() <= most, "{} samples of {} bytes", samples.len(), body.len());
        assert!(samples.iter().all(|sample| sample.abs() <= 1.0), "a sample beyond 1");
    }
    let pieces = samples(super::pieces(body), raw);
    assert!(pieces == whole, "{} whole, {} in pieces", outcome(&whole), outcome(&pieces));
}

fn samples<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    raw: Option<(RawKind, usize)>,
) -> Result<Vec<f32>, DecodeError> {
    let raw = raw.map(|(kind, channels)| RawPcm { rate: SampleRate(24_000), channels, kind });
    let mut stream = raw.map_or_else(|| Ok(WavStream::default()), WavStream::raw)?;
    let mut samples = Vec::new();
    for piece in pieces {
        stream.push(piece, &mut samples)?;
    }
    stream.finish(&mut samples)?;
    Ok(samples)
}
