//! Languages by their codes.

/// A language code without its region: `pt` of `pt-BR`.
pub fn primary_language(code: &str) -> &str {
    code.split(['-', '_']).next().unwrap_or(code)
}
