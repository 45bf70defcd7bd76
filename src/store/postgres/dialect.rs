//! Statements as PostgreSQL wants them.
//!
//! Invariant: a statement means the same before and after; what cannot be had by renaming is written
//! so that both understand it, or stands apart in its port.

/// What is called otherwise.
const NAMES: [(&str, &str); 3] = [
    ("json_group_array(", "json_agg("),
    ("json_object(", "json_build_object("),
    ("instr(", "strpos("),
];

/// Reads a list that a parameter holds as JSON.
const LIST: &str = "json_each(";

/// Translates a statement.
pub(super) fn translate(sql: &str) -> String {
    let mut translated = String::with_capacity(sql.len());
    // What stands between quotes is words.
    for (index, piece) in sql.split('\'').enumerate() {
        if index > 0 {
            translated.push('\'');
        }
        if index % 2 == 1 {
            translated.push_str(piece);
            continue;
        }
        let mut piece = piece.replace('?', "$");
        for (name, theirs) in NAMES {
            piece = piece.replace(name, theirs);
        }
        while let Some((before, list)) = piece.split_once(LIST) {
            let (list, behind) = list.split_once(')').unwrap_or((list, ""));
            piece = format!("{before}json_array_elements_text(CAST({list} AS JSON)){behind}");
        }
        translated.push_str(&piece);
    }
    translated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_names_are_translated_and_words_are_not() {
        let sql = "SELECT 1 FROM t WHERE a = ?1 AND b <> 'what?' AND c IN (SELECT value FROM \
                   json_each(?2)) AND d = 'it''s ?3'";
        let theirs = "SELECT 1 FROM t WHERE a = $1 AND b <> 'what?' AND c IN (SELECT value FROM \
                      json_array_elements_text(CAST($2 AS JSON))) AND d = 'it''s ?3'";
        assert_eq!(translate(sql), theirs);
    }
}
