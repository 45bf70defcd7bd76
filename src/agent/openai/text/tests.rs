//! What is said of a whole answer, and that it does not matter where it was cut.

use proptest::prelude::*;

use super::*;

/// Says an answer that comes in these pieces, retractions done.
fn said<'a>(pieces: impl IntoIterator<Item = &'a str>, opens_thoughts: Option<bool>) -> String {
    let (mut filter, mut said) = (ThoughtFilter::new(opens_thoughts), String::new());
    let mut take = |Filtered { retract, text }: Filtered| {
        if retract {
            said.clear();
        }
        said.push_str(&text);
    };
    for piece in pieces {
        take(filter.push(piece));
    }
    take(filter.finish(true));
    said.trim().to_owned()
}

fn cut_every(text: &str, characters: usize) -> Vec<String> {
    let all: Vec<char> = text.chars().collect();
    all.chunks(characters).map(|piece| piece.iter().collect()).collect()
}

/// Checks what is said, wherever the answer is cut and whatever is presumed of it.
#[track_caller]
fn check(text: &str, expected: &str) {
    for opens_thoughts in [Some(false), None, Some(true)] {
        for characters in 1..=text.chars().count().max(1) {
            let pieces = cut_every(text, characters);
            let said = said(pieces.iter().map(String::as_str), opens_thoughts);
            assert_eq!(said, expected, "{text:?} cut every {characters}, {opens_thoughts:?}");
        }
    }
}

#[track_caller]
fn only_the_answer(before: &str, after: &str) {
    check(&format!("{before}We open at nine.{after}"), "We open at nine.");
}

#[test]
fn thoughts_are_not_said_whatever_their_tags() {
    for name in ["think", "thinking", "thought", "reasoning", "reflection", "seed:think", "THINK"] {
        only_the_answer(&format!("<{name}>I wonder: a < b?</{name}>\n\n"), "");
        only_the_answer(&format!("I wonder. Maybe.\n</{name}>\n\n"), "");
        only_the_answer("", &format!("<{name}>Is that right?"));
    }
    only_the_answer("<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>", "");
    only_the_answer("◁think▷hm◁/think▷", "");
    only_the_answer("[THINK]I wonder. [see menu] [1][/THINK]", "");
    only_the_answer("<unused94>thought\nhm<unused95>", "");
    only_the_answer("<|channel>thought\nhm\n<channel|>", "");
    only_the_answer("<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>", "<|END_RESPONSE|>");
    only_the_answer("<think>a<think>b</think>c</think>", "");
    only_the_answer("<think>a<reflection>b</reflection>c</think>", "");
    only_the_answer("<think>\n\n</think>\n\n", "");
    only_the_answer("<think>I could write <tool_call> here.</think>", "");
    only_the_answer("I could write <tool_call> here.</think>", "");
    only_the_answer("<think>hm</think><answer>", "</answer>");
    only_the_answer("<think>hm <answer>", "</answer>");
    only_the_answer("Here is my thought process: hm. Here is my point. Here is my response: ", "");
    only_the_answer("## Thinking\n\nHm.\n\n## Final Response\n\n", "");
    check("Sure. <think>hm</think>We open at nine.", "Sure. We open at nine.");
    check("What do they ask for? Hours.</think>Sure. <think>hm</think>We open.", "Sure. We open.");
    check("<think>it never ends <b", "");
}

#[test]
fn harmony_gives_its_final_channel() {
    only_the_answer(
        "<|channel|>analysis<|message|>They ask.<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|return|>",
    );
    only_the_answer("<|channel|>analysis<|message|>hm<|end|>", "");
    only_the_answer("They ask.<|end|><|start|>assistant<|channel|>final<|message|>", "");
    only_the_answer(
        "<|channel|>commentary to=functions.get_hours <|constrain|>json<|message|>{\"a\":1}<|call|>\
         <|start|>assistant<|channel|>final<|message|>",
        "<|end|>",
    );
    only_the_answer("<|start|>assistant<|message|>", "<|end|>");
    only_the_answer("analysisThey ask for hours.assistantfinal", "");
    only_the_answer("analysisThey ask.assistantcommentary to=x{}assistantfinal", "");
}

#[test]
fn control_tokens_and_made_up_turns_are_not_said() {
    for end in [
        "<|im_end|>",
        "<|eot_id|>",
        "</s>",
        "<|endoftext|>",
        "<end_of_turn>",
        "<｜end▁of▁sentence｜>",
    ] {
        only_the_answer("", end);
        only_the_answer(end, end);
    }
    only_the_answer(
        "",
        "<|im_end|>\n<|im_start|>user\nThanks!<|im_end|>\n<|im_start|>assistant\nBye",
    );
    only_the_answer("<|im_start|>assistant\n", "<|im_end|>");
    only_the_answer("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>");
    only_the_answer("<start_of_turn>model\n", "<end_of_turn>\n<start_of_turn>user\nThanks");
    only_the_answer("", "<|user|>\nThanks");
    only_the_answer("<｜Assistant｜>", "");
    only_the_answer("[INST] hours? [/INST] ", "</s><s>[INST] Thanks [/INST]");
    only_the_answer("<s> ", "<|im_e");
    only_the_answer("[voice message, transcribed, language: English]\n", "");
    check("We open<0x0A>at nine.", "We open\nat nine.");
    check("<|im_start|>We open at nine.", "We open at nine.");
}

#[test]
fn calls_are_not_said() {
    let call = "{\"name\": \"get_hours\", \"arguments\": {\"day\": \"Saturday\"}}";
    for (before, after) in [
        ("<tool_call>\n", "\n</tool_call>"),
        ("[TOOL_CALLS][", "]"),
        ("<|python_tag|>", "<|eom_id|>"),
        ("functools[", "]"),
        ("```json\n", "\n```"),
        ("```tool_call\n", "\n```"),
        ("", ""),
        ("<|tool_call|>[", "]<|/tool_call|>"),
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_hours\n",
            "<｜tool▁calls▁end｜>",
        ),
        (
            "<function_calls><invoke name=\"get_hours\"><parameter name=\"a\">",
            "</parameter></invoke></function_calls>",
        ),
        ("<function=get_hours>", "</function>"),
    ] {
        check(&format!("{before}{call}{after}"), "");
        only_the_answer("", &format!("\n{before}{call}{after}"));
        check(&format!("{before}{}", &call[..call.len() - 4]), "");
    }
    check("[get_hours(day=\"Saturday\")]", "");
    check(&format!("{call}; {call}"), "");
    only_the_answer(&format!("{call}\n"), "");
    only_the_answer(&format!("<tool_call>{call}</tool_call>\n"), "");
}

#[test]
fn other_text_stays() {
    for text in [
        "Pick size M if your chest is < 100 cm, else L.",
        "We thought about it: nine is best.",
        "1 < 2 > 0 <<b>ü</b> </thinks> <",
        "I <3 you [laughs] [1] [see menu](x)",
        "Analysis: we open at nine.",
        "analysis of it",
        "Here is my address: Main Street.",
        "Here is my thought process: first I look at the clock.",
        "{\"name\": \"Ana\", \"age\": 3}",
        "```json\n{\"bread\": 2.5}\n```",
        "```python\nprint([1, {2: 3}])\n```",
        "Write `<think>` or `[THINK]` to think.",
        "f(x) = {x}",
        "functional food",
        "The final answer is nine.",
        "ends in <thin",
        "`",
        "",
    ] {
        check(text, text);
    }
}

#[test]
fn a_long_thought_takes_no_memory() {
    let mut filter = ThoughtFilter::new(Some(false));
    filter.push("<think>");
    for _ in 0..1000 {
        assert_eq!(filter.push("hm <hm hm> [x </hm").text, "");
    }
    let mut unopened = ThoughtFilter::new(Some(true));
    let long = "word ".repeat(1000);
    for _ in 0..100 {
        assert_eq!(unopened.push(&long).text, "");
    }
    assert_eq!(unopened.push("</think>Yes.").text, "Yes.");
}

#[test]
fn a_server_is_known_by_what_it_leaves_out() {
    let after = |opens_thoughts, text: &str, whole| {
        let mut answer = AnswerText::new(opens_thoughts);
        let chunk = Chunk { text: text.to_owned(), ..Chunk::default() };
        let text = answer.push(&chunk, "").text + &answer.finish(whole).text;
        (text.trim().to_owned(), answer.opens_thoughts())
    };
    let said = |text: &str, opens_thoughts| (text.to_owned(), opens_thoughts);
    for before in [None, Some(false), Some(true)] {
        assert_eq!(after(before, "hm</think>Yes.", true), said("Yes.", Some(true)));
        assert_eq!(after(before, "<think>hm</think>Yes.", true), said("Yes.", Some(false)));
        assert_eq!(after(before, "Yes.", true), said("Yes.", Some(false)));
    }
    // Cut off by its length, it may be a thought.
    assert_eq!(after(Some(true), "hm, maybe", false), said("", None));
    assert_eq!(after(None, "We open at", false), said("We open at", None));
    let thinks = Chunk { aside: Some(Aside::Thought), ..Chunk::default() };
    let mut answer = AnswerText::new(None);
    answer.push(&thinks, "");
    let chunk = Chunk { text: "Yes.".to_owned(), ..Chunk::default() };
    assert_eq!(answer.push(&chunk, "").text, "Yes.");
    assert_eq!(answer.opens_thoughts(), Some(false));
    // What was withheld is a thought after all, and both come to light in one chunk.
    let mut answer = AnswerText::new(None);
    answer.push(&Chunk { text: "They ask.".to_owned(), ..Chunk::default() }, "");
    let chunk = Chunk { text: " Hm.</think>Yes.".to_owned(), ..thinks };
    assert_eq!(answer.push(&chunk, ""), Filtered { retract: true, text: "Yes.".to_owned() });
}

proptest! {
    #[test]
    fn where_an_answer_is_cut_changes_nothing(
        parts in prop::collection::vec(
            "<think>|</think>|<\\|im_end\\|>|<\\|im_start\\|>|user\n|assistant\n|<\\|channel\\|>|analysis\
             |final|<\\|message\\|>|<tool_call>|</tool_call>|\\{\"name\": ?\"a\", ?|\"arguments\": ?\\{\\}\\}\
             |\\[THINK\\]|\\[/THINK\\]|```|```json\n|`|<|\\[|ü|We open\\. | |\n|assistantfinal",
            0..12,
        ),
        cut in 1_usize..9,
        opens_thoughts: Option<bool>,
    ) {
        let text = parts.concat();
        let pieces = cut_every(&text, cut);
        let cut = said(pieces.iter().map(String::as_str), opens_thoughts);
        prop_assert_eq!(cut, said([text.as_str()], opens_thoughts), "{}", text);
    }
}
