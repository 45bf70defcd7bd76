//! The place of the sound: it can be written, read and deleted from.

use std::fs::File;
use std::path::Path;

use reqwest::Client;

use super::TIME_LIMIT;
use crate::blobs::{BlobPlace, try_out};
use crate::config::Config;
use crate::engine::Check;

const KEY: &str = "blobs.url";

pub(super) async fn check(config: &Config, client: &Client) -> Check {
    let (mut check, days) = (Check::new("blobs"), config.blobs.retention_days);
    // What cannot be read of it is among the settings.
    let Ok(place) = config.blobs.place(config.store.address().beside()) else { return check };
    if days == 0 {
        check.skipped("blobs.retention_days is 0: no sound is kept");
        return check;
    }
    if let BlobPlace::Folder(folder) = &place
        && !folder.exists()
    {
        let name = folder.display();
        match could_be_made(folder) {
            Ok(()) => check.well(format!(
                "{name} does not exist yet and can be created; sound is kept for {days} days"
            )),
            // The store's own check says it.
            Err(_) if config.blobs.url.is_none() => {
                check.skipped(format!("{name} is beside the store, which cannot be written"));
            }
            Err(error) => check.error(
                KEY,
                format!("{name} cannot be created: {error}"),
                "correct [blobs] url or the rights of the folder above it, or set retention_days = 0",
            ),
        }
        return check;
    }
    let blobs = match place.open(&config.blobs, client) {
        Ok(blobs) => blobs,
        Err(wrong) if wrong.problem.contains("is missing") => return check,
        Err(wrong) => {
            check.error(&wrong.key, wrong.problem, format!("correct {}", wrong.key));
            return check;
        }
    };
    let name = blobs.place();
    match tokio::time::timeout(TIME_LIMIT, try_out(blobs.as_ref())).await {
        Ok(Ok(())) => check.well(format!(
            "{name} can be written, read and deleted from; sound is kept for {days} days"
        )),
        Ok(Err(error)) => check.error(KEY, format!("{name}: {error}"), error.fix()),
        Err(_late) => check.error(
            KEY,
            format!("{name} did not answer within {} s", TIME_LIMIT.as_secs()),
            "correct [blobs] url and endpoint, or see that the place answers",
        ),
    }
    check
}

/// Tries whether a folder could be made; leaves no trace.
fn could_be_made(folder: &Path) -> std::io::Result<()> {
    let above = folder.ancestors().skip(1).find(|above| above.exists());
    let above = above.filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let trial = above.join(format!(".hark-doctor-sound-{}", std::process::id()));
    File::create_new(&trial).and_then(|_file| std::fs::remove_file(&trial))
}
