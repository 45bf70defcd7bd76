//! Fetches what was attached in Chatwoot.
//!
//! The address comes with a webhook. Invariant: it is followed only to the addresses that were configured,
//! redirects included, whoever wrote it, and without a token: those of Chatwoot's files are signed.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::{Response, Url};

use super::Bridge;
use super::error::{BridgeError, Shore};

/// Longest download.
const FETCH_TIME: Duration = Duration::from_mins(2);
/// Largest file: five minutes of uncompressed sound, as hark takes them.
const FILE_BYTES: usize = 32 << 20;
/// Redirects that are followed: to the store of the files, and within it.
const HOPS: usize = 3;

/// Says why a file was not fetched.
pub(super) enum Unfetched {
    /// It is not there, or not yet.
    Missing,
    /// It cannot be, for this reason.
    Never(String),
    /// Not now.
    Away(BridgeError),
}

impl Bridge {
    /// Fetches a file.
    pub(super) async fn fetch(&self, address: &str) -> Result<Vec<u8>, Unfetched> {
        let odd = || Unfetched::Never("Chatwoot names no address of the file".to_owned());
        let mut address = self.desk.base.join(address).map_err(|_odd| odd())?;
        for _ in 0..=HOPS {
            self.check_origin(&address)?;
            let request = self.desk.client.get(address.clone()).timeout(FETCH_TIME);
            let response = request.send().await.map_err(|error| {
                Unfetched::Away(BridgeError::unanswered(Shore::Chatwoot, error))
            })?;
            let status = response.status().as_u16();
            if (300..400).contains(&status) {
                let next = response.headers().get(LOCATION).and_then(|next| next.to_str().ok());
                // The client has followed some within one origin already.
                let next = next.and_then(|next| response.url().join(next).ok());
                address = next.ok_or_else(odd)?;
                continue;
            }
            return match status {
                200 => whole(response).await,
                404 | 410 => Err(Unfetched::Missing),
                429 | 500.. => Err(Unfetched::Away(BridgeError::Away {
                    shore: Shore::Chatwoot,
                    why: format!("its files are answered {status}"),
                    after: None,
                })),
                _ => Err(Unfetched::Never(format!("Chatwoot's file was answered {status}"))),
            };
        }
        Err(Unfetched::Never("Chatwoot's file is redirected too often".to_owned()))
    }

    fn check_origin(&self, address: &Url) -> Result<(), Unfetched> {
        let mut known = self.files.iter().chain([&self.desk.base]);
        if known.any(|known| known.origin() == address.origin()) {
            return Ok(());
        }
        let origin = address.origin().ascii_serialization();
        Err(Unfetched::Never(format!(
            "Chatwoot keeps its files at {origin}, which the bridge may not ask: start it with \
             --files {origin}"
        )))
    }
}

/// Reads a file, as far as it may be long.
async fn whole(mut response: Response) -> Result<Vec<u8>, Unfetched> {
    let large =
        || Unfetched::Never(format!("the recording is larger than {} MiB", FILE_BYTES >> 20));
    let announced = response.content_length();
    if announced.is_some_and(|length| length > FILE_BYTES as u64) {
        return Err(large());
    }
    let mut bytes = Vec::new();
    loop {
        let piece = response
            .chunk()
            .await
            .map_err(|error| Unfetched::Away(BridgeError::unanswered(Shore::Chatwoot, error)))?;
        let Some(piece) = piece else { return Ok(bytes) };
        if bytes.len() + piece.len() > FILE_BYTES {
            return Err(large());
        }
        bytes.extend_from_slice(&piece);
    }
}
