//! Provides the model that is part of the program, so that one file copied to another machine
//! hears.
//!
//! The first place where a name is looked up. Without the cargo feature `model-micro` there is no
//! such model, and its name is a name like any other.

use super::ModelSource;

/// Name of the model, and the default of `[stt] model`.
pub const NAME: &str = "hark-micro-en";

#[cfg(feature = "model-micro")]
static BYTES: Option<&[u8]> = Some(include_bytes!("../../models/hark-micro-en.bin"));
#[cfg(not(feature = "model-micro"))]
static BYTES: Option<&[u8]> = None;

/// Returns the model, if `name` is its name and this build has it.
pub(super) fn find(name: &str) -> Option<ModelSource> {
    let bytes = BYTES.filter(|_| name == NAME)?;
    Some(ModelSource::Bytes { name: NAME, bytes })
}

/// Returns the model's bytes, if this build has one.
pub fn bytes() -> Option<&'static [u8]> {
    BYTES
}

#[cfg(all(test, feature = "model-micro"))]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::models::manifest;

    #[test]
    fn the_manifest_describes_the_file_that_is_built_in() {
        let bytes = BYTES.expect("the feature is on");
        let model = find(NAME).as_ref().and_then(manifest::find).expect("it is in the manifest");
        let file = (bytes.len() as u64, hex::encode(Sha256::digest(bytes)));
        assert!(
            (model.bytes, &model.sha256) == (file.0, &file.1),
            "models/{} is another file than the manifest says. If it is a new model, write into \
             src/models/manifest.toml:\nbytes = {}\nsha256 = \"{}\"",
            model.file,
            file.0,
            file.1
        );
    }
}
