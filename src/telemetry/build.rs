//! What this program was built from.

/// Its version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit with its day, such as `35b7c2b 2026-11-26`; `build.rs` finds it out.
pub const COMMIT: &str = env!("HARK_COMMIT");

/// Returns the cargo features that are part of it.
pub fn features() -> Vec<&'static str> {
    let all = [
        ("stt-whisper", cfg!(feature = "stt-whisper")),
        ("model-micro", cfg!(feature = "model-micro")),
        ("tts-neural", cfg!(feature = "tts-neural")),
        ("blobs-cloud", cfg!(feature = "blobs-cloud")),
        ("cuda", cfg!(feature = "cuda")),
        ("vulkan", cfg!(feature = "vulkan")),
        ("hipblas", cfg!(feature = "hipblas")),
        ("metal", cfg!(feature = "metal")),
        ("intel-sycl", cfg!(feature = "intel-sycl")),
    ];
    all.into_iter().filter_map(|(name, built)| built.then_some(name)).collect()
}
