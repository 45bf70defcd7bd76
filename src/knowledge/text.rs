//! Makes text of a file's bytes, as spreadsheets and editors of any country write them.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

/// Says how to get a file that is read.
const SAVE_AS: &str = "save it as \"CSV UTF-8\" (or as text in UTF-8)";

/// Returns the text of `contents`: UTF-8, UTF-16 with its mark, or the encoding that its letters
/// make likely. The error is a reason and a fix.
pub(super) fn text(contents: &[u8]) -> Result<String, String> {
    if contents.starts_with(b"PK\x03\x04") || contents.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(format!("this is a spreadsheet or a document, not text: {SAVE_AS}"));
    }
    let (encoding, mark) = Encoding::for_bom(contents).unwrap_or((likely(contents), 0));
    let (text, broken) = encoding.decode_without_bom_handling(&contents[mark..]);
    if broken || text.contains('\0') {
        return Err(format!("its letters cannot be read: {SAVE_AS}"));
    }
    Ok(text.into_owned())
}

/// Returns the text of a file in UTF-8 with lines that are not, as some programs append to one, and the
/// numbers of these; `None` for any other file.
pub(super) fn mixed(contents: &[u8]) -> Option<(String, Vec<u64>)> {
    let contents = match Encoding::for_bom(contents) {
        Some((encoding, mark)) if encoding == UTF_8 => &contents[mark..],
        Some(_) => return None,
        None => contents,
    };
    if contents.contains(&0) {
        return None;
    }
    let lines: Vec<&[u8]> = contents.split_inclusive(|byte| *byte == b'\n').collect();
    let is_utf8 = |line: &[u8]| std::str::from_utf8(line).is_ok();
    let (mut others, mut letters) = (Vec::new(), 0);
    for (line, number) in lines.iter().zip(1..) {
        if !is_utf8(line) {
            others.push(number);
        } else if !line.is_ascii() {
            letters += 1;
        }
    }
    // Of a file in another encoding hardly a line is UTF-8 by chance.
    if others.is_empty() || letters < others.len() {
        return None;
    }
    let of_others: Vec<u8> =
        lines.iter().filter(|line| !is_utf8(line)).copied().flatten().copied().collect();
    let encoding = likely(&of_others);
    let read = |line: &&[u8]| match std::str::from_utf8(line) {
        Ok(line) => line.to_owned(),
        Err(_) => encoding.decode_without_bom_handling(line).0.into_owned(),
    };
    Some((lines.iter().map(read).collect(), others))
}

fn likely(contents: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(contents).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(contents, true);
    detector.guess(None, Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{SHIFT_JIS, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253};

    use super::*;

    #[test]
    fn files_of_every_country_are_read() {
        for (encoding, written) in [
            (WINDOWS_1252, "question,answer\r\nWann öffnen Sie?,Wir öffnen um neun.\r\n"),
            (WINDOWS_1252, "pregunta;respuesta\n¿Cuándo abren?;Mañana, a las nueve.\n"),
            (WINDOWS_1252, "nom;prix\nThé glacé;3,50 €\nCafé crème;2,80 €\n"),
            (WINDOWS_1252, "pergunta;resposta\nVocês abrem amanhã?;Não, só na terça.\n"),
            (WINDOWS_1250, "pytanie;odpowiedź\nCzy są państwo otwarci?;Tak, od dziewiątej.\n"),
            (WINDOWS_1251, "вопрос;ответ\nКогда вы открываетесь?;В девять утра.\n"),
            (WINDOWS_1253, "ερώτηση;απάντηση\nΠότε ανοίγετε;Στις εννέα το πρωί.\n"),
            (SHIFT_JIS, "質問,回答\n営業時間は何時からですか。,九時に開きます。\n"),
        ] {
            let (bytes, _, broken) = encoding.encode(written);
            assert!(!broken);
            assert_eq!(text(&bytes).as_deref(), Ok(written), "{}", encoding.name());
        }
    }

    #[test]
    fn marks_tell_the_encoding() {
        assert_eq!(text(b"\xef\xbb\xbfa\xc3\xb6").as_deref(), Ok("aö"));
        assert_eq!(text(b"\xff\xfea\0\xf6\0").as_deref(), Ok("aö"));
        assert_eq!(text(b"\xfe\xff\0a\0\xf6").as_deref(), Ok("aö"));
        assert_eq!(text(b"").as_deref(), Ok(""));
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_fix() {
        for broken in
            [&b"PK\x03\x04..."[..], b"\xd0\xcf\x11\xe0.", b"a\0b", b"\xff\xfea\0\x00\xd8x"]
        {
            assert!(text(broken).unwrap_err().contains("CSV UTF-8"), "{broken:?}");
        }
    }
}
