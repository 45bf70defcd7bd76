//! What whisper.cpp computes on: the processor, or a graphics card that this build knows.

use std::fmt;

#[cfg(feature = "stt-whisper")]
use crate::engine::Wrong;

/// The way to graphics cards that this program was built with.
pub const BACKEND: Option<&str> = if cfg!(feature = "cuda") {
    Some("cuda")
} else if cfg!(feature = "vulkan") {
    Some("vulkan")
} else if cfg!(feature = "hipblas") {
    Some("hip")
} else if cfg!(feature = "metal") {
    Some("metal")
} else if cfg!(feature = "intel-sycl") {
    Some("sycl")
} else {
    None
};

/// The version of whisper.cpp.
#[cfg(feature = "stt-whisper")]
pub static WHISPER_CPP: &str = whisper_rs::WHISPER_CPP_VERSION;
/// No whisper.cpp.
#[cfg(not(feature = "stt-whisper"))]
pub static WHISPER_CPP: &str = "none";

/// Returns the card that `[stt] device` counts to; `None` if there is none at all.
///
/// # Errors
/// A number that is too high; the error lists the cards.
#[cfg(feature = "stt-whisper")]
pub(super) fn choose(cards: Vec<GraphicsCard>, device: u16) -> Result<Option<GraphicsCard>, Wrong> {
    let named = cards.iter().enumerate().map(|(index, card)| format!("{index}: {card}"));
    let named = named.collect::<Vec<_>>().join("; ");
    match cards.into_iter().nth(device.into()) {
        None if !named.is_empty() => {
            Err(Wrong::new("device", format!("there is no card {device}; there are {named}")))
        }
        card => Ok(card),
    }
}

/// Describes a graphics card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphicsCard {
    /// The backend's name for it, such as `CUDA0`.
    pub name: String,
    /// Its maker's, such as `NVIDIA H100`.
    pub description: String,
    /// Its memory in bytes, free and in all.
    pub memory: (usize, usize),
}

impl fmt::Display for GraphicsCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.description)
    }
}

/// Lists the graphics cards in the order that `[stt] device` counts them in. A build without a
/// backend finds none.
#[cfg(feature = "stt-whisper")]
pub fn graphics_cards() -> Vec<GraphicsCard> {
    use whisper_rs::whisper_rs_sys as ggml;

    // This must come first, or ggml writes to stderr on its own.
    whisper_rs::install_logging_hooks();
    let mut cards = Vec::new();
    // SAFETY: devices belong to ggml's registry, which stays as long as the process, as do the
    // texts that it returns; an index below the count is a device.
    #[expect(unsafe_code, reason = "whisper-rs does not list devices")]
    unsafe {
        for index in 0..ggml::ggml_backend_dev_count() {
            let device = ggml::ggml_backend_dev_get(index);
            let kind = ggml::ggml_backend_dev_type(device);
            // As whisper.cpp 1.8.3 counts them (src/whisper.cpp L1300).
            if kind != ggml::ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_GPU
                && kind != ggml::ggml_backend_dev_type_GGML_BACKEND_DEVICE_TYPE_IGPU
            {
                continue;
            }
            let text = |text| std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned();
            let (mut free, mut total) = (0, 0);
            ggml::ggml_backend_dev_memory(device, &raw mut free, &raw mut total);
            cards.push(GraphicsCard {
                name: text(ggml::ggml_backend_dev_name(device)),
                description: text(ggml::ggml_backend_dev_description(device)),
                memory: (free, total),
            });
        }
    }
    cards
}

#[cfg(all(test, feature = "stt-whisper"))]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_chosen_by_its_place_and_a_wrong_place_lists_them() {
        let card = |name: &str| GraphicsCard {
            name: name.to_owned(),
            description: "NVIDIA H100".to_owned(),
            memory: (1, 2),
        };
        let cards = || vec![card("CUDA0"), card("CUDA1")];
        assert_eq!(choose(Vec::new(), 3), Ok(None));
        assert_eq!(choose(cards(), 1), Ok(Some(card("CUDA1"))));
        let wrong = choose(cards(), 2).unwrap_err();
        assert_eq!(
            (wrong.key.as_str(), wrong.problem.as_str()),
            ("device", "there is no card 2; there are 0: CUDA0 NVIDIA H100; 1: CUDA1 NVIDIA H100")
        );
    }

    #[test]
    fn a_build_without_a_backend_finds_no_card() {
        assert!(BACKEND.is_some() || graphics_cards().is_empty());
    }
}
