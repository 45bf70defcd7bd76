//! What hark reads of strangers, one function each: it gets any bytes and fails if a promise about
//! them does not hold. `make fuzz` looks for bytes that make it fail, `tests/it/fuzz.rs` runs the
//! seeds.

mod model;
mod ogg;
mod sound;
mod stream;
mod table;
mod wav;
mod webhook;

/// Names a reader and tries it on bytes.
pub(crate) struct Target {
    /// As `make fuzz` and the folder of its seeds call it.
    pub(crate) name: &'static str,
    /// Panics where a promise is broken.
    pub(crate) run: fn(&[u8]),
}

/// Lists them all.
pub(crate) const TARGETS: [Target; 7] = [
    Target { name: "webhook", run: webhook::run },
    Target { name: "ogg", run: ogg::run },
    Target { name: "sound", run: sound::run },
    Target { name: "stream", run: stream::run },
    Target { name: "wav", run: wav::run },
    Target { name: "table", run: table::run },
    Target { name: "model", run: model::run },
];

/// Takes the first byte away, which says how the rest is tried.
fn choice(input: &[u8]) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (*first, rest))
}

/// Cuts bytes into pieces of up to 64, or of up to 4 KiB; how many there are decides the lengths.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let most = if bytes.len().is_multiple_of(2) { 64 } else { 4096 };
    let (mut rest, mut state) = (bytes, bytes.len() as u64);
    std::iter::from_fn(move || {
        // Knuth's MMIX: its upper bits are random enough.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let length = 1 + usize::try_from(state >> 33).expect("31 bits fit") % most;
        let (piece, later) = rest.split_at(length.min(rest.len()));
        rest = later;
        (!piece.is_empty()).then_some(piece)
    })
}
