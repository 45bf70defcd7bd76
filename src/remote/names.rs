//! Finds what may be the name of a person among a server's words.
//!
//! Nobody can list all names, so the words are listed with which servers speak of errors; any other
//! word with a capital goes. Invariant: a name that is written as one never passes, and codes and
//! small letters always do.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::words::is_address;

/// Words of errors. One that is missing costs the operator a word.
static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split(' ').collect());
const WORDS: &str = "\
    a aac accept access account accounts action active address after agent ai all amr an apache \
    api app application are argument array at attempt attention audio auth authentication \
    authorization azure backend bad be bearer because been before being blocked body boolean \
    broken bsuid bunny business busy but by bye bytes cache call calls can cannot capacity captive \
    card cards certificate challenge channel chat check choose client close closed cloud \
    cloudflare cluster code company completion completions concurrent config configuration \
    conflict connect connection contact contacts content context could country cpu crashed create \
    credential credentials credit credits cuda current customer data database date day dead decode \
    decoder decoding default deleted delivered delivery demand denied denies deny denying \
    dependency deployment destination details device did dimension disabled display do document \
    does domain down download due duplicate each early eleven email empty encode encoder encoding \
    end engine entity environment envoy error errors evaluation exceeded exception existing \
    expected expired facebook fail failed failure false feature fetch field file filter filtered \
    flac flagged flow flows for forbidden format forward found from full function gateway gemini \
    generation generic get given go gone google gpu graph graphql groq group groups guest harm has \
    have header hello here hi history hold home host hourly hours how however html http https hub \
    hung i id idle ids if illegal image in incomplete incorrect index inference input instance \
    insufficient integer internal interrupted into invalid is it item its job json json5 kernel \
    key labs landing language large last later layer left length less licence license like limit \
    limited limits line link list llm load loaded loading local location locked log logged login \
    logs long loop lost low make malformed management manager many mapping mark marketing match \
    max maximum maybe media memory message messages messaging meta method mime min minimum missing \
    mistral mode model models moderation module more most moved mpeg multipart must my name nan \
    need negative network never new next nginx no none nor not note nothing notice now null number \
    numbers nvidia oauth object of off ogg ok old ollama on once one only oom open openai \
    operation operator option optional opus or organization origin other our out output over \
    overflow overload overloaded own page pair param parameter parameters parse part pass path \
    payload payment pending permanently permission permissions phone photo picture pipeline place \
    plan platform please policy pool port portal post precondition prefix premature previous \
    priority private process processing product profile project prompt protected protocol provide \
    provided provider proxy put quality query queue queued quick quota range rate raw re reached \
    read reason received recipient reduce refusal refused refuses region regional register \
    registered registration rejected reload remote removed rename reply request requested requests \
    required reset resource resources response restricted retrieve retry returned returning rich \
    role root router run running runtime safety sample save scheduler schema scope second seconds \
    secret secure see select self send sender sending sent sequence server service serving session \
    set sha short should shutdown sign since single size skipped slot slow small so socket some \
    something sound source space spam specified specify speech squid ssl stack start state status \
    sticker still stop stopped storage store stream streaming streams string submit subscription \
    success such support supported switch syntax system table take target task tasks teapot \
    temperature template temporarily temporary text than thank thanks that the then there these \
    they this thought thread three throttled throttling throughput tier time timed timeout \
    timestamp title tls to today token tokens too tool tools top total trace track traefik \
    transcription transfer trial true try trying tts two type unable unauthorized unavailable \
    undeliverable under unexpected unit unknown unprocessable unreachable unrecognized unsupported \
    until unusual up update upgrade upload upstream uri url usage use used user users uses using \
    valid validation value values varnish verification verify version via video view violation \
    voice voices waba wait warning was wav we web webhook welcome were whatever whats when where \
    which while whisper whole why will window with within word worker workers workspace would \
    write wrong xml yaml you your zero";

/// Capitals in a row that are a shortening, such as `SSL`.
const SHORT: usize = 3;

/// Marks names: up to three capitalised words right before an e-mail address, whose it is, and
/// every word with a capital, or of a script that has none, that is not of errors.
pub(super) fn mark(words: &[&str], removed: &mut [bool]) {
    for at in (0..words.len()).filter(|at| is_address(words[*at])) {
        let capital = |word: &&str| word.trim_start_matches('"').starts_with(char::is_uppercase);
        let names = words[..at].iter().rev().take(3).take_while(|word| capital(word)).count();
        removed[at - names..at].fill(true);
    }
    for (word, removed) in words.iter().zip(removed) {
        *removed |= may_name(word);
    }
}

fn may_name(word: &str) -> bool {
    // What holds a digit or `_` is a code or an identifier.
    let is_joined = |c: char| c.is_alphanumeric() || "_-".contains(c);
    let parts = word.split(|c| !is_joined(c));
    let written = parts.filter(|part| !part.contains(|c: char| c.is_numeric() || c == '_'));
    let mut words = written.flat_map(|part| part.split('-')).flat_map(humps);
    words.any(|word| {
        let begins = word.chars().next().is_some_and(|c| c.is_alphabetic() && !c.is_lowercase());
        let shortening = word.chars().count() <= SHORT && word.chars().all(char::is_uppercase);
        begins && !shortening && !KNOWN.contains(word.to_lowercase().as_str())
    })
}

/// Splits before each capital that follows a small letter: `OpenAI` is two words.
fn humps(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let mut before = rest.chars().next()?;
        let end = rest.char_indices().skip(1).find_map(|(at, c)| {
            let begins = c.is_uppercase() && before.is_lowercase();
            before = c;
            begins.then_some(at)
        });
        let (hump, later) = rest.split_at(end.unwrap_or(rest.len()));
        rest = later;
        Some(hump)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_marked_and_words_of_errors_are_not() {
        for name in [
            "Maria",
            "González,",
            "(Müller)",
            "O'Brien",
            "McDonald",
            "Anne-Marie",
            "ÖZGE",
            "from:Ann",
            "Ann\u{1b}[31m",
        ] {
            assert!(may_name(name), "{name}");
        }
        for name in ["张伟", "Αθηνά", "محمد", "\u{938}\u{940}\u{924}\u{93e}"] {
            assert!(may_name(name), "{name}");
        }
        for word in [
            "(#131000)",
            "Something",
            "BadRequestError:",
            "OpenAI",
            "WhatsApp",
            "OAuthException",
            "RESOURCE_EXHAUSTED",
            "SSL",
            "HTTP",
            "qwen3-Coder",
            "modèle",
            "Model",
            "I",
            "",
        ] {
            assert!(!may_name(word), "{word}");
        }
    }
}
