//! What symphonia leaves out of an MP4: how many samples of encoder delay stand before the sound.
//!
//! AAC begins with one to three frames of silence, up to 0.3 s at 8 kHz. An edit list or Apple's
//! `iTunSMPB` comment says how much; without either nothing is dropped, which is harmless.

/// More than this is no encoder delay but an edit, which is not ours to judge.
const MOST: usize = 8_192;

/// Samples, at the track's rate, to drop at the beginning of a file with a single track.
pub(super) fn priming(bytes: &[u8]) -> usize {
    // With several tracks the first edit list may be another one's.
    if count(bytes, b"mdhd") != 1 {
        return 0;
    }
    let samples = edit_list(bytes).or_else(|| apple(bytes)).unwrap_or(0);
    if samples <= MOST { samples } else { 0 }
}

/// The media time of the first edit that is not an empty one (ISO 14496-12 section 8.6.6, version
/// 0), in the track's timescale, which for sound is its rate.
fn edit_list(bytes: &[u8]) -> Option<usize> {
    let body = behind(bytes, b"elst")?;
    let (&[0, _, _, _, c0, c1, c2, c3], entries) = body.split_first_chunk()? else { return None };
    let entries = entries.chunks_exact(12).take(u32::from_be_bytes([c0, c1, c2, c3]) as usize);
    let mut times =
        entries.map(|entry| i32::from_be_bytes([entry[4], entry[5], entry[6], entry[7]]));
    times.find_map(|time| usize::try_from(time).ok())
}

/// The second number of `iTunSMPB`: ` 00000000 00000840 000001CA ...`.
fn apple(bytes: &[u8]) -> Option<usize> {
    let body = behind(behind(bytes, b"iTunSMPB")?, b"data")?.get(8..)?;
    let text = std::str::from_utf8(body.get(..36)?).ok()?;
    usize::from_str_radix(text.split_whitespace().nth(1)?, 16).ok()
}

fn behind<'a>(bytes: &'a [u8], tag: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(tag.len()).position(|window| window == tag)?;
    bytes.get(at + tag.len()..)
}

fn count(bytes: &[u8], tag: &[u8]) -> usize {
    bytes.windows(tag.len()).filter(|window| *window == tag).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_read_from_either_place() {
        let edit = b"mdhd elst\0\0\0\0\0\0\0\x02\0\0\0\x2b\xff\xff\xff\xff\0\x01\0\0\0\0\x04\x15\0\0\x04\0\0\x01\0\0";
        assert_eq!(priming(edit), 1024);
        let mut apple = b"mdhd iTunSMPB\0\0\0\x84data\0\0\0\x01\0\0\0\0".to_vec();
        apple.extend(b" 00000000 00000840 000001CA 00000000003F31F6");
        assert_eq!(priming(&apple), 0x840);
        assert_eq!(priming(b"mdhd"), 0);
        assert_eq!(priming(b"mdhd mdhd elst"), 0);
        assert_eq!(priming(b"mdhd elst\0\0\0\0\0\0\0\x01"), 0);
    }
}
