//! Reads PDF files: their text, page by page.
//!
//! A file may be anything, and the crate that reads it panics on some: it runs on a thread of its own,
//! for a limited time, and a panic costs the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::sections::Sections;
use super::source::Passage;

/// Longest time that one file is read.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pages of one file.
const PAGES: usize = 5_000;
/// Bytes within which a file says that it is a PDF.
const HEAD: usize = 1024;
/// Deep structures are read on the stack.
const STACK_BYTES: usize = 16 << 20;

/// Reads a file. The error says what is wrong and what helps.
pub(super) fn passages(contents: &[u8]) -> Result<Vec<Passage>, String> {
    if !contents[..contents.len().min(HEAD)].windows(5).any(|five| five == b"%PDF-") {
        return Err("is no PDF file, whatever its name says".to_owned());
    }
    let contents = contents.to_vec();
    let (done, wait) = mpsc::sync_channel(1);
    let read = move || {
        let pages = || pdf_extract::extract_text_from_mem_by_pages(&contents);
        let read = match catch_unwind(AssertUnwindSafe(pages)) {
            Ok(Ok(pages)) => Ok(pages),
            Ok(Err(error)) => Err(format!("cannot be read as PDF: {error}; save it anew")),
            Err(_panic) => Err("cannot be read as PDF: it is damaged; save it anew".to_owned()),
        };
        // Nobody waits any more for what took too long.
        let _late = done.send(read);
    };
    let thread = thread::Builder::new().name("pdf".to_owned()).stack_size(STACK_BYTES);
    thread.spawn(read).map_err(|error| format!("cannot be read now: {error}"))?;
    let too_long = |_| format!("takes more than {} s to read: save it anew", PATIENCE.as_secs());
    let pages = wait.recv_timeout(PATIENCE).map_err(too_long)??;
    let mut sections = Sections::default();
    for (place, page) in pages.iter().take(PAGES).enumerate() {
        sections.begin(format!("page {}", place + 1));
        for line in page.lines() {
            if line.trim().is_empty() {
                sections.end_paragraph();
            }
            sections.line(line, false);
        }
    }
    let passages = sections.finish();
    if passages.is_empty() {
        let scanned = "has no text: it is probably scanned. Let a program for text recognition (OCR), \
                       for instance ocrmypdf, go over it first";
        return Err(scanned.to_owned());
    }
    Ok(passages)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PDF file with a page for each of these texts.
    fn pdf(pages: &[&str]) -> Vec<u8> {
        let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned()];
        let kids: Vec<String> = (0..pages.len()).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
        let (kids, count) = (kids.join(" "), pages.len());
        objects.push(format!("<< /Type /Pages /Kids [{kids}] /Count {count} >>"));
        objects.push("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned());
        for (n, text) in pages.iter().enumerate() {
            let box_ = "/MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >>";
            let content = 5 + 2 * n;
            objects.push(format!("<< /Type /Page /Parent 2 0 R {box_} /Contents {content} 0 R >>"));
            let stream = format!("BT /F1 12 Tf 50 700 Td ({text}) Tj ET");
            objects.push(format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()));
        }
        let mut file = b"%PDF-1.4\n".to_vec();
        let mut places = Vec::new();
        for (n, object) in objects.iter().enumerate() {
            places.push(file.len());
            file.extend(format!("{} 0 obj\n{object}\nendobj\n", n + 1).bytes());
        }
        let (start, size) = (file.len(), objects.len() + 1);
        file.extend(format!("xref\n0 {size}\n0000000000 65535 f \n").bytes());
        for place in places {
            file.extend(format!("{place:010} 00000 n \n").bytes());
        }
        let trailer =
            format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
        file.extend(trailer.bytes());
        file
    }

    #[test]
    fn pages_are_read_and_named() {
        let read = passages(&pdf(&["We open at nine.", "By card."])).unwrap();
        let read: Vec<_> = read.iter().map(|p| (p.place.as_str(), p.answer.as_str())).collect();
        assert_eq!(read, [("page 1", "We open at nine."), ("page 2", "By card.")]);
    }

    #[test]
    fn a_file_without_text_or_that_is_none_says_what_helps() {
        assert!(passages(&pdf(&[""])).unwrap_err().contains("OCR"));
        assert!(passages(b"<html>").unwrap_err().contains("is no PDF"));
        assert!(passages(b"%PDF-1.4 and nothing").unwrap_err().contains("save it anew"));
    }

    #[test]
    fn a_damaged_file_is_read_or_refused() {
        let whole = pdf(&["We open at nine.", "By card."]);
        for at in (10..whole.len()).step_by(23) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x15;
            damaged.truncate(whole.len() - at % 7);
            if let Err(problem) = passages(&damaged) {
                assert!(problem.contains("save it anew") || problem.contains("OCR"), "{problem}");
            }
        }
    }
}
