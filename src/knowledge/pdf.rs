//! Reads PDF files: their text, page by page.
//!
//! A file may be anything: a small one can claim gigabytes, and the crate that reads it panics on some.
//! So the program reads it in a process of its own, with limited memory and time, which its end frees;
//! a panic costs the file. Where there is no program, as in a library, a thread has to do.

use std::io::{self, Read, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::sections::Sections;
use super::source::Passage;

/// Longest time that one file is read.
const PATIENCE: Duration = Duration::from_secs(30);
/// Most memory that the process may have for it, its program included.
const MEMORY_BYTES: u64 = 1 << 30;
/// Pages of one file.
const PAGES: usize = 5_000;
/// Most bytes of text of one file, as JSON.
const TEXT_BYTES: u64 = 128 << 20;
/// Bytes within which a file says that it is a PDF.
const HEAD: usize = 1024;
/// Deep structures are read on the stack.
const STACK_BYTES: usize = 16 << 20;

/// The hidden command of the program that reads a file from stdin.
pub const PDF_COMMAND: &str = "read-pdf";

/// The program that has it.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Lets this program read files from now on, by its command [`PDF_COMMAND`].
pub fn read_pdf_by(program: PathBuf) {
    let _known_already = PROGRAM.set(program);
}

/// Reads a file from stdin and writes its pages to stdout, as JSON. For a process of its own, whose
/// memory it limits.
///
/// # Errors
/// What is wrong with the file and what helps.
pub fn read_pdf_here() -> Result<(), String> {
    limit_memory();
    let mut contents = Vec::new();
    let unread = |error: io::Error| format!("cannot be read now: {error}");
    io::stdin().read_to_end(&mut contents).map_err(unread)?;
    let pages = in_thread(contents)?;
    // On a line of its own, behind whatever the crate may have printed.
    let json = serde_json::to_string(&pages).expect("texts are JSON");
    writeln!(io::stdout(), "\n{json}").map_err(unread)
}

#[cfg(target_os = "linux")]
fn limit_memory() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Rlimit { current: Some(MEMORY_BYTES), maximum: Some(MEMORY_BYTES) };
    if let Err(error) = setrlimit(Resource::As, limit) {
        tracing::warn!(%error, "a PDF file is read without a limit of memory");
    }
}

#[cfg(not(target_os = "linux"))]
fn limit_memory() {}

/// Reads a file. The error says what is wrong and what helps.
pub(super) fn passages(contents: &[u8]) -> Result<Vec<Passage>, String> {
    if !contents[..contents.len().min(HEAD)].windows(5).any(|five| five == b"%PDF-") {
        return Err("is no PDF file, whatever its name says".to_owned());
    }
    let contents = contents.to_vec();
    let pages = match PROGRAM.get() {
        Some(program) => in_process(program, contents)?,
        None => in_thread(contents)?,
    };
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

/// Reads pages in a process that is killed when it takes too long.
fn in_process(program: &PathBuf, contents: Vec<u8>) -> Result<Vec<String>, String> {
    let mut command = Command::new(program);
    command.arg(PDF_COMMAND).env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let unread = |error: io::Error| format!("cannot be read now: {error}");
    let mut child = command.spawn().map_err(unread)?;
    let told = converse(&mut child, contents);
    // It has ended, or must.
    let _ended = child.kill();
    let status = child.wait().map_err(unread)?;
    let (pages, said) = told?;
    let pages = pages.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice(pages) {
        Ok(pages) if status.success() => Ok(pages),
        // What the command says of the file is a line with the way out.
        _ => Err(match String::from_utf8_lossy(&said).lines().last() {
            Some(line) if status.code() == Some(1) => line.trim_start_matches("hark: ").to_owned(),
            _ => format!(
                "takes more than {} MiB of memory to read: save it anew, or in parts",
                MEMORY_BYTES >> 20
            ),
        }),
    }
}

/// Gives a child a file and takes what it writes to stdout and stderr.
fn converse(child: &mut Child, contents: Vec<u8>) -> Result<(Vec<u8>, Vec<u8>), String> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("cannot be read now: its process has no pipes".to_owned());
    };
    let (done, wait) = mpsc::sync_channel(2);
    let failed = |error: io::Error| format!("cannot be read now: {error}");
    let spawn = |work: Box<dyn FnOnce() + Send>| {
        thread::Builder::new().name("pdf".to_owned()).spawn(work).map(drop).map_err(failed)
    };
    // A child that dies reads no more.
    spawn(Box::new(move || drop(stdin.write_all(&contents))))?;
    let take = |from: Box<dyn Read + Send>, is_said: bool| {
        let done = done.clone();
        spawn(Box::new(move || {
            let mut taken = Vec::new();
            let read = from.take(TEXT_BYTES).read_to_end(&mut taken);
            let _late = done.send((is_said, read.map(|_bytes| taken)));
        }))
    };
    take(Box::new(stdout), false)?;
    take(Box::new(stderr), true)?;
    let mut told = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let (is_said, taken) = wait.recv_timeout(PATIENCE).map_err(too_long)?;
        *if is_said { &mut told.1 } else { &mut told.0 } = taken.map_err(failed)?;
    }
    Ok(told)
}

/// Reads pages on a thread that is left alone when it takes too long.
fn in_thread(contents: Vec<u8>) -> Result<Vec<String>, String> {
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
    wait.recv_timeout(PATIENCE).map_err(too_long)?
}

fn too_long(_: RecvTimeoutError) -> String {
    format!("takes more than {} s to read: save it anew", PATIENCE.as_secs())
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
