//! Runs Silero VAD, which says of every 32 ms how probably someone speaks in them.
//!
//! whisper.cpp runs it; its weights are part of the program. A span of 30 s takes about 45 ms of one
//! core, where whisper takes seconds. Silero hears a whole span each time and keeps nothing of it.

use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use whisper_rs::WhisperError;
use whisper_rs::whisper_rs_sys as sys;

use super::voice::{FRAME, kept};
use crate::audio::{Excerpt, Speech};
use crate::models::built_in;

/// Loudness that a span is raised to, as the RMS of its louder frames: -20 dB. Silero misses a
/// fifth of quiet speech and hears all of it when it is raised.
const LOUDNESS: f32 = 0.1;

/// Largest amplification: 60 dB.
const MOST_GAIN: f32 = 1_000.0;

/// Finds the voices in spans, for any number of threads.
pub(super) struct VoiceFilter {
    /// Detectors that no thread uses now. whisper.cpp leaks a little of each that is freed, so they
    /// are kept: never more than there are threads.
    idle: Mutex<Vec<Detector>>,
}

impl VoiceFilter {
    /// Loads the first detector.
    ///
    /// # Errors
    /// Memory ran out.
    pub(super) fn load() -> Result<Self, WhisperError> {
        Ok(Self { idle: Mutex::new(vec![Detector::load()?]) })
    }

    /// Returns what of a span is worth hearing; `None` if no one speaks in it.
    ///
    /// # Errors
    /// Memory ran out.
    pub(super) fn worth_hearing(&self, span: &Speech) -> Result<Option<Excerpt>, WhisperError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut detector = idle.map_or_else(Detector::load, Ok)?;
        let probabilities = detector.probabilities(&raised(span.samples()));
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(detector);
        let kept = kept(&probabilities?, span.samples().len());
        Ok((!kept.is_empty()).then(|| Excerpt::of(span, &kept)))
    }
}

/// Amplifies quiet sound. What counts is its tenth loudest frame of a hundred: a click is louder
/// than the voice beside it.
fn raised(samples: &[f32]) -> Vec<f32> {
    let energy = |frame: &[f32]| frame.iter().map(|sample| sample * sample).sum::<f32>();
    let mut energies: Vec<f32> = samples.chunks(FRAME).map(energy).collect();
    energies.sort_unstable_by(f32::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "512")]
    let loud = energies.get(energies.len() * 9 / 10).map_or(0.0, |loud| loud / FRAME as f32);
    let gain = (LOUDNESS / loud.sqrt().max(f32::MIN_POSITIVE)).clamp(1.0, MOST_GAIN);
    samples.iter().map(|sample| (sample * gain).clamp(-1.0, 1.0)).collect()
}

/// Owns one detector of whisper.cpp.
struct Detector(*mut sys::whisper_vad_context);

#[expect(unsafe_code, reason = "a pointer is not Send by itself")]
// SAFETY: the context belongs to whoever owns the detector; whisper.cpp ties it to no thread.
unsafe impl Send for Detector {}

impl Detector {
    /// Reads the weights that are part of the program, which whisper-rs can read from files only.
    fn load() -> Result<Self, WhisperError> {
        let mut unread: &[u8] = built_in::SILERO;
        let mut loader = sys::whisper_model_loader {
            context: std::ptr::from_mut(&mut unread).cast::<c_void>(),
            read: Some(read),
            eof: Some(at_end),
            close: Some(close),
        };
        let params =
            sys::whisper_vad_context_params { n_threads: 1, use_gpu: false, gpu_device: 0 };
        #[expect(unsafe_code, reason = "whisper-rs has no safe way to load it from memory")]
        // SAFETY: `loader` and what it reads from outlive the call, and nothing of them is kept.
        let context = unsafe { sys::whisper_vad_init_with_params(&raw mut loader, params) };
        if context.is_null() { Err(WhisperError::NullPointer) } else { Ok(Self(context)) }
    }

    /// Returns the probability of a voice in each frame of `samples`.
    fn probabilities(&mut self, samples: &[f32]) -> Result<Vec<f32>, WhisperError> {
        let count = i32::try_from(samples.len()).map_err(|_| WhisperError::GenericError(-1))?;
        #[expect(unsafe_code, reason = "see `load`")]
        // SAFETY: `samples` are `count` floats; the context is ours alone, and its probabilities
        // are copied before anything else can change them.
        unsafe {
            if !sys::whisper_vad_detect_speech(self.0, samples.as_ptr(), count) {
                return Err(WhisperError::GenericError(-1));
            }
            let frames = usize::try_from(sys::whisper_vad_n_probs(self.0)).unwrap_or_default();
            let probabilities = sys::whisper_vad_probs(self.0);
            if probabilities.is_null() || frames == 0 {
                return Ok(Vec::new());
            }
            Ok(std::slice::from_raw_parts(probabilities, frames).to_vec())
        }
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        #[expect(unsafe_code, reason = "see `load`")]
        // SAFETY: nobody else has the context.
        unsafe {
            sys::whisper_vad_free(self.0);
        }
    }
}

/// Copies the next bytes of the slice that `unread` points to, as many as there are.
extern "C" fn read(unread: *mut c_void, output: *mut c_void, size: usize) -> usize {
    #[expect(unsafe_code, reason = "C passes user data as an untyped pointer")]
    // SAFETY: `Detector::load` set `unread` to a slice that lives as long as the call, and
    // whisper.cpp passes room for `size` bytes.
    unsafe {
        let unread = &mut *unread.cast::<&[u8]>();
        let (bytes, rest) = unread.split_at(size.min(unread.len()));
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), output.cast::<u8>(), bytes.len());
        *unread = rest;
        bytes.len()
    }
}

extern "C" fn at_end(unread: *mut c_void) -> bool {
    #[expect(unsafe_code, reason = "C passes user data as an untyped pointer")]
    // SAFETY: as in `read`.
    unsafe {
        let unread: &&[u8] = &*unread.cast();
        unread.is_empty()
    }
}

extern "C" fn close(_: *mut c_void) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_one_speaks_in_silence_and_its_detector_is_kept() {
        let voices = VoiceFilter::load().expect("the weights are part of the program");
        for seconds in [0, 1, 30] {
            let heard = voices.worth_hearing(&Speech::silence(seconds * 16_000));
            assert!(heard.expect("memory is there").is_none(), "{seconds} s");
        }
        assert_eq!(voices.idle.lock().map(|idle| idle.len()).ok(), Some(1));
    }

    #[test]
    fn quiet_sound_is_raised_whatever_clicks_in_it() {
        let mut samples = vec![0.001; 100 * FRAME];
        samples[50 * FRAME..51 * FRAME].fill(1.0);
        let raised = raised(&samples);
        assert!((raised[0] - LOUDNESS).abs() < 1e-6 && raised[50 * FRAME] <= 1.0);
        assert!(super::raised(&[]).is_empty() && super::raised(&[0.0; 600]) == [0.0; 600]);
    }
}
