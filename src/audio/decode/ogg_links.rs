//! Cuts an Ogg file into its links, which were appended to each other. Each begins with the pages
//! that begin its streams. Source: RFC 3533 section 4.

use std::collections::HashSet;

use crate::audio::pages::PageReader;

/// Holds the links, each a file of its own.
#[derive(Default)]
pub(super) struct OggLinks {
    pub(super) files: Vec<Vec<u8>>,
    /// Bytes that are in none: garbage, and pages of streams that never began.
    pub(super) unheard: u64,
}

/// Cuts a file.
pub(super) fn split(file: &[u8]) -> OggLinks {
    let mut links = OggLinks::default();
    let mut reader = PageReader::default();
    reader.push(file);
    // The streams of the latest link, and whether more than their beginnings came.
    let (mut streams, mut begun) = (HashSet::new(), true);
    while let Some(page) = reader.next_page() {
        if page.first && begun {
            links.files.push(Vec::new());
            streams.clear();
        }
        begun = !page.first;
        match links.files.last_mut() {
            Some(link) if !streams.insert(page.serial) || page.first => {
                link.extend_from_slice(reader.latest(&page));
            }
            _ => {
                links.unheard += page.length() as u64;
                streams.remove(&page.serial);
            }
        }
    }
    links.unheard += reader.skipped();
    if let Some(link) = links.files.last_mut() {
        // The last page may be cut off.
        link.extend_from_slice(reader.rest());
    }
    links
}
