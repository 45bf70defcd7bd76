//! Speech in one of several channels: heard about as loud as it was.

use hark::audio::{self, AudioLimits};
use hark::cli::fixtures;

use crate::harness::sound;

/// The mean power in dB.
fn level(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    10.0 * (power / f64::from(u32::try_from(samples.len()).unwrap())).log10()
}

#[tokio::test]
async fn speech_in_the_centre_of_surround_sound_keeps_its_level() {
    let note = fixtures::all().into_iter().find(|fixture| fixture.name == "en_yes").unwrap().note;
    let alone = level(audio::decode(&note, AudioLimits::default()).unwrap().samples());
    for codec in [
        "libopus -b:a 192k -mapping_family 1 -f ogg",
        "flac -f flac",
        "flac -f ogg",
        "libvorbis -f ogg",
        "pcm_s16le -f wav",
    ] {
        let arguments = format!("-af pan=5.1|FC=c0 -c:a {codec}");
        let file = sound::converted(&note, &arguments).await;
        let heard = level(audio::decode(&file, AudioLimits::default()).unwrap().samples());
        assert!((heard - alone).abs() < 6.0, "{codec}: {heard} dB, alone {alone} dB");
    }
}
