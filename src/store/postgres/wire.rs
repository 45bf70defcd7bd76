//! Values on their way to and from PostgreSQL.
//!
//! A parameter has the type that the server found for it, so that one number may become a truth or an
//! integer of any size. A column of another type than these is an error of the statement.

use std::borrow::Cow;
use std::error::Error;

use ::postgres::types::private::BytesMut;
use ::postgres::types::{FromSql, IsNull, ToSql, Type};

use crate::store::sql::DbValue;

/// The escape of a character of which PostgreSQL makes no words.
const NUL: &str = "\\u0000";

impl ToSql for DbValue<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match *self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Int(value) if *ty == Type::INT8 => value.to_sql(ty, out)?,
            Self::Int(value) if *ty == Type::INT4 => i32::try_from(value)?.to_sql(ty, out)?,
            Self::Int(value) if *ty == Type::BOOL => (value != 0).to_sql(ty, out)?,
            #[expect(clippy::cast_precision_loss, reason = "as SQLite reads it")]
            Self::Int(value) if *ty == Type::FLOAT8 => (value as f64).to_sql(ty, out)?,
            Self::Real(value) if *ty == Type::FLOAT8 => value.to_sql(ty, out)?,
            Self::Bytes(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out)?,
            Self::Text(words) if *ty == Type::JSON => {
                out.extend_from_slice(kept_json(words).as_bytes());
                IsNull::No
            }
            Self::Text(words) if <&str as ToSql>::accepts(ty) => {
                kept_words(words).to_sql(ty, out)?
            }
            value => return Err(format!("{value:?} is no {ty}").into()),
        };
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(ty, out)
    }
}

impl<'a> FromSql<'a> for DbValue<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Int(bool::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::BYTEA => Self::Bytes(raw),
            _ => Self::Text(str::from_utf8(raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BOOL, Type::FLOAT8, Type::BYTEA, Type::JSON].contains(ty)
            || <&str as FromSql>::accepts(ty)
    }
}

/// Returns words as PostgreSQL keeps them: it keeps every character but one.
pub(in crate::store) fn kept_words(words: &str) -> Cow<'_, str> {
    if !words.contains('\0') {
        return Cow::Borrowed(words);
    }
    Cow::Owned(words.replace('\0', "\u{fffd}"))
}

/// Returns JSON without escapes of the one character that PostgreSQL cannot read out of it.
pub(in crate::store) fn kept_json(json: &str) -> Cow<'_, str> {
    if !json.contains(NUL) {
        return Cow::Borrowed(json);
    }
    let mut kept = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(place) = rest.find(NUL) {
        let (before, from) = rest.split_at(place);
        kept.push_str(before);
        let slashes = kept.chars().rev().take_while(|c| *c == '\\').count();
        // Behind a backslash that is itself escaped it is words.
        kept.push_str(if slashes.is_multiple_of(2) { "\\ufffd" } else { NUL });
        rest = &from[NUL.len()..];
    }
    kept.push_str(rest);
    // An escape behind a backslash stays as it was.
    if kept == json { Cow::Borrowed(json) } else { Cow::Owned(kept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_escape_of_nul_is_replaced_in_json() {
        for (json, kept) in [
            (r#"{"a":"x\u0000y"}"#, r#"{"a":"x\ufffdy"}"#),
            (r#"{"a":"\\u0000"}"#, r#"{"a":"\\u0000"}"#),
            (r#"{"a":"\\\u0000\u0000"}"#, r#"{"a":"\\\ufffd\ufffd"}"#),
            (r#"{"a":"\u00001"}"#, r#"{"a":"\ufffd1"}"#),
        ] {
            assert_eq!(kept_json(json), kept);
        }
    }
}
