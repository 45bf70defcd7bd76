//! Takes out of a transcript what whisper writes of sounds: `[Music]`, `(knocking)`, `*BANG*`, notes.
//!
//! Pure: text in, text out, in linear time. Square brackets are never words. Round ones may be, as
//! in "basic (alkaline)" and "(416) 555", so they are taken out only where `cues` knows what is in
//! them, or where nothing else was said.

use std::ops::Range;

use super::cues;

/// Most words that a tag without its other half takes with it; more are words after all.
const HALF: usize = 5;

/// Most bytes of a tag that is judged by its words.
const TAG: usize = 120;

/// Returns `text` without sounds; nothing if no words are left.
pub(in crate::stt) fn without_sounds(text: &str) -> String {
    cut(text, &sounds(text), 0)
}

/// Returns the segments of one text without its sounds. A tag may begin in one and end in another.
pub(in crate::stt) fn segments_without_sounds(segments: &[&str]) -> Vec<String> {
    let sounds = sounds(&segments.concat());
    let mut from = 0;
    let segments = segments.iter().map(|segment| {
        let at = from;
        from += segment.len();
        cut(segment, &sounds, at)
    });
    segments.collect()
}

/// Returns whether `text` has anything that can be read out.
pub(super) fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// Returns `text`, which begins at `at` of the text that `sounds` are places of, without them.
fn cut(text: &str, sounds: &[Range<usize>], at: usize) -> String {
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    let local = |place: usize| place.saturating_sub(at).min(text.len());
    let begin = sounds.partition_point(|sound| sound.end <= at);
    for sound in sounds[begin..].iter().take_while(|sound| sound.start < at + text.len()) {
        join(&mut left, &text[from..local(sound.start).max(from)]);
        from = local(sound.end).max(from);
    }
    join(&mut left, &text[from..]);
    // What ended the sentence that was a sound.
    let left =
        if from > 0 { left.trim_start_matches(['.', ',', ';', '!', '?', ' ']) } else { &left };
    let letters = || left.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    if !has_words(left) || letters().eq("blankaudio".chars()) {
        return String::new();
    }
    left.trim().to_owned()
}

/// Adds `next` to `left`, with one space where both have one and none before a comma.
fn join(left: &mut String, next: &str) {
    if next.starts_with([',', '.', ';', ':', '!', '?']) {
        left.truncate(left.trim_end().len());
    }
    let both = left.is_empty() || left.ends_with(char::is_whitespace);
    left.push_str(if both { next.trim_start() } else { next });
}

/// Returns where the sounds are, in order and apart.
fn sounds(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let square =
        pairs(text, |c| matches!(c, '[' | '［' | '【'), |c| matches!(c, ']' | '］' | '】'));
    found.extend(square.pairs.iter().cloned());
    found.extend(square.halves(text, |_| true));
    let round = pairs(text, |c| matches!(c, '(' | '（'), |c| matches!(c, ')' | '）'));
    let is_cue = |range: &Range<usize>| range.len() <= TAG && cues::is_cue(&text[range.clone()]);
    found.extend(round.pairs.iter().filter(|range| is_cue(range)).cloned());
    found.extend(round.halves(text, |range| is_cue(&range)));
    found.extend(starred(text));
    found.extend(sung(text));
    found.extend(blanks(text));
    let found = merged(found);
    // Nothing is said beside them.
    let all = merged(found.iter().chain(&round.pairs).cloned().collect());
    if has_words(&cut(text, &all, 0)) { found } else { all }
}

/// Joins ranges that overlap.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// Holds the brackets of one kind.
struct Brackets {
    /// From opening to closing ones, both included; inner ones before outer ones.
    pairs: Vec<Range<usize>>,
    /// End of the last closing one that nothing opened.
    closed: Option<usize>,
    /// Start of the first opening one that nothing closes.
    open: Option<usize>,
}

fn pairs(text: &str, opens: impl Fn(char) -> bool, closes: impl Fn(char) -> bool) -> Brackets {
    let (mut starts, mut pairs, mut closed) = (Vec::new(), Vec::new(), None);
    for (at, c) in text.char_indices() {
        if opens(c) {
            starts.push(at);
        } else if closes(c) {
            let end = at + c.len_utf8();
            match starts.pop() {
                Some(start) => pairs.push(start..end),
                None => closed = Some(end),
            }
        }
    }
    Brackets { pairs, closed, open: starts.first().copied() }
}

impl Brackets {
    /// Returns the tags whose other half is missing, since a window of sound ended in it: a few
    /// words at the beginning or the end. Of more words only the bracket is taken.
    fn halves(&self, text: &str, is_tag: impl Fn(Range<usize>) -> bool) -> Vec<Range<usize>> {
        let head = self.closed.map(|end| 0..end);
        let tail = self.open.map(|start| start..text.len());
        let few = |range: &Range<usize>| {
            text[range.clone()].split_whitespace().nth(HALF).is_none() && is_tag(range.clone())
        };
        head.into_iter().chain(tail).filter(few).collect()
    }
}

/// Returns what stands between asterisks: `*sighs*`, not `2 * 3` and not `f***`.
fn starred(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    let mut before = ' ';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '*' {
            before = c;
            continue;
        }
        while chars.next_if(|(_, next)| *next == '*').is_some() {}
        let (end, after) = chars.peek().map_or((text.len(), ' '), |(end, next)| (*end, *next));
        match open.filter(|_| !before.is_whitespace() && !after.is_alphanumeric()) {
            Some(start) => {
                found.push(start..end);
                open = None;
            }
            None if after.is_alphanumeric() && !before.is_alphanumeric() => open = Some(at),
            None => {}
        }
        before = '*';
    }
    found.extend(open.map(|start| start..text.len()));
    found.retain(|range| text[range.clone()].split_whitespace().nth(HALF).is_none());
    found
}

/// Returns the notes and what is sung between two of them.
fn sung(text: &str) -> Vec<Range<usize>> {
    let is_note = |c: char| matches!(c, '♩'..='♬' | '🎵' | '🎶' | '🎼' | '𝄞');
    let mut found = Vec::new();
    let mut open = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if is_note(c) {
            let end = at + c.len_utf8();
            found.push(at..end);
            // Notes side by side are one mark.
            if !is_note(before) {
                match open.take() {
                    Some(start) => found.push(start..end),
                    None => open = Some(at),
                }
            }
        }
        before = c;
    }
    let few = |start: &usize| text[*start..].split_whitespace().nth(HALF).is_none();
    found.extend(open.filter(few).map(|start| start..text.len()));
    found
}

/// Returns whisper's own word for silence, which no one says in this spelling.
fn blanks(text: &str) -> Vec<Range<usize>> {
    let start = |word: &str| word.as_ptr().addr() - text.as_ptr().addr();
    let is_blank = |word: &&str| {
        let letters = word.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase());
        letters.eq("blankaudio".chars())
    };
    let words = text.split_whitespace().filter(is_blank);
    words.map(|word| start(word)..start(word) + word.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(without_sounds(text), expected, "{text}");
    }

    #[test]
    fn sounds_alone_are_no_words() {
        for text in [
            "",
            " ",
            "...",
            "[Music]",
            "[BLANK_AUDIO]",
            " [ Silence ]",
            "BLANK_AUDIO",
            "blank audio.",
            "(blank_audio)",
            "[Blank Audio]",
            "(knocking)",
            "(in the distance)",
            "*BANG*",
            "*sighs* ",
            "♪ ♪",
            "🎵🎶",
            "♪ la la la ♪",
            "♪ we are the ♪ ♪ and so on we go my friend ♪",
            "[music",
            "Musik]",
            "[[Musik]]",
            "[Musik] (Gelächter) *Knall*",
            "(Música suave) [Risas]",
            "【音乐】",
            "（笑）",
            "(((applause)))",
            "[",
            "] [",
            "♪",
            "**",
            "[♪♪♪]",
            "(upbeat music) (upbeat music)",
        ] {
            check(text, "");
        }
    }

    #[test]
    fn words_beside_sounds_are_kept() {
        check("[Music] Hello there.", "Hello there.");
        check("(laughs) Yes, (coughs) please.", "Yes, please.");
        check("Hello *knock knock* is anyone there?", "Hello is anyone there?");
        check("♪ tra la la ♪ Hola, ¿están abiertos? ♪ tra ♪", "Hola, ¿están abiertos?");
        check("[Musik]. Guten Tag [Klopfen] zusammen [Musik", "Guten Tag zusammen");
        check("Oui (rires) bien sûr.", "Oui bien sûr.");
        check("Bom dia (música de fundo), quero dois.", "Bom dia, quero dois.");
        check("BLANK_AUDIO Are you open?", "Are you open?");
        check("[a [b] c] yes", "yes");
    }

    #[test]
    fn parentheses_and_asterisks_of_speech_are_words() {
        for text in [
            "The water is basic (alkaline).",
            "Call (416) 555 0101.",
            "two * three * four",
            "f***ing",
            "a table (for four people)",
            "the music (by Bach) was good",
            "el curso (de música barroca)",
            "we sell records (music from the sixties)",
            "(yes) I said yes",
            "la maison (bleue) :)",
            "1) the first 2) the second",
            "Ich habe Fieber (und Husten seit gestern)",
            "5* hotel",
            "der Plan (siehe oben",
            "go to settings (click save)",
            "♪",
        ] {
            check(text, if text == "♪" { "" } else { text });
        }
    }

    #[test]
    fn a_bracket_without_its_other_half_takes_a_few_words_only() {
        let words = "I would like to book a table for four";
        check(&format!("[{words}"), &format!("[{words}"));
        check(&format!("{words}] please"), &format!("{words}] please"));
        check(&format!("*{words}*"), &format!("*{words}*"));
        check(&format!("♪ {words}"), words);
        check(&format!("{words} [sof"), words);
        check(&format!("{words} (laugh"), words);
    }

    #[test]
    fn a_tag_may_begin_in_one_segment_and_end_in_another() {
        let segments =
            [" Hello. [soft", " and very quiet piano music of", " the sea] Bye.", " [x]"];
        assert_eq!(segments_without_sounds(&segments), ["Hello.", "", "Bye.", ""]);
        assert_eq!(segments_without_sounds(&[" (kno", "cking)", " *B", "ANG*"]), ["", "", "", ""]);
        assert_eq!(segments_without_sounds(&["(yes", ") I", ""]), ["(yes", ") I", ""]);
        assert!(segments_without_sounds(&[]).is_empty());
    }

    #[test]
    fn long_hostile_text_takes_linear_time() {
        for piece in ["[", "]", "(", ")", "()", "*a", "♪a", "* ", "([*♪", "(laughs", "a) ", "[a] "]
        {
            let text = piece.repeat(20_000);
            let left = without_sounds(&text);
            assert!(left.len() <= text.len());
        }
    }
}
