//! What is asked of a speech engine for a written answer.

use hark::speech_text::{sentences_of, spoken};

use super::Case;

kinds!("say", said, {
    sources_are_not_read: "sources in brackets are read as numbers",
    seconds_of_a_time_are_said: "times with seconds become another time",
    at_least_keeps_its_or_equal: "signs of comparison lose their 'or equal'",
    indian_groups_stay_whole: "numbers in Indian groups are cut at the first comma",
    decades_are_said_as_such: "decades",
    codes_are_said_digit_by_digit: "codes behind a word that says so are read as amounts",
    documents_are_said_digit_by_digit:
        "numbers of people and firms with dots are read as millions",
    a_region_tells_what_a_dollar_sign_means: "a dollar sign is dollars where it means pesos",
    prices_are_said_as_they_are_written: "prices in common local spellings",
    heights_and_inches_are_said: "heights and inches",
    a_version_is_no_sentence: "a version's dots end sentences",
    formulas_are_said_in_words: "formulas",
    roman_numbers_are_said_as_numbers: "Roman numerals",
    hours_and_days_are_ranges: "ranges of hours and days",
    markdown_of_models_is_not_said:
        "Markdown that chat models write and the normaliser does not know",
    what_was_right: "control",
});

fn said(case: &Case) -> String {
    let language = case.text("lang").into();
    let sentences = sentences_of(case.text("text"));
    let said: Vec<String> = sentences.iter().map(|text| spoken(text, &language)).collect();
    said.join(" ")
}
