//! What one answer cost: as its server told it, else an estimate.

use serde_json::Value;

use crate::agent::Usage;

/// Most tokens that are believed of one answer: far more than any model has room for.
const MOST_TOKENS: u64 = 1 << 32;
/// Bytes of an answer that an estimate takes for a token.
const TOKEN_BYTES: usize = 3;

/// Counts one answer while it comes.
#[derive(Debug, Default)]
pub(super) struct AnswerCount {
    /// What the question costs, by our estimate, where the server tells nothing.
    pub(super) prompt_tokens: u64,
    told: Option<Usage>,
    /// Bytes so far, thoughts and calls of tools included.
    written: usize,
}

impl AnswerCount {
    /// Takes what a chunk says of it, and how many bytes the model wrote in it.
    pub(super) fn hear(&mut self, told: Option<Usage>, written: usize) {
        self.told = told.or(self.told);
        self.written += written;
    }

    /// Returns what the answer cost; without the server's word an estimate, if the model `wrote`.
    pub(super) fn end(&mut self, wrote: bool) -> Option<Usage> {
        let estimate = || Usage {
            prompt_tokens: self.prompt_tokens,
            completion_tokens: self.written.div_ceil(TOKEN_BYTES) as u64,
            estimated: true,
            ..Usage::default()
        };
        self.told.take().or_else(|| wrote.then(estimate))
    }
}

/// Reads what an answer cost. Cached tokens are told by `OpenAI`, vLLM and `OpenRouter` in details of
/// the prompt's, by `DeepSeek` and Moonshot beside them. Gemini and xAI leave thoughts out of
/// `completion_tokens` and have them in the total, which is what is paid.
pub(super) fn told(value: &Value) -> Option<Usage> {
    let count = |value: &Value| value.as_u64().map(|tokens| tokens.min(MOST_TOKENS));
    let prompt = count(&value["prompt_tokens"]);
    let completion = count(&value["completion_tokens"]);
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    let (prompt_tokens, answer) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    let cached = [
        &value["prompt_tokens_details"]["cached_tokens"],
        &value["prompt_cache_hit_tokens"],
        &value["cached_tokens"],
    ];
    let cached = cached.into_iter().find_map(count).unwrap_or(0);
    let total = count(&value["total_tokens"]).filter(|_| prompt.is_some()).unwrap_or(0);
    Some(Usage {
        prompt_tokens,
        cached_tokens: cached.min(prompt_tokens),
        completion_tokens: answer.max(total.saturating_sub(prompt_tokens)),
        estimated: false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOLD: Usage =
        Usage { prompt_tokens: 7, cached_tokens: 0, completion_tokens: 3, estimated: false };

    #[test]
    fn cached_tokens_are_found_where_servers_put_them() {
        for details in [
            json!({ "prompt_tokens_details": { "cached_tokens": 5, "audio_tokens": 0 } }),
            json!({ "prompt_tokens_details": null, "prompt_cache_hit_tokens": 5 }),
            json!({ "cached_tokens": 5 }),
        ] {
            let mut usage = details.clone();
            usage["prompt_tokens"] = 7.into();
            usage["completion_tokens"] = 3.into();
            assert_eq!(told(&usage), Some(Usage { cached_tokens: 5, ..TOLD }), "{details}");
        }
    }

    #[test]
    fn odd_counts_are_bounded_and_thoughts_are_paid() {
        let odd = json!({ "prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 30,
            "cached_tokens": 99 });
        let expected = Usage { cached_tokens: 7, completion_tokens: 23, ..TOLD };
        assert_eq!(told(&odd), Some(expected));
        let many = json!({ "prompt_tokens": u64::MAX, "completion_tokens": u64::MAX });
        let bounded = told(&many).unwrap();
        assert_eq!((bounded.prompt_tokens, bounded.completion_tokens), (MOST_TOKENS, MOST_TOKENS));
        assert_eq!(told(&json!({ "prompt_tokens": -1, "completion_tokens": 0.5 })), None);
    }

    #[test]
    fn what_nobody_told_is_estimated_if_there_was_an_answer() {
        let mut count = AnswerCount { prompt_tokens: 40, ..AnswerCount::default() };
        count.hear(None, 7);
        let estimate = Usage { prompt_tokens: 40, completion_tokens: 3, ..Usage::default() };
        assert_eq!(count.end(false), None);
        assert_eq!(count.end(true), Some(Usage { estimated: true, ..estimate }));
        count.hear(Some(TOLD), 0);
        count.hear(None, 4);
        assert_eq!(count.end(true), Some(TOLD));
    }
}
