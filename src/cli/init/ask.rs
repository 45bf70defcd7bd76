//! The questions on a terminal, and what an answer must look like.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::bail;
use console::Term;
use secrecy::SecretString;
use url::Url;

use crate::turn::LanguageCode;

/// Asks on a terminal; elsewhere it takes defaults and notes the flags that are missing.
pub(super) struct Asker {
    terminal: bool,
    /// The flags without which nothing can be written.
    pub(super) missing: Vec<&'static str>,
}

/// Reads an answer, or says why it cannot be one.
type Reader<T> = fn(&str) -> Result<T, String>;

impl Asker {
    pub(super) fn new(silent: bool) -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Self { terminal: terminal && !silent, missing: Vec::new() }
    }

    /// Asks until there is an answer; where nobody can be asked it notes the flag, and the answer
    /// is empty.
    pub(super) fn must(
        &mut self,
        given: Option<String>,
        flag: &'static str,
        question: &str,
        read: Reader<String>,
    ) -> anyhow::Result<String> {
        if let Some(given) = given {
            return Ok(given);
        }
        while self.can_ask(flag) {
            if let Some(answer) = self.may(None, question, read)? {
                return Ok(answer);
            }
        }
        Ok(String::new())
    }

    /// Asks for what may be left out.
    pub(super) fn may<T>(
        &self,
        given: Option<T>,
        question: &str,
        read: Reader<T>,
    ) -> anyhow::Result<Option<T>> {
        if given.is_some() || !self.terminal {
            return Ok(given);
        }
        loop {
            eprint!("{question}: ");
            let mut line = String::new();
            if std::io::stdin().read_line(&mut line)? == 0 {
                bail!("the input ended before the last question; nothing was written");
            }
            match line.trim() {
                "" => return Ok(None),
                answer => match read(answer) {
                    Ok(answer) => return Ok(Some(answer)),
                    Err(problem) => eprintln!("  {problem}"),
                },
            }
        }
    }

    /// Asks for what has a default.
    pub(super) fn or<T>(
        &self,
        given: Option<T>,
        question: &str,
        default: &str,
        read: Reader<T>,
    ) -> anyhow::Result<T> {
        let answer = self.may(given, &format!("{question} [{default}]"), read)?;
        Ok(answer.unwrap_or_else(|| read(default).expect("a default is an answer")))
    }

    /// Asks for a secret, which is not shown, and may be left out.
    pub(super) fn hidden(&self, question: &str) -> anyhow::Result<Option<SecretString>> {
        if !self.terminal {
            return Ok(None);
        }
        loop {
            eprint!("{question} (not shown): ");
            let typed = Term::stderr().read_secure_line()?;
            match typed.trim() {
                "" => return Ok(None),
                secret => match word(secret) {
                    Ok(secret) => return Ok(Some(secret.into())),
                    Err(problem) => eprintln!("  {problem}"),
                },
            }
        }
    }

    /// Asks for a secret until there is one; as [`Self::must`].
    pub(super) fn must_hidden(
        &mut self,
        flag: &'static str,
        question: &str,
    ) -> anyhow::Result<SecretString> {
        while self.can_ask(flag) {
            if let Some(secret) = self.hidden(question)? {
                return Ok(secret);
            }
        }
        Ok(SecretString::default())
    }

    /// Returns whether somebody can be asked; if not, notes the flag.
    fn can_ask(&mut self, flag: &'static str) -> bool {
        if !self.terminal {
            self.missing.push(flag);
        }
        self.terminal
    }
}

/// Reads an id of Meta's.
pub(super) fn digits(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err("has digits only; it is an id, not the phone number".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads what has no space in it.
pub(super) fn word(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err("must be letters, digits and signs, without a space".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads a name, which may have spaces in it.
pub(super) fn text(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("must be one line of text".to_owned());
    }
    Ok(text.to_owned())
}

/// Reads the path of a file that is there.
pub(super) fn file(text: &str) -> Result<PathBuf, String> {
    std::fs::metadata(text).map_err(|error| error.to_string())?;
    Ok(PathBuf::from(text))
}

/// Reads the address of a server.
pub(super) fn url(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        _ => Err("must begin with https:// or http://".to_owned()),
    }
}

/// Reads a language.
pub(super) fn language(text: &str) -> Result<LanguageCode, String> {
    let code = LanguageCode::from(text);
    if code.is_code() { Ok(code) } else { Err("write a code such as en or pt-BR".to_owned()) }
}
