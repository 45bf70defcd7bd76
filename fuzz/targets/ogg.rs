//! Ogg whose pages have right checksums, without which no reader looks into them: decoded as
//! [`super::sound`] says, and passed through only as what can be decoded.

use hark::audio::{CodedSpeech, inspect_note};

pub(super) fn run(input: &[u8]) {
    let mut file = input.to_vec();
    if !file.windows(4).any(|four| four == b"OggS") {
        return;
    }
    repage(&mut file);
    let _any = inspect_note(&file);
    if let Ok(coded) = CodedSpeech::read(file.clone().into()) {
        let held: usize = coded.packets().iter().map(|packet| packet.bytes().len()).sum();
        assert!(held <= file.len(), "{held} bytes in packets of {} bytes", file.len());
        coded.decode().expect("what is passed through is sound");
    }
    super::sound::run(&file);
}

/// Gives every Ogg page that is whole a right checksum.
fn repage(file: &mut [u8]) {
    let starts: Vec<usize> =
        (0..file.len()).filter(|at| file[*at..].starts_with(b"OggS")).collect();
    for at in starts {
        let rest = &mut file[at..];
        let Some(segments) = rest.get(26).map(|count| usize::from(*count)) else { continue };
        let Some(lacing) = rest.get(27..27 + segments) else { continue };
        let body: usize = lacing.iter().map(|lace| usize::from(*lace)).sum();
        let Some(page) = rest.get_mut(..27 + segments + body) else { continue };
        page[22..26].fill(0);
        let checksum = page.iter().fold(0_u32, |checksum, byte| {
            (0..8).fold(checksum ^ u32::from(*byte) << 24, |checksum, _| {
                checksum << 1 ^ if checksum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
            })
        });
        page[22..26].copy_from_slice(&checksum.to_le_bytes());
    }
}
