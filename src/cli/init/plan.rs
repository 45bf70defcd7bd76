//! What `hark init` needs to know: from flags, then from questions, then by default.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use url::Url;

use super::ask::{self, Asker};
use super::secret::SecretFile;
use super::{Arguments, provider};
use crate::models::built_in;
use crate::registry::ProviderKind;
use crate::turn::LanguageCode;

/// The number of a rehearsal; it is nobody's.
const REHEARSAL_NUMBER: &str = "100000000000001";

/// Holds everything that is written.
pub(super) struct Plan {
    pub(super) provider: ProviderKind,
    pub(super) phone_number_id: String,
    pub(super) display_name: Option<String>,
    pub(super) access_token: SecretFile,
    pub(super) app_secret: SecretFile,
    pub(super) verify_token: SecretFile,
    pub(super) app_id: Option<String>,
    pub(super) public_url: Option<Url>,
    pub(super) agent: String,
    pub(super) language: Option<LanguageCode>,
    pub(super) knowledge: Option<PathBuf>,
    pub(super) llm: Option<LlmPlan>,
    pub(super) stt_model: String,
}

/// Describes the language model.
pub(super) struct LlmPlan {
    pub(super) url: Url,
    pub(super) model: String,
    pub(super) key: Option<SecretFile>,
}

impl Plan {
    /// Returns the secrets, those that are there already included.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretFile> {
        let key = self.llm.as_ref().and_then(|llm| llm.key.as_ref());
        [&self.access_token, &self.app_secret, &self.verify_token].into_iter().chain(key)
    }
}

/// Makes the plan; what nobody could say is among [`Asker::missing`].
pub(super) fn make(given: Arguments, folder: &Path, asker: &mut Asker) -> anyhow::Result<Plan> {
    let question =
        "Messages come from Meta, or from a rehearsal without an account: meta, simulator";
    let provider = asker.or(given.provider, question, "meta", provider)?;
    let meta = provider == ProviderKind::Meta;
    let phone_number_id = asker.must(
        given.phone_number_id.or_else(|| (!meta).then(|| REHEARSAL_NUMBER.to_owned())),
        "--phone-number-id",
        "Phone number id (the app's WhatsApp > API Setup has it)",
        ask::digits,
    )?;
    let mut secret = |file: Option<PathBuf>, name: &str, flag, question| {
        // Made up: a later file for Meta must not take them for the real ones.
        let name = if meta { name.to_owned() } else { format!("rehearsal_{name}") };
        match SecretFile::known(file, folder, &name)? {
            Some(known) => anyhow::Ok(known),
            None if meta => Ok(SecretFile::new(folder, &name, asker.must_hidden(flag, question)?)),
            None => SecretFile::random(folder, &name),
        }
    };
    let access_token = secret(
        given.access_token_file,
        "access_token",
        "--access-token-file",
        "Access token (a system user's)",
    )?;
    let app_secret = secret(
        given.app_secret_file,
        "app_secret",
        "--app-secret-file",
        "App secret (the app's App settings > Basic)",
    )?;
    let verify_token = verify_token(given.verify_token, folder)?;
    let (mut app_id, mut public_url) = (given.app_id, given.public_url);
    if meta {
        let question = "App id, with which hark doctor checks the secret (Enter: leave out)";
        app_id = asker.may(app_id, question, ask::digits)?;
        let question = "Your https address, such as https://voice.example.com (Enter: later)";
        public_url = asker.may(public_url, question, ask::url)?;
    }
    let question = "Language it always speaks, such as en (Enter: the person's)";
    let language = asker.may(given.language, question, ask::language)?;
    let llm = llm(given.llm_url, given.llm_model, given.llm_key_file, folder, asker)?;
    let mut knowledge = given.knowledge;
    if meta && llm.is_none() {
        let question = "CSV file with questions and answers (Enter: later)";
        knowledge = asker.may(knowledge, question, ask::file)?;
    }
    // The embedded agent knows the demo's shop.
    let demo = !meta && llm.is_none() && knowledge.is_none();
    let usual = if demo { "hark" } else { "assistant" };
    let agent = asker.or(given.agent, "Name of the agent", usual, ask::word)?;
    let usual = usual_model(meta, language.as_ref());
    let question = "Whisper model (hark models list)";
    Ok(Plan {
        provider,
        phone_number_id,
        display_name: given.display_name,
        access_token,
        app_secret,
        verify_token,
        app_id,
        public_url,
        agent,
        language,
        knowledge,
        llm,
        stt_model: asker.or(given.stt_model, question, usual, ask::word)?,
    })
}

/// Returns the name of the model to hear with: one for real people, unless that in the program will
/// do.
fn usual_model(meta: bool, language: Option<&LanguageCode>) -> &'static str {
    let english = language.is_none_or(|language| language.is(&LanguageCode::english()));
    let small = !meta && english && built_in::bytes().is_some();
    if small { built_in::NAME } else { "base" }
}

/// Returns the word that was given, else the one that is there and Meta may know, else a new one.
fn verify_token(given: Option<String>, folder: &Path) -> anyhow::Result<SecretFile> {
    const NAME: &str = "verify_token";
    if let Some(word) = given {
        return Ok(SecretFile::new(folder, NAME, word.into()));
    }
    match SecretFile::known(None, folder, NAME)? {
        Some(known) => Ok(known),
        None => SecretFile::random(folder, NAME),
    }
}

fn llm(
    given: Option<Url>,
    model: Option<String>,
    key: Option<PathBuf>,
    folder: &Path,
    asker: &mut Asker,
) -> anyhow::Result<Option<LlmPlan>> {
    const NAME: &str = "llm_key";
    let asked = given.is_none();
    let question = "Language model's server, such as http://127.0.0.1:11434/v1 (Enter: answers come \
                    from files)";
    let Some(url) = asker.may(given, question, ask::url)? else { return Ok(None) };
    let model = asker.must(model, "--llm-model", "Its model", ask::text)?;
    let mut key = SecretFile::known(key, folder, NAME)?;
    if asked && key.is_none() {
        let typed: Option<SecretString> = asker.hidden("Its key (Enter: it needs none)")?;
        key = typed.map(|key| SecretFile::new(folder, NAME, key));
    }
    Ok(Some(LlmPlan { url, model, key }))
}
