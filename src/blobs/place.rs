//! Where sound lies: what `[blobs] url` says, and the store that it opens.
//!
//! Invariant: keys are those of the configuration. Where there are none nothing asks the machine's own
//! cloud for any, since that is a host nobody configured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::BlobStore;
use super::object::ObjectBlobs;
use crate::engine::{Wrong, secret};

/// Names a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// Amazon S3, and every server that speaks its API.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// Names a place for files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobPlace {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A bucket, or container, and what is before the names in it.
    Bucket {
        /// Where it is.
        cloud: Cloud,
        /// Its name.
        bucket: String,
        /// What is before every name; may be empty.
        prefix: String,
    },
}

/// Holds what `[blobs]` says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "default.toml documents every key")]
pub struct BlobSettings {
    pub url: Option<String>,
    pub retention_days: u32,
    pub endpoint: Option<Url>,
    pub region: Option<String>,
    pub access_key_id: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub secret_access_key: Option<SecretString>,
    pub account: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub account_key: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    pub service_account: Option<SecretString>,
}

impl BlobSettings {
    /// Returns where sound lies: the configured place, else the folder `sound` beside the store at
    /// this path.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn place(&self, store: &std::path::Path) -> Result<BlobPlace, String> {
        match &self.url {
            Some(url) => BlobPlace::parse(url),
            None => Ok(BlobPlace::Folder(store.with_file_name("sound"))),
        }
    }

    /// Returns how long sound is kept.
    pub fn retention(&self) -> Duration {
        Duration::from_secs(u64::from(self.retention_days) * 24 * 60 * 60)
    }

    /// Returns whether a start with these would do the same as one with `other`.
    pub fn are_as(&self, other: &Self) -> bool {
        let plain = |it: &Self| {
            let names = [&it.url, &it.region, &it.access_key_id, &it.account].map(Clone::clone);
            (it.retention_days, it.endpoint.clone(), names)
        };
        let secrets = |it: &Self| {
            let all = [&it.secret_access_key, &it.account_key, &it.service_account];
            all.map(|key| key.as_ref().map(|key| key.expose_secret().to_owned()))
        };
        plain(self) == plain(other) && secrets(self) == secrets(other)
    }
}

impl BlobPlace {
    /// Reads an address: a path, `file://`, `s3://`, `gs://` or `az://`.
    ///
    /// # Errors
    /// What is wrong with it, in words for its writer.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = match url.split_once("://") {
            None if url.trim().is_empty() => {
                return Err("is empty: write a folder, or leave it out".to_owned());
            }
            None => return Ok(Self::Folder(url.into())),
            Some(parts) => parts,
        };
        let cloud = match scheme {
            "file" => return Ok(Self::Folder(rest.into())),
            "s3" => Cloud::S3,
            "gs" => Cloud::Google,
            "az" => Cloud::Azure,
            _ => {
                return Err(format!(
                    "begins with {scheme}://, which is not spoken; write a folder, s3://bucket, \
                     gs://bucket or az://container"
                ));
            }
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        if bucket.is_empty() || !bucket.chars().all(plain) {
            return Err(format!(
                "names no bucket; write {scheme}://bucket or {scheme}://bucket/folder, and keys and \
                 addresses under keys of their own"
            ));
        }
        if cfg!(not(feature = "blobs-cloud")) {
            return Err("this build keeps sound in a folder alone: it was made without the cargo \
                        feature blobs-cloud"
                .to_owned());
        }
        Ok(Self::Bucket { cloud, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Finds keys that are missing, each with what it is for.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self, keys: &BlobSettings) -> Result<(), Wrong> {
        let Self::Bucket { cloud, .. } = self else { return Ok(()) };
        let wanted: &[(&str, bool, &str)] = match cloud {
            Cloud::S3 => &[
                ("access_key_id", keys.access_key_id.is_some(), "the id of an S3 key"),
                ("secret_access_key", keys.secret_access_key.is_some(), "the secret of that key"),
            ],
            Cloud::Google => &[(
                "service_account",
                keys.service_account.is_some(),
                "a key file, service_account_file",
            )],
            Cloud::Azure => &[
                ("account", keys.account.is_some(), "the storage account's name"),
                ("account_key", keys.account_key.is_some(), "one of its two keys"),
            ],
        };
        match wanted.iter().find(|(_, there, _)| !there) {
            Some((key, _, what)) => {
                let problem = format!("is missing: [blobs] url wants {what}");
                Err(Wrong::new(format!("blobs.{key}"), problem))
            }
            None => Ok(()),
        }
    }

    /// Opens it; asks nothing yet. `client` makes the calls to a cloud.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub fn open(
        &self,
        keys: &BlobSettings,
        client: &reqwest::Client,
    ) -> Result<Arc<dyn BlobStore>, Wrong> {
        self.check(keys)?;
        match self {
            Self::Folder(folder) => Ok(Arc::new(ObjectBlobs {
                store: LocalFileSystem::new(),
                prefix: absolute(folder)?,
                place: folder.display().to_string(),
                folder: Some(folder.clone()),
            })),
            #[cfg(feature = "blobs-cloud")]
            Self::Bucket { cloud, bucket, prefix } => {
                bucket::open(*cloud, bucket, prefix, keys, client)
            }
            #[cfg(not(feature = "blobs-cloud"))]
            Self::Bucket { .. } => {
                let _unused = client;
                Err(Wrong::new("blobs.url", "this build keeps sound in a folder alone"))
            }
        }
    }
}

/// Returns a folder as a path from the root.
fn absolute(folder: &std::path::Path) -> Result<Path, Wrong> {
    let odd = |error: String| Wrong::new("blobs.url", format!("is no folder: {error}"));
    let whole = std::path::absolute(folder).map_err(|error| odd(error.to_string()))?;
    Path::from_absolute_path(&whole).map_err(|error| odd(error.to_string()))
}

#[cfg(feature = "blobs-cloud")]
mod bucket {
    //! Buckets at a cloud.

    use std::sync::Arc;
    use std::time::Duration;

    use object_store::aws::AmazonS3Builder;
    use object_store::azure::MicrosoftAzureBuilder;
    use object_store::client::{HttpClient, HttpConnector};
    use object_store::gcp::GoogleCloudStorageBuilder;
    use object_store::path::Path;
    use object_store::{ClientOptions, ObjectStore, RetryConfig};
    use secrecy::{ExposeSecret as _, SecretString};
    use url::Url;

    use super::{BlobSettings, Cloud};
    use crate::blobs::BlobStore;
    use crate::blobs::object::ObjectBlobs;
    use crate::engine::Wrong;

    /// How often a call is tried again, and for how long.
    fn retries() -> RetryConfig {
        let retry_timeout = Duration::from_secs(20);
        RetryConfig { max_retries: 2, retry_timeout, ..RetryConfig::default() }
    }

    /// Makes every call with a client of ours, which follows no redirect to another host.
    #[derive(Debug)]
    struct OurClient(reqwest::Client);

    impl HttpConnector for OurClient {
        fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
            Ok(HttpClient::new(self.0.clone()))
        }
    }

    pub(super) fn open(
        cloud: Cloud,
        bucket: &str,
        prefix: &str,
        keys: &BlobSettings,
        client: &reqwest::Client,
    ) -> Result<Arc<dyn BlobStore>, Wrong> {
        let client = OurClient(client.clone());
        let endpoint = keys.endpoint.as_ref().map(|url| url.as_str().trim_end_matches('/'));
        let is_http = keys.endpoint.as_ref().is_some_and(|url| url.scheme() == "http");
        let text = |key: &Option<SecretString>| {
            key.as_ref().map(|key| key.expose_secret().to_owned()).unwrap_or_default()
        };
        match cloud {
            Cloud::S3 => {
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(bucket)
                    .with_access_key_id(keys.access_key_id.clone().unwrap_or_default())
                    .with_secret_access_key(text(&keys.secret_access_key))
                    .with_allow_http(is_http)
                    // Not every server that speaks this API knows how to delete several at once.
                    .with_disable_bulk_delete(true)
                    .with_retry(retries())
                    .with_http_connector(client);
                if let Some(region) = &keys.region {
                    builder = builder.with_region(region);
                }
                if let Some(endpoint) = endpoint {
                    builder = builder.with_endpoint(endpoint);
                }
                blobs("blobs.url", builder.build(), place("s3", bucket, prefix), prefix)
            }
            Cloud::Google => {
                let mut builder = GoogleCloudStorageBuilder::new()
                    .with_bucket_name(bucket)
                    .with_service_account_key(text(&keys.service_account))
                    .with_retry(retries())
                    .with_client_options(ClientOptions::new().with_allow_http(is_http))
                    .with_http_connector(client);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_base_url(endpoint);
                }
                let place = place("gs", bucket, prefix);
                blobs("blobs.service_account", builder.build(), place, prefix)
            }
            Cloud::Azure => {
                let mut builder = MicrosoftAzureBuilder::new()
                    .with_container_name(bucket)
                    .with_account(keys.account.clone().unwrap_or_default())
                    .with_access_key(text(&keys.account_key))
                    .with_allow_http(is_http)
                    .with_retry(retries())
                    .with_http_connector(client);
                if let Some(endpoint) = endpoint {
                    builder = builder.with_endpoint(endpoint.to_owned());
                }
                blobs("blobs.account_key", builder.build(), place("az", bucket, prefix), prefix)
            }
        }
    }

    fn place(scheme: &str, bucket: &str, prefix: &str) -> String {
        Url::parse(&format!("{scheme}://{bucket}/{prefix}"))
            .map_or_else(|_| bucket.to_owned(), Into::into)
    }

    fn blobs<S: ObjectStore>(
        key: &str,
        store: object_store::Result<S>,
        place: String,
        prefix: &str,
    ) -> Result<Arc<dyn BlobStore>, Wrong> {
        // The library's words may quote a key.
        let odd = |_quotes_keys| Wrong::new(key, "cannot be used: it has not the form of one");
        let store = store.map_err(odd)?;
        let prefix = Path::from(prefix);
        Ok(Arc::new(ObjectBlobs { store, prefix, place, folder: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_others_named() {
        let folder = |path: &str| Ok(BlobPlace::Folder(path.into()));
        assert_eq!(BlobPlace::parse("sound"), folder("sound"));
        assert_eq!(BlobPlace::parse("file:///var/lib/hark/sound"), folder("/var/lib/hark/sound"));
        for (url, said) in [
            ("", "is empty"),
            ("ftp://host/sound", "begins with ftp://"),
            ("https://bucket.s3.amazonaws.com", "begins with https://"),
            ("s3://", "names no bucket"),
            ("s3://key:secret@bucket/x", "keys of their own"),
        ] {
            let problem = BlobPlace::parse(url).unwrap_err();
            assert!(problem.contains(said) && !problem.contains("secret@"), "{url}: {problem}");
        }
    }

    #[cfg(feature = "blobs-cloud")]
    #[test]
    fn a_cloud_without_keys_asks_nobody_for_them() {
        let client = crate::remote::http_client();
        for (url, key) in [
            ("s3://b/p", "blobs.access_key_id"),
            ("gs://b", "blobs.service_account"),
            ("az://c", "blobs.account"),
        ] {
            let opened = BlobPlace::parse(url).unwrap().open(&BlobSettings::default(), &client);
            assert_eq!(opened.err().map(|wrong| wrong.key).as_deref(), Some(key), "{url}");
        }
        let keys = BlobSettings { service_account: Some("{}".into()), ..BlobSettings::default() };
        let opened = BlobPlace::parse("gs://b").unwrap().open(&keys, &client);
        assert_eq!(opened.err().unwrap().key, "blobs.service_account");
    }
}
