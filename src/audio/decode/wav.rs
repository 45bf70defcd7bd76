//! WAV files, reduced to what decoding needs before symphonia reads them.
//!
//! Writers of WAV are careless: sizes that were never filled in (espeak-ng, any pipe), RF64,
//! comment chunks that claim more than they have. Only `fmt `, `fact` and `data` matter, and of
//! `data` only as much as is there.

/// Rebuilds a file of its three chunks; `None` if there is no `fmt ` before `data`, which symphonia
/// then names better than we could.
pub(super) fn tidy(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut tidied = b"RIFF\0\0\0\0WAVE".to_vec();
    let mut rest = bytes.strip_prefix(b"RIFF").or_else(|| bytes.strip_prefix(b"RF64"))?.get(8..)?;
    while let Some((id, behind)) = rest.split_first_chunk::<4>() {
        let (size, behind) = behind.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_le_bytes(*size)).ok()?;
        if id == b"data" {
            // 0 and all ones are what writers leave that did not know yet.
            let length = if size == 0 { behind.len() } else { size.min(behind.len()) };
            append(&mut tidied, *id, &behind[..length])?;
            let riff = u32::try_from(tidied.len() - 8).ok()?;
            tidied[4..8].copy_from_slice(&riff.to_le_bytes());
            return tidied[12..].starts_with(b"fmt ").then_some(tidied);
        }
        let chunk = behind.get(..size)?;
        if id == b"fmt " || id == b"fact" {
            append(&mut tidied, *id, chunk)?;
        }
        rest = behind.get(size.next_multiple_of(2)..)?;
    }
    None
}

fn append(tidied: &mut Vec<u8>, id: [u8; 4], chunk: &[u8]) -> Option<()> {
    tidied.extend(id);
    tidied.extend(u32::try_from(chunk.len()).ok()?.to_le_bytes());
    tidied.extend(chunk);
    if !chunk.len().is_multiple_of(2) {
        tidied.push(0);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use crate::audio::Limits;

    fn wav(magic: [u8; 4], data_size: u32, before_data: &[u8]) -> Vec<u8> {
        let mut bytes = magic.to_vec();
        bytes.extend(b"\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0");
        bytes.extend(16_000u32.to_le_bytes());
        bytes.extend(32_000u32.to_le_bytes());
        bytes.extend(b"\x02\0\x10\0");
        bytes.extend(before_data);
        bytes.extend(b"data");
        bytes.extend(data_size.to_le_bytes());
        bytes.extend([0x10; 3_200]);
        bytes
    }

    #[test]
    fn careless_headers_are_read_like_tidy_ones() {
        for (magic, size, extra) in [
            (*b"RIFF", 3_200, b"".as_slice()),
            (*b"RIFF", 0, b""),
            (*b"RIFF", 0x7fff_f000, b""),
            (*b"RF64", u32::MAX, b"ds64\x04\0\0\0abcd"),
            (*b"RIFF", 3_200, b"LIST\x05\0\0\0INFOx\0"),
            (*b"RIFF", 3_200, b"LIST\x0c\0\0\0INFOICMT\xff\xff\0\0"),
        ] {
            let speech = decode(&wav(magic, size, extra), Limits::default()).unwrap();
            assert_eq!(speech.samples().len(), 1_600, "{size:#x} {extra:?}");
        }
    }
}
