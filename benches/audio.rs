//! Measures what the audio layer costs: decoding, resampling and encoding ten seconds of
//! speech-like sound.
//!
//! Throughput is in samples of sound per second at the input's rate; divide by the rate for "times
//! real time".

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hark::audio::{
    AudioLimits, NoteEncoder, NoteMuxer, Packet, Pcm, Resampler, SampleRate, SpanEncoder, decode,
    quiet_cut, span::PRIME_MS,
};

const SECONDS: u32 = 10;
const RATE: SampleRate = SampleRate(24_000);

/// Makes pulses of a gliding voice through two resonances, in syllables: about as hard to encode as
/// speech.
fn sound(rate: SampleRate) -> Vec<f32> {
    let mut phase = 0.0f32;
    let mut state = [[0.0f32; 2]; 2];
    (0..rate.0 * SECONDS)
        .map(|n| {
            #[expect(clippy::cast_precision_loss, reason = "ten seconds of samples")]
            let seconds = n as f32 / rate.0 as f32;
            #[expect(clippy::cast_precision_loss, reason = "sample rates are small")]
            let hz = |hz: f32| hz / rate.0 as f32;
            phase += hz(120.0 + 30.0 * (seconds * 1.7).sin());
            let pulse = if phase >= 1.0 { 1.0 } else { 0.0 };
            phase = phase.fract();
            let open = ((seconds * 3.1).fract() * std::f32::consts::PI).sin();
            let noise = f32::from((n.wrapping_mul(2_654_435_761) >> 24) as u8) / 255.0 - 0.5;
            let source = open * (pulse * 3.0 + 0.05 * noise);
            let formants = [500.0 + 200.0 * (seconds * 2.3).sin(), 1_800.0];
            let voice: f32 = state
                .iter_mut()
                .zip(formants)
                .map(|(memory, formant)| {
                    let turn = (std::f32::consts::TAU * hz(formant)).cos();
                    let now = source + 1.97 * turn * memory[0] - 0.97 * memory[1];
                    *memory = [now, memory[0]];
                    now * 0.05
                })
                .sum();
            voice.clamp(-0.9, 0.9)
        })
        .collect()
}

fn encode(pcm: &Pcm) -> Vec<u8> {
    let mut encoder = NoteEncoder::new(pcm.rate).expect("a rate of Opus");
    let mut note = encoder.push(pcm).expect("the note's own rate");
    note.extend(encoder.finish().expect("libopus takes any sound"));
    note
}

/// Encodes two spans on two threads, cut where it is quiet.
fn encode_stitched(pcm: &Pcm) -> Vec<u8> {
    let samples = &pcm.samples;
    let middle = samples.len() * 5 / 9;
    let cut = quiet_cut(&samples[..middle / 480 * 480], pcm.rate);
    let preroll = (pcm.rate.0 / 1_000 * PRIME_MS) as usize;
    let (first, second): (Vec<Packet>, Vec<Packet>) = std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            let mut span = SpanEncoder::new(pcm.rate, pcm.rate.ms(cut)).expect("a rate of Opus");
            span.prime(&samples[cut - preroll..cut]).expect("libopus takes any sound");
            let mut packets = span.push(&samples[cut..]).expect("libopus takes any sound");
            packets.extend(span.finish().expect("libopus takes any sound"));
            packets
        });
        let mut span = SpanEncoder::new(pcm.rate, 0.0).expect("a rate of Opus");
        let first = span.push(&samples[..cut]).expect("libopus takes any sound");
        (first, second.join().expect("the other half encodes too"))
    });
    let mut muxer = NoteMuxer::new(pcm.rate);
    muxer.push(first);
    muxer.push(second);
    muxer.finish(pcm.rate.granules(samples.len() as u64)).0.to_vec()
}

fn benches(criterion: &mut Criterion) {
    let pcm = Pcm { samples: sound(RATE), rate: RATE };
    let wide = sound(SampleRate(48_000));
    let note = encode(&pcm);

    measure(criterion, "decode", "voice_note/10s", || {
        decode(black_box(&note), AudioLimits::default()).expect("our own note")
    });
    measure(criterion, "resample", "48k_to_16k/10s", || {
        let mut resampler = Resampler::new(SampleRate(48_000), SampleRate::SPEECH);
        let mut output = resampler.push(black_box(&wide));
        output.extend(resampler.finish());
        output
    });
    measure(criterion, "encode", "voip_24k/10s", || encode(black_box(&pcm)));
    measure(criterion, "encode", "voip_24k/10s_stitched", || encode_stitched(black_box(&pcm)));
}

/// Benches one stage; the throughput is in seconds of sound per second.
fn measure<T>(criterion: &mut Criterion, stage: &str, case: &str, work: impl FnMut() -> T) {
    let mut group = criterion.benchmark_group(stage);
    let mut work = work;
    group.sample_size(20).throughput(Throughput::Elements(u64::from(SECONDS)));
    group.bench_function(case, |bencher| bencher.iter(&mut work));
    group.finish();
}

criterion_group!(audio, benches);
criterion_main!(audio);
