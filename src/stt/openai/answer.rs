//! Reads what a server heard: words, and as much as it tells of their times, language and doubts.
//!
//! Pure: bytes in, a transcript out. Nothing but the words has to be there.

use serde_json::Value;

use super::super::words::{WordsHeard, judge, segments_without_sounds, without_sounds};
use super::super::{LanguageHint, SttError, Utterance};
use crate::models::manifest::RunStyle;
use crate::remote::failure::{ServerError, is_page};
use crate::remote::words::Redactor;
use crate::turn::{LanguageCode, Personal, Segment, Transcript, Uncertainty};
use crate::written;

/// Chance of silence above which, and mean log-probability below which, nobody spoke: both as
/// openai/whisper's `transcribe.py` has them. A model of which no more is known.
const NO_SPEECH: f32 = 0.6;
const NO_SPEECH_LOGPROB: f32 = -1.0;

/// What a segment may end after the sound: models of whisper's kind think in windows of 30 s.
const SPARE_MS: f64 = 31_000.0;

/// Holds what a server told of one utterance.
#[derive(Debug, Default)]
pub(super) struct ServerTranscript {
    /// As the model wrote it.
    pub(super) text: String,
    language: Option<LanguageCode>,
    pieces: Vec<ToldPiece>,
}

/// Holds one of its segments; times are seconds from the utterance's start.
#[derive(Debug, Default)]
struct ToldPiece {
    text: String,
    start_s: f64,
    end_s: f64,
    no_speech: Option<f32>,
    logprob: Option<f32>,
    tokens: usize,
}

impl ServerTranscript {
    /// Reads a body.
    ///
    /// # Errors
    /// A body that tells no words; `redactor` cleans what it says instead.
    pub(super) fn read(body: &[u8], redactor: Redactor<'_>) -> Result<Self, SttError> {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(text) = json["text"].as_str() else {
            let what = if is_page(body) { "" } else { "text: " };
            let words = redactor.clean(&ServerError::from_body(body).message);
            return Err(SttError::NoTranscript { what: format!("{what}{words}") });
        };
        let pieces = json["segments"].as_array().into_iter().flatten().map(ToldPiece::read);
        Ok(Self {
            text: text.trim().to_owned(),
            language: json["language"].as_str().and_then(LanguageCode::told),
            pieces: pieces.collect(),
        })
    }

    /// Returns the transcript of `utterance`, with what may be wrong with it.
    pub(super) fn judged(self, utterance: &Utterance) -> Transcript {
        let no_speech = self.no_speech();
        let logprob = self.logprob();
        let language = self.language(&utterance.language);
        let run = RunStyle { no_speech: Some(NO_SPEECH), ..RunStyle::default() };
        let words = WordsHeard {
            text: &self.text,
            seconds: utterance.speech.duration_ms() / 1000.0,
            tokens: self.pieces.iter().map(|piece| piece.tokens).sum(),
            no_speech: no_speech.unwrap_or_default(),
            // Who tells no doubts has none.
            logprob: Some(logprob.unwrap_or_default()),
            elsewhere: if self.is_elsewhere(&utterance.language) { 1.0 } else { 0.0 },
        };
        let silent = no_speech.is_some_and(|chance| chance > NO_SPEECH)
            && logprob.is_some_and(|mean| mean < NO_SPEECH_LOGPROB);
        let silent = silent.then_some(Uncertainty::NoSpeech);
        let uncertain = silent.or_else(|| judge(&words, &run));
        let text = Personal(without_sounds(&self.text));
        let segments = self.segments(utterance, &text);
        Transcript {
            no_speech_prob: no_speech
                .unwrap_or_else(|| f32::from(u8::from(text.reveal().is_empty()))),
            text,
            language,
            segments,
            uncertain,
            confidence: logprob.map(f32::exp),
            ..Transcript::default()
        }
    }

    /// Returns the chance that nobody spoke at all.
    fn no_speech(&self) -> Option<f32> {
        self.pieces.iter().filter_map(|piece| piece.no_speech).reduce(f32::min)
    }

    /// Returns the mean log-probability of the tokens.
    #[expect(clippy::cast_precision_loss, reason = "an utterance has some hundred tokens")]
    fn logprob(&self) -> Option<f32> {
        let known =
            self.pieces.iter().filter_map(|piece| Some((piece.logprob?, piece.tokens.max(1))));
        let (sum, count) = known.fold((0.0, 0), |(sum, count), (mean, tokens)| {
            (sum + mean * tokens as f32, count + tokens)
        });
        (count > 0).then(|| sum / count as f32)
    }

    /// Returns the language: ours if it is sure, else the server's word, else what the words tell.
    fn language(&self, hint: &LanguageHint) -> LanguageCode {
        if let Some(language) = hint.sure().or(self.language.as_ref()) {
            return language.clone();
        }
        let LanguageHint::Guess { likely, among } = hint else { return LanguageCode::UNKNOWN };
        let may_be = |code: &str| among.is_empty() || among.iter().any(|one| one.is(&code.into()));
        let told = written::language(&self.text, may_be).told().map(LanguageCode::from);
        told.or_else(|| likely.clone()).unwrap_or_default()
    }

    /// Returns whether the server heard another language than may be spoken. It is not asked where
    /// one is sure: then it was told that.
    fn is_elsewhere(&self, hint: &LanguageHint) -> bool {
        let LanguageHint::Guess { among, .. } = hint else { return false };
        let heard = self.language.as_ref().filter(|_| among.len() > 1);
        heard.is_some_and(|heard| !among.iter().any(|language| language.is(heard)))
    }

    /// Returns the words in pieces with their times in the message.
    fn segments(&self, utterance: &Utterance, text: &Personal) -> Vec<Segment> {
        let (offset_ms, length_ms) = (utterance.offset_ms, utterance.speech.duration_ms());
        // Where they are no seconds, the words alone are right.
        let are_seconds = |piece: &ToldPiece| piece.end_s * 1000.0 < length_ms + SPARE_MS;
        let pieces = if self.pieces.iter().all(are_seconds) { &self.pieces[..] } else { &[] };
        let said: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        let said = segments_without_sounds(&said);
        let mut segments: Vec<Segment> = pieces
            .iter()
            .zip(said)
            .map(|(piece, said)| Segment {
                start_ms: offset_ms + (piece.start_s * 1000.0).clamp(0.0, length_ms),
                end_ms: offset_ms + (piece.end_s * 1000.0).clamp(0.0, length_ms),
                text: Personal(said),
            })
            .filter(|segment| !segment.text.reveal().is_empty())
            .collect();
        if segments.is_empty() && !text.reveal().is_empty() {
            let end_ms = offset_ms + length_ms;
            segments.push(Segment { start_ms: offset_ms, end_ms, text: text.clone() });
        }
        segments
    }
}

impl ToldPiece {
    fn read(json: &Value) -> Self {
        let number = |key: &str| json[key].as_f64().filter(|number| number.is_finite());
        #[expect(clippy::cast_possible_truncation, reason = "probabilities")]
        let small = |key: &str| number(key).map(|number| number as f32);
        Self {
            text: json["text"].as_str().unwrap_or_default().to_owned(),
            start_s: number("start").unwrap_or_default(),
            end_s: number("end").unwrap_or_default(),
            no_speech: small("no_speech_prob"),
            logprob: small("avg_logprob"),
            tokens: json["tokens"].as_array().map_or(0, Vec::len),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::audio::Speech;

    fn judged(body: &Value, language: LanguageHint) -> Transcript {
        let utterance =
            Utterance { offset_ms: 1_000.0, ..Utterance::alone(Speech::silence(32_000), language) };
        let told = ServerTranscript::read(body.to_string().as_bytes(), Redactor::default());
        told.unwrap().judged(&utterance)
    }

    fn among(codes: &[&str], likely: Option<&str>) -> LanguageHint {
        LanguageHint::Guess {
            likely: likely.map(Into::into),
            among: codes.iter().copied().map(Into::into).collect(),
        }
    }

    #[test]
    fn everything_that_a_server_tells_is_taken() {
        let body = json!({
            "task": "transcribe", "language": "english", "duration": 2.0,
            "text": " When do you open? [Music] Thanks.",
            "segments": [
                { "id": 0, "start": 0.0, "end": 1.2, "text": " When do you open?",
                  "tokens": [1, 2, 3], "avg_logprob": -0.2, "no_speech_prob": 0.01 },
                { "id": 1, "start": 1.2, "end": 1.4, "text": " [Music]", "tokens": [4],
                  "avg_logprob": -0.6, "no_speech_prob": 0.5 },
                { "id": 2, "start": 1.4, "end": 9.0, "text": " Thanks." },
            ],
        });
        let heard = judged(&body, LanguageHint::ANY);
        assert_eq!(heard.text, "When do you open? Thanks.");
        assert_eq!((heard.language.as_str(), heard.uncertain), ("en", None));
        assert!((heard.no_speech_prob - 0.01).abs() < 1e-6);
        assert!((heard.confidence.unwrap() - (-0.3_f32).exp()).abs() < 1e-6);
        let times: Vec<_> = heard.segments.iter().map(|s| (s.start_ms, s.end_ms)).collect();
        assert_eq!(times, [(1_000.0, 2_200.0), (2_400.0, 3_000.0)]);
    }

    #[test]
    fn words_alone_are_enough() {
        let heard = |text: &str, language| judged(&json!({ "text": text }), language);
        let one = heard("Hola, ¿qué tal?", LanguageHint::ANY);
        assert_eq!((one.text.reveal(), one.language.as_str()), ("Hola, ¿qué tal?", "es"));
        assert_eq!((one.segments.len(), one.uncertain, one.confidence), (1, None, None));
        assert_eq!(heard("ok", LanguageHint::Known("de".into())).language, "de");
        assert_eq!(heard("ok", among(&["fr", "en"], Some("fr"))).language, "fr");
        let nothing = heard(" [BLANK_AUDIO] ", LanguageHint::ANY);
        assert_eq!((nothing.text.reveal(), nothing.uncertain), ("", Some(Uncertainty::NoSpeech)));
        assert!(nothing.segments.is_empty());
    }

    #[test]
    fn answers_of_many_servers_are_read() {
        let text = " Guten Tag.";
        let piece = |more: Value| {
            let mut piece = json!({ "id": 0, "start": 0.0, "end": 1.5, "text": text });
            piece.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            json!([piece])
        };
        let doubts = json!({ "avg_logprob": -0.3, "no_speech_prob": 0.02 });
        for (server, body) in [
            (
                "whisper.cpp",
                json!({ "text": text, "language": "german", "detected_language": "german",
                "detected_language_probability": 0.99, "segments": piece(doubts.clone()) }),
            ),
            (
                "Groq",
                json!({ "text": text, "language": "German", "x_groq": { "id": "req" },
                "segments": piece(doubts.clone()) }),
            ),
            (
                "vLLM",
                json!({ "text": text, "language": "de", "duration": "2.0", "words": null,
                "segments": piece(json!({ "avg_logprob": null, "no_speech_prob": null })) }),
            ),
            ("speaches", json!({ "text": text, "language": "de", "words": [], "segments": null })),
            ("gpt-4o-transcribe", json!({ "text": text, "usage": { "type": "tokens" } })),
            (
                "Voxtral",
                json!({ "text": text, "language": null, "model": "voxtral", "segments": [],
                "usage": {} }),
            ),
            (
                "LocalAI",
                json!({ "text": text,
                "segments": piece(json!({ "end": 1_500_000_000_u64, "tokens": [1] })) }),
            ),
            (
                "faster-whisper",
                json!({ "text": text, "language": "de",
                "segments": piece(json!({ "end": 30.0, "avg_logprob": -0.3 })) }),
            ),
        ] {
            let heard = judged(&body, among(&["de", "en"], Some("de")));
            assert_eq!(
                (heard.text.reveal(), heard.language.as_str()),
                ("Guten Tag.", "de"),
                "{server}"
            );
            assert_eq!((heard.uncertain, heard.segments.len()), (None, 1), "{server}");
            let ends = heard.segments[0].end_ms;
            assert!((1_500.0..=3_000.0).contains(&ends), "{server}: {ends}");
        }
    }

    #[test]
    fn doubts_reach_the_gate() {
        let check = |text: &str, language: &str, logprob: f64, no_speech: f64, expected| {
            let segment =
                json!({ "text": text, "avg_logprob": logprob, "no_speech_prob": no_speech });
            let body = json!({ "text": text, "language": language, "segments": [segment] });
            let heard = judged(&body, among(&["en", "es"], None));
            assert_eq!(heard.uncertain, expected, "{text}");
        };
        check("A table for two.", "english", -0.3, 0.1, None);
        check("A table for two.", "en", -1.3, 0.1, Some(Uncertainty::LowProbability));
        check("A table.", "english", -1.3, 0.9, Some(Uncertainty::NoSpeech));
        check("A table.", "english", -0.3, 0.9, None);
        check("Thanks for watching!", "english", -0.3, 0.5, Some(Uncertainty::NoSpeech));
        check("Ein Tisch für zwei.", "german", -0.3, 0.1, Some(Uncertainty::OtherLanguage));
        check(&"no ".repeat(30), "english", -0.1, 0.1, Some(Uncertainty::Repetition));
    }

    #[test]
    fn what_is_no_transcript_is_named() {
        for (body, words) in [
            ("<html><title>Log in</title>", "sent a web page: Log in instead"),
            ("{\"error\": \"no such model\"}", "sent text: no such model instead"),
            ("{\"text\": null}", "sent text: no message instead"),
            ("hello", "sent text: hello instead"),
            ("", "sent text: no message instead"),
        ] {
            let error = ServerTranscript::read(body.as_bytes(), Redactor::default()).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
