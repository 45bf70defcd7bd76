//! Reads what symphonia ignores in an MP4: codecs that it does not know, and how much of the
//! beginning is encoder delay.
//!
//! AAC begins with one to three frames of silence, up to 0.3 s at 8 kHz. An edit list or Apple's
//! `iTunSMPB` comment says how much; without either nothing is dropped, which is harmless. Source:
//! ISO 14496-12.

use super::amr::Band;

/// Longest encoder delay, in samples; anything longer is an edit, which is not ours to judge.
const MOST_DELAY: u64 = 8_192;

/// Most tracks that are read; a file for one listener has one or two.
const MOST_TRACKS: usize = 16;

/// Most fragments and runs of a file, and most samples of a run: ten minutes of 20 ms are 30 000.
const MOST_FRAGMENTS: u32 = 65_536;

/// Most entries times samples of a track: about a second of work. Ten minutes of AAC, each packet with
/// an entry of its own, are 0.8 thousand millions.
const MOST_STEPS: u64 = 1 << 30;

/// Describes one audio track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) id: u32,
    /// The codec, as the sample entry names it.
    pub(super) codec: [u8; 4],
    /// Ticks a second.
    timescale: u32,
    /// Ticks before the sound.
    delay: Option<u64>,
}

impl Track {
    /// Returns the kind of AMR, if the codec is AMR.
    pub(super) fn amr(&self) -> Option<Band> {
        match &self.codec {
            b"samr" => Some(Band::Narrow),
            b"sawb" => Some(Band::Wide),
            _ => None,
        }
    }

    /// Returns the codec's name for errors, if we do not decode it.
    pub(super) fn unknown(&self) -> Option<&'static str> {
        match &self.codec {
            b"ac-3" => Some("AC-3"),
            b"ec-3" => Some("E-AC-3"),
            b"QDM2" => Some("QDesign"),
            b"dtsc" | b"dtse" | b"dtsh" => Some("DTS"),
            b"evrc" | b"sevc" => Some("EVRC"),
            _ => None,
        }
    }

    /// Returns the samples at `rate` to drop at the beginning.
    pub(super) fn delay(&self, rate: u32) -> Option<usize> {
        let samples = self.delay? * u64::from(rate) / u64::from(self.timescale);
        usize::try_from(samples).ok().filter(|_| samples <= MOST_DELAY)
    }
}

/// Returns the audio tracks of a file.
pub(super) fn tracks(file: &[u8]) -> Vec<Track> {
    let Some(movie) = inside(file, &[b"moov"]) else { return Vec::new() };
    let boxes = Boxes(movie).filter(|(kind, _)| kind == b"trak").take(MOST_TRACKS);
    let mut tracks: Vec<Track> = boxes.filter_map(|(_, body)| track(body)).collect();
    if let [track] = tracks.as_mut_slice() {
        track.delay = track.delay.or_else(|| apple(movie));
    }
    tracks
}

/// Repairs what would make symphonia reject a file or panic: a last box that was cut off or claims
/// too much ends with the file, an offset past the end becomes the end, one before a fragment its
/// beginning, and the priority of a fragment's first sample, which symphonia misreads, is cleared.
pub(super) fn mend(file: &mut [u8]) {
    let length = file.len();
    let mut at = 0;
    while let Some((head, size)) =
        file.get(at..).and_then(extent).filter(|(head, size)| head <= size)
    {
        let there = length - at;
        if size > there && head == 8 {
            let there = u32::try_from(there).unwrap_or(0);
            file[at..at + 4].copy_from_slice(&there.to_be_bytes());
        } else if size > there {
            file[at + 8..at + 16].copy_from_slice(&(there as u64).to_be_bytes());
        }
        at += size.min(there);
    }
    let clamp = |place: &mut [u8]| {
        if long(place, 0).is_some_and(|at| at > length as u64) {
            place[..8].copy_from_slice(&(length as u64).to_be_bytes());
        }
    };
    within(file, &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"co64"], &mut |table| {
        table.get_mut(8..).unwrap_or_default().chunks_exact_mut(8).for_each(clamp);
    });
    within(file, &[b"moof", b"traf", b"tfhd"], &mut |head| {
        if word(head, 0).unwrap_or(0) & 1 != 0 {
            head.get_mut(8..16).into_iter().for_each(clamp);
        }
    });
    within(file, &[b"moof", b"traf", b"trun"], &mut |run| {
        let flags = word(run, 0).unwrap_or(0);
        let placed = flags & 1 != 0;
        if let (true, Some(place)) = (placed, run.get_mut(8..12)) {
            // A negative offset.
            if place[0] >= 0x80 {
                place.fill(0);
            }
        }
        let first = if placed { 12 } else { 8 };
        if let (true, Some(flags)) = (flags & 4 != 0, run.get_mut(first + 2..first + 4)) {
            flags.fill(0);
        }
    });
}

/// Calls `visit` with the body of every box at the end of `path`.
fn within(file: &mut [u8], path: &[&[u8; 4]], visit: &mut impl FnMut(&mut [u8])) {
    let Some((kind, deeper)) = path.split_first() else { return visit(file) };
    let mut rest = file;
    while let Some((head, size)) = extent(rest).filter(|(head, size)| head <= size)
        && let Some((whole, later)) = rest.split_at_mut_checked(size)
    {
        if whole[4..8] == **kind {
            within(&mut whole[head..], deeper, visit);
        }
        rest = later;
    }
}

/// Returns whether the tables would keep symphonia, which walks them for every sample, busy for
/// ever.
pub(super) fn endless(file: &[u8]) -> bool {
    let (mut fragments, mut longest) = (0, 0);
    for (_, fragment) in Boxes(file).filter(|(kind, _)| kind == b"moof") {
        fragments += 1;
        for (_, track) in Boxes(fragment).filter(|(kind, _)| kind == b"traf") {
            for (_, run) in Boxes(track).filter(|(kind, _)| kind == b"trun") {
                fragments += 1;
                longest = longest.max(word(run, 4).unwrap_or(0));
            }
        }
    }
    let movie = inside(file, &[b"moov"]).unwrap_or_default();
    let tracks = Boxes(movie).filter(|(kind, _)| kind == b"trak");
    let steps = tracks.map(|(_, track)| {
        let table = |kind| inside(track, &[b"mdia", b"minf", b"stbl", kind]);
        let entries =
            |kind, at| u64::from(table(kind).and_then(|table| word(table, at)).unwrap_or(0));
        entries(b"stts", 4) * entries(b"stsz", 8)
    });
    fragments > MOST_FRAGMENTS || longest > MOST_FRAGMENTS || steps.max().unwrap_or(0) > MOST_STEPS
}

fn track(body: &[u8]) -> Option<Track> {
    if inside(body, &[b"mdia", b"hdlr"])?.get(8..12)? != b"soun" {
        return None;
    }
    let entry = inside(body, &[b"mdia", b"minf", b"stbl", b"stsd"])?.get(8..)?;
    let (codec, _) = Boxes(entry).next()?;
    // Version 1 has 8-byte times.
    let versioned = |body: &[u8], short: usize, long: usize| {
        word(body, if body.first() == Some(&0) { short } else { long })
    };
    let timescale = versioned(inside(body, &[b"mdia", b"mdhd"])?, 12, 20)?;
    let id = versioned(inside(body, &[b"tkhd"])?, 12, 20)?;
    let delay = inside(body, &[b"edts", b"elst"]).and_then(edit_list);
    (timescale > 0).then_some(Track { id, codec, timescale, delay })
}

/// Returns the media time, in ticks, of the first edit that is not empty (section 8.6.6).
fn edit_list(body: &[u8]) -> Option<u64> {
    let (long, count) = (body.first()? & 1 == 1, word(body, 4)? as usize);
    let size = if long { 20 } else { 12 };
    body.get(8..)?.chunks_exact(size).take(count).find_map(|entry| {
        // -1 is an empty edit.
        let time = if long {
            i64::from_be_bytes(entry.get(8..16)?.try_into().ok()?)
        } else {
            i64::from(i32::from_be_bytes(entry.get(4..8)?.try_into().ok()?))
        };
        u32::try_from(time).ok().map(u64::from)
    })
}

/// Returns the second number of `iTunSMPB`: ` 00000000 00000840 000001CA ...`.
fn apple(movie: &[u8]) -> Option<u64> {
    let body = after(after(movie, b"iTunSMPB")?, b"data")?.get(8..)?;
    let text = std::str::from_utf8(body.get(..36)?).ok()?;
    u64::from_str_radix(text.split_whitespace().nth(1)?, 16).ok().filter(|time| *time < 1 << 32)
}

fn after<'a>(bytes: &'a [u8], tag: &[u8]) -> Option<&'a [u8]> {
    let at = bytes.windows(tag.len()).position(|window| window == tag)?;
    bytes.get(at + tag.len()..)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|eight| u64::from_be_bytes(*eight))
}

/// Returns the body of the first box at the end of `path`.
fn inside<'a>(body: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(body, |body, kind| {
        Boxes(body).find(|(found, _)| found == *kind).map(|(_, body)| body)
    })
}

/// Returns the lengths of the header and of the complete box that `bytes` begin with.
fn extent(bytes: &[u8]) -> Option<(usize, usize)> {
    Some(match word(bytes, 0)? {
        // It extends to the end.
        0 => (8, bytes.len()),
        1 => {
            let size = long(bytes, 8)?;
            (16, usize::try_from(size).ok()?)
        }
        size => (8, size as usize),
    })
}

/// Iterates over sibling boxes; one that claims more than there is gets what there is.
struct Boxes<'a>(&'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = *self.0.get(4..)?.first_chunk()?;
        let (head, size) = extent(self.0)?;
        let (whole, rest) = self.0.split_at_checked(size).unwrap_or((self.0, &[]));
        self.0 = rest;
        Some((kind, whole.get(head..)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes()[..], &kind, body].concat()
    }

    /// Makes a file with audio tracks at 8 kHz, each with `edits`, and `more` in the movie.
    fn file(tracks: usize, edits: &[u8], more: &[u8]) -> Vec<u8> {
        let described = boxed(*b"stsd", b"\0\0\0\0\0\0\0\x01\0\0\0\x08samr");
        let media = [
            boxed(*b"mdhd", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1f\x40"),
            boxed(*b"hdlr", b"\0\0\0\0\0\0\0\0soun"),
            boxed(*b"minf", &boxed(*b"stbl", &described)),
        ];
        let track = [
            boxed(*b"tkhd", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07"),
            boxed(*b"edts", &boxed(*b"elst", edits)),
            boxed(*b"mdia", &media.concat()),
        ];
        let track = boxed(*b"trak", &track.concat());
        let movie = [track.repeat(tracks), more.to_vec()].concat();
        [boxed(*b"ftyp", b"3gp4"), boxed(*b"moov", &movie)].concat()
    }

    #[test]
    fn codec_and_delay_are_read_from_the_boxes() {
        let edits = b"\0\0\0\0\0\0\0\x02\0\0\0\x2b\xff\xff\xff\xff\0\x01\0\0\0\0\x04\x15\0\0\x04\0\0\x01\0\0";
        let found = tracks(&file(1, edits, b""));
        assert_eq!((found[0].id, found[0].amr()), (7, Some(Band::Narrow)));
        assert_eq!((found[0].delay(8_000), found[0].delay(16_000)), (Some(1024), Some(2048)));
        assert_eq!(found[0].delay(96_000), None, "12 288 samples are an edit");
        let long = b"\x01\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\x01\0\0";
        assert_eq!(tracks(&file(1, long, b""))[0].delay(8_000), Some(5));
    }

    #[test]
    fn apples_comment_counts_where_there_is_one_track_without_an_edit() {
        let mut comment = b"iTunSMPB\0\0\0\x84data\0\0\0\x01\0\0\0\0".to_vec();
        comment.extend(b" 00000000 00000840 000001CA 00000000003F31F6");
        let none = b"\0\0\0\0\0\0\0\0";
        assert_eq!(tracks(&file(1, none, &comment))[0].delay(8_000), Some(0x840));
        assert_eq!(tracks(&file(2, none, &comment))[0].delay(8_000), None);
        assert_eq!(tracks(b"\0\0\0\0moov"), []);
        assert_eq!(tracks(&file(1, none, b"")[..60]), []);
    }

    #[test]
    fn a_fragment_lies_in_the_file_and_its_first_sample_has_no_priority() {
        let file = |flags: &[u8]| {
            let run = [b"\0\0\0\x05\0\0\0\x01\0\0\0\x09", flags, b"\0\0\0\x07"].concat();
            boxed(*b"moof", &boxed(*b"traf", &boxed(*b"trun", &run)))
        };
        let mut mended = file(b"\x02\x01\x02\x04");
        mend(&mut mended);
        assert_eq!(mended, file(b"\x02\x01\0\0"));
        assert!(!endless(&mended));
        let head = |at: [u8; 8]| {
            let head = [b"\0\0\0\x01\0\0\0\x01", &at[..]].concat();
            boxed(*b"moof", &boxed(*b"traf", &boxed(*b"tfhd", &head)))
        };
        let mut far = head([0xff; 8]);
        mend(&mut far);
        assert_eq!(far, head([0, 0, 0, 0, 0, 0, 0, 40]));
        let runs = boxed(*b"traf", &boxed(*b"trun", b"\0\0\0\0\x0f\0\0\0"));
        assert!(endless(&boxed(*b"moof", &runs)));
        assert!(endless(&boxed(*b"moof", b"").repeat(MOST_FRAGMENTS as usize + 1)));
        let tables = [
            boxed(*b"stts", b"\0\0\0\0\0\x0f\0\0"),
            boxed(*b"stsz", b"\0\0\0\0\0\0\0\0\0\x0f\0\0"),
        ];
        let media = boxed(*b"mdia", &boxed(*b"minf", &boxed(*b"stbl", &tables.concat())));
        assert!(endless(&boxed(*b"moov", &boxed(*b"trak", &media))));
    }

    #[test]
    fn a_box_that_claims_too_much_ends_with_the_file() {
        let begun = boxed(*b"ftyp", b"3gp4");
        for (claimed, mended) in [
            (b"\0\0\x01\0mdat12345678", b"\0\0\0\x10mdat12345678"),
            (b"\0\0\0\x01mdat\0\0\0\x01\0\0\0\0", b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x10"),
            (b"\0\0\0\x02mdat12345678", b"\0\0\0\x02mdat12345678"),
            (b"\0\0\0\x08free\0\0\x01\0mdat", b"\0\0\0\x08free\0\0\0\x08mdat"),
        ] {
            let mut file = [&begun[..], claimed].concat();
            mend(&mut file);
            assert_eq!(file, [&begun[..], mended].concat());
        }
    }
}
