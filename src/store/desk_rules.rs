//! Who gets a ticket, decided alike by every backend.
//!
//! Pure: rows in, a choice out.

use super::OperatorRow;
use crate::turn::LanguageCode;

/// Chooses an operator who is there: who has been asked for, speaks the language, and has the fewest
/// tickets; of equals the one who was added first. Somebody who does not speak the language is better
/// than nobody; somebody who was not asked for is not.
pub(super) fn choose<'a>(
    operators: &'a [OperatorRow],
    skill: Option<&str>,
    language: Option<&LanguageCode>,
    now_ms: i64,
) -> Option<&'a OperatorRow> {
    let able = operators.iter().filter(|operator| {
        let skilled = match skill {
            Some(skill) => operator.skills.is_empty() || operator.skills.iter().any(|s| s == skill),
            None => true,
        };
        skilled && operator.is_there(now_ms)
    });
    able.min_by_key(|operator| {
        let speaks = operator.languages.is_empty()
            || language.is_none_or(|wanted| {
                operator.languages.iter().any(|own| own.primary() == wanted.primary())
            });
        (!speaks, operator.tickets)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::WorkingHours;

    fn operator(id: &str, skills: &[&str], languages: &[&str], tickets: u32) -> OperatorRow {
        OperatorRow {
            id: id.to_owned(),
            name: id.to_owned(),
            skills: skills.iter().map(|&skill| skill.to_owned()).collect(),
            languages: languages.iter().map(|&code| code.into()).collect(),
            available: true,
            hours: None,
            version: 1,
            created_ms: 0,
            tickets,
        }
    }

    #[track_caller]
    fn check(
        operators: &[OperatorRow],
        skill: Option<&str>,
        language: &str,
        expected: Option<&str>,
    ) {
        let language = Some(LanguageCode::from(language));
        let chosen = choose(operators, skill, language.as_ref(), 0);
        assert_eq!(chosen.map(|operator| operator.id.as_str()), expected);
    }

    #[test]
    fn the_least_busy_who_speaks_the_language_gets_it() {
        let all = [
            operator("ann", &[], &["en"], 2),
            operator("bea", &[], &["es", "en-GB"], 1),
            operator("cai", &["sales"], &[], 0),
        ];
        check(&all, None, "en", Some("cai"));
        check(&all, Some("support"), "en-US", Some("bea"));
        check(&all, Some("support"), "de", Some("bea"));
        check(&all[..1], Some("sales"), "en", Some("ann"));
        check(&all[2..], Some("support"), "en", None);
    }

    #[test]
    fn nobody_gets_it_who_is_away() {
        let away = OperatorRow { available: false, ..operator("ann", &[], &[], 0) };
        let never = WorkingHours { timezone: "UTC".into(), days: [].into() };
        let asleep = OperatorRow { hours: Some(never), ..operator("bea", &[], &[], 0) };
        check(&[away, asleep], None, "en", None);
    }
}
