//! `hark turns`: what was heard, answered, how it ended and why.
//!
//! Looks at the store beside a running service, and needs nothing else of the configuration.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned, civil};

use super::{Context, office, print};
use crate::clock::Clock;
use crate::remote::words::plain;
use crate::store::{Access, SqlStore};
use crate::store::{Archive as _, PartStatus, TurnRow, TurnSearch};
use crate::turn::{Outcome, Personal, Reason, SoundSide, TurnId};

/// Time between two looks at the store, with `--follow`.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Turns that are looked at again for what is new in them, with `--follow`.
const FOLLOWED: usize = 500;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<TurnsCommand>,
    /// Only this contact: user id or phone number in digits.
    #[arg(long, value_name = "C")]
    contact: Option<String>,
    /// Only turns since then: 2h, 3d, 10:30, 2026-11-26 or "2026-11-26 10:30", in local time.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<i64>,
    /// Only turns without an answer, or with a message that was not delivered.
    #[arg(long)]
    failed: bool,
    /// Stay, and print each turn as it ends and each status as it comes.
    #[arg(long)]
    follow: bool,
    /// How many, newest first; with --follow newest last.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print JSON lines; with --follow one each time that something of a turn has changed.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum TurnsCommand {
    /// Write the sound of a turn into a file, as long as it is kept.
    Audio(AudioArguments),
}

#[derive(clap::Args)]
struct AudioArguments {
    /// The turn's id.
    turn: String,
    /// `in`: what the person sent; `out`: the voice note that was sent back.
    #[arg(value_parser = ["in", "out"])]
    side: String,
    /// The file to write; `-` is stdout.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Writes the sound of a turn.
async fn audio(context: &Context, arguments: AudioArguments) -> anyhow::Result<ExitCode> {
    let AudioArguments { turn, side, output } = arguments;
    let side = SoundSide::named(&side).expect("clap has checked it");
    let office = office::open(context)?;
    let file = office.find_audio(&turn, side).await.map_err(office::said)?;
    let mut bytes = office.read_audio(&file, 0..file.bytes).await.map_err(office::said)?;
    // All of it first: no half file is left where it cannot be read.
    let mut whole = Vec::new();
    while let Some(piece) = bytes.next().await {
        whole.extend_from_slice(&piece.context("reading the sound")?);
    }
    if output == Path::new("-") {
        std::io::stdout().write_all(&whole).context("writing to stdout")?;
    } else {
        std::fs::write(&output, &whole).with_context(|| output.display().to_string())?;
        eprintln!("{}: {} bytes, {}", output.display(), file.bytes, file.kind);
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let at = context.config.store.address();
    if !at.may_exist() {
        bail!("there is no store at {at} yet ([store] url); `hark serve` creates it");
    }
    if let Some(TurnsCommand::Audio(arguments)) = arguments.command {
        return audio(context, arguments).await;
    }
    let store = SqlStore::open(&at, Access::Inspect)?;
    let Arguments { contact, since: since_ms, failed, follow, limit, json, .. } = arguments;
    let search = TurnSearch { contact, since_ms, failed, limit, ..TurnSearch::default() };
    let printer = Printer { json, zone: TimeZone::system(), shown: HashMap::new() };
    if follow {
        printer.follow(&store, TurnSearch { limit: FOLLOWED, ..search }, limit).await?;
    } else {
        for row in store.find(search).await? {
            print::line(&printer.whole(&row)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes turns, in local time.
struct Printer {
    json: bool,
    zone: TimeZone,
    /// What is known of the turns that were written or passed over, with `--follow`.
    shown: HashMap<TurnId, Seen>,
}

/// Holds what was written of a turn.
#[derive(Clone, PartialEq)]
struct Seen {
    /// How it ended, if it has.
    end: Option<(Outcome, Option<Reason>)>,
    deliveries: Vec<PartStatus>,
}

impl Seen {
    fn of(row: &TurnRow) -> Self {
        let end = row.report.as_ref().map(|report| (report.outcome, report.reason.clone()));
        Self { end, deliveries: row.deliveries.clone() }
    }
}

impl Printer {
    /// Writes the last `limit` turns, and then what is new, until nobody reads any more.
    async fn follow(
        mut self,
        store: &SqlStore,
        search: TurnSearch,
        limit: usize,
    ) -> anyhow::Result<()> {
        let mut rows = store.find(search.clone()).await?;
        for row in rows.iter().skip(limit) {
            self.shown.insert(row.turn.clone(), Seen::of(row));
        }
        loop {
            // Oldest first.
            for row in rows.iter().rev() {
                for text in self.news(row)? {
                    if !print::is_read(&text)? {
                        return Ok(());
                    }
                }
            }
            self.shown.retain(|turn, _| rows.iter().any(|row| row.turn == *turn));
            tokio::time::sleep(LOOK_AGAIN).await;
            rows = store.find(search.clone()).await?;
        }
    }

    /// Writes what has changed in a turn since it was written.
    fn news(&mut self, row: &TurnRow) -> anyhow::Result<Vec<String>> {
        let now = Seen::of(row);
        let before = self.shown.insert(row.turn.clone(), now.clone());
        if before.as_ref() == Some(&now) {
            return Ok(Vec::new());
        }
        if self.json {
            return Ok(vec![self.whole(row)?]);
        }
        match before {
            _ if now.end.is_none() => Ok(Vec::new()),
            Some(before) if before.end == now.end => {
                let new = row.deliveries.iter().filter(|new| !before.deliveries.contains(new));
                let line = |new| {
                    format!(
                        "{}  turn {}  {}",
                        self.time(row.created_ms),
                        row.turn,
                        self.delivery(new, "")
                    )
                };
                Ok(new.map(line).collect())
            }
            _ => Ok(vec![self.whole(row)?]),
        }
    }

    /// Writes a turn in full.
    fn whole(&self, row: &TurnRow) -> anyhow::Result<String> {
        if self.json {
            return Ok(serde_json::to_string(row)?);
        }
        let who = plain(row.contact.reveal());
        let name = row.name.as_ref().map(|name| format!("{} ", plain(name.reveal())));
        let name = name.unwrap_or_default();
        let began = self.time(row.created_ms);
        let title = format!("{began}  {name}{who} to {}  turn {}", plain(&row.number.0), row.turn);
        let Some(report) = &row.report else {
            return Ok(format!("{title}\n  still running, attempt {}", row.attempt));
        };
        let mut text = print::turn_words(&title, row.heard.as_ref().map(Personal::reveal), report);
        let messages = if row.messages == 1 { "message" } else { "messages" };
        text += &format!("\n  sent      {} {messages}", row.messages);
        let day = began.split(' ').next().unwrap_or_default();
        let mut parts = row.deliveries.chunk_by(|one, next| one.part == next.part).peekable();
        if parts.peek().is_none() {
            text += "\n  statuses  none yet";
        }
        for (index, statuses) in parts.enumerate() {
            let label = if index == 0 { "statuses" } else { "" };
            let words: Vec<_> = statuses.iter().map(|status| self.delivery(status, day)).collect();
            text += &format!("\n  {label:<8}  {}", words.join(", "));
        }
        Ok(text)
    }

    /// Writes a status with its time; the day only where it is another than `day`.
    fn delivery(&self, delivery: &PartStatus, day: &str) -> String {
        let PartStatus { status, at_ms, code, details, .. } = delivery;
        let at = self.time(*at_ms);
        let at = at.strip_prefix(day).unwrap_or(&at).trim_start();
        let why: Vec<_> =
            code.map(|code| code.to_string()).into_iter().chain(details.clone()).collect();
        let why =
            if why.is_empty() { String::new() } else { format!(" ({})", plain(&why.join(": "))) };
        format!("{status} {at}{why}")
    }

    fn time(&self, ms: i64) -> String {
        local(ms, &self.zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

fn local(ms: i64, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(ms).unwrap_or_default().to_zoned(zone.clone())
}

/// Reads a time on the command line, Unix milliseconds.
fn since(text: &str) -> Result<i64, String> {
    since_at(text, &local(Clock::System.now_ms(), &TimeZone::system()))
}

/// Reads how long before `now`, or when: a time of the day is the last one before.
fn since_at(text: &str, now: &Zoned) -> Result<i64, String> {
    let here = |at: civil::DateTime| at.to_zoned(now.time_zone().clone());
    let at = if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_millisecond());
    } else if let Ok(at) = text.parse::<civil::DateTime>() {
        here(at)
    } else if let Ok(time) = text.parse::<civil::Time>() {
        match here(now.date().to_datetime(time)) {
            Ok(later) if later > *now => later.yesterday(),
            today => today,
        }
    } else if let Ok(span) = text.parse::<Span>() {
        now.checked_sub(span.abs())
    } else {
        return Err("write 2h, 3d, 10:30, 2026-11-26 or \"2026-11-26 10:30\"".to_owned());
    };
    Ok(at.map_err(|error| error.to_string())?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let now: Zoned = "2026-11-26T12:00:00[Europe/Madrid]".parse().unwrap();
        let at = since_at(text, &now)
            .ok()
            .map(|ms| local(ms, now.time_zone()).strftime("%Y-%m-%d %H:%M").to_string());
        assert_eq!(at.as_deref(), expected, "{text}");
    }

    #[test]
    fn a_time_is_read_as_people_write_it() {
        check("2h", Some("2026-11-26 10:00"));
        check("90min", Some("2026-11-26 10:30"));
        check("3d", Some("2026-11-23 12:00"));
        check("1 day 2 hours", Some("2026-11-25 10:00"));
        check("10:30", Some("2026-11-26 10:30"));
        check("18:30", Some("2026-11-25 18:30"));
        check("2026-11-20", Some("2026-11-20 00:00"));
        check("2026-11-20 08:15", Some("2026-11-20 08:15"));
        check("2026-11-20T08:15:00Z", Some("2026-11-20 09:15"));
        for wrong in ["", "yesterday", "5", "25:00", "2026-13-01"] {
            check(wrong, None);
        }
    }
}
