//! Tokens: made, shown once, known by their hash; and what was answered to whom.
//!
//! A token is `hark_`, its id and 32 random bytes: nobody guesses one, so that one pass of SHA-256
//! keeps it as well as a slow hash would.

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Office, time};
use crate::http::api::{ApiRefusal, Caller, Claimed, TokenInput, TokenView, TokensApi};
use crate::store::vault::random;
use crate::store::{Claim, ClaimTimes, TokenRow, Tokens as _};

const PREFIX: &str = "hark_";
/// Longest name of a token.
const NAME_CHARS: usize = 100;
/// Time in which uses of a token are noted once.
const USED_MS: i64 = 60_000;
/// How long an answer is kept to be repeated.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;
/// Longest time that an answer may take to be made; requests end before.
const STUCK_MS: i64 = 5 * 60 * 1000;

#[async_trait]
impl TokensApi for Office {
    async fn who(&self, token: &SecretString) -> Result<Option<Caller>, ApiRefusal> {
        let Some(id) = id_of(token.expose_secret()) else { return Ok(None) };
        let Some(row) = self.store.token(id).await? else { return Ok(None) };
        let same: bool = hash(token.expose_secret()).as_bytes().ct_eq(row.hash.as_bytes()).into();
        if !same || row.revoked_ms.is_some() {
            return Ok(None);
        }
        let now_ms = self.clock.now_ms();
        if row.last_used_ms.is_none_or(|last| (now_ms - last).abs() >= USED_MS)
            && let Err(error) = self.store.token_used(&row.id, now_ms).await
        {
            error.log("that a token was used was not noted");
        }
        Ok(Some(Caller { id: row.id, name: row.name, role: row.role }))
    }

    async fn tokens(&self) -> Result<Vec<TokenView>, ApiRefusal> {
        Ok(self.store.tokens().await?.into_iter().map(|row| view(row, None)).collect())
    }

    async fn make_token(&self, input: TokenInput) -> Result<TokenView, ApiRefusal> {
        let TokenInput { name, role } = input;
        let fits = (1..=NAME_CHARS).contains(&name.chars().count());
        if !fits || name.trim().is_empty() || name.chars().any(char::is_control) {
            let problem = format!("must have 1 to {NAME_CHARS} characters that are seen");
            return Err(ApiRefusal::invalid("name", problem));
        }
        let id = hex::encode(random::<8>());
        let token = format!("{PREFIX}{id}_{}", hex::encode(random::<32>()));
        let row = TokenRow {
            id,
            name,
            role,
            hash: hash(&token),
            created_ms: self.clock.now_ms(),
            last_used_ms: None,
            revoked_ms: None,
        };
        self.store.add_token(row.clone()).await?;
        Ok(view(row, Some(token)))
    }

    async fn revoke_token(&self, id: &str) -> Result<(), ApiRefusal> {
        if self.store.revoke_token(id, self.clock.now_ms()).await? {
            return Ok(());
        }
        Err(ApiRefusal::NotFound("token of this id that is not revoked".to_owned()))
    }

    async fn claim(&self, caller: &str, key: &str, request: &str) -> Result<Claimed, ApiRefusal> {
        let now_ms = self.clock.now_ms();
        let times = ClaimTimes { now_ms, since_ms: now_ms - KEPT_MS, stuck_ms: now_ms - STUCK_MS };
        // Before the work: an answer that cannot be kept is not begun.
        let vault = self.keyring.open_or_make(self.store.as_ref()).await?;
        Ok(match self.store.claim(caller, key, request, times).await? {
            Claim::Mine => Claimed::Mine,
            Claim::Running => Claimed::Running,
            Claim::OtherRequest => Claimed::OtherRequest,
            Claim::Answered(sealed) => {
                let answer = vault.open(&place(caller, key), &sealed);
                let lost = || ApiRefusal::Locked("the answer to this key does not open".to_owned());
                Claimed::Answered(answer.ok_or_else(lost)?)
            }
        })
    }

    async fn settle(
        &self,
        caller: &str,
        key: &str,
        answer: Option<Vec<u8>>,
    ) -> Result<(), ApiRefusal> {
        let vault = self.keyring.open_or_make(self.store.as_ref()).await?;
        let sealed = answer.map(|answer| vault.seal(&place(caller, key), &answer));
        Ok(self.store.settle_claim(caller, key, sealed).await?)
    }
}

fn place(caller: &str, key: &str) -> String {
    format!("idempotency/{caller}/{key}")
}

/// Returns the id in a token, if it has a token's form.
fn id_of(token: &str) -> Option<&str> {
    let (id, secret) = token.strip_prefix(PREFIX)?.split_once('_')?;
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (id.len() == 16 && secret.len() == 64 && is_hex(id) && is_hex(secret)).then_some(id)
}

fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

fn view(row: TokenRow, token: Option<String>) -> TokenView {
    TokenView {
        id: row.id,
        name: row.name,
        role: row.role,
        created_at: time(row.created_ms),
        last_used_at: row.last_used_ms.map(time),
        revoked_at: row.revoked_ms.map(time),
        token,
    }
}
