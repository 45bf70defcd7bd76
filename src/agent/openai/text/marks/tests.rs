//! Marks of every family, and text that is none.

use super::TextMark::{
    AnswerOpens, CallCloses, CallOpens, ChannelFollows, RoleFollows, Speaks, Stands, ThoughtCloses,
    ThoughtOpens, TurnEnds,
};
use super::*;

#[track_caller]
fn check(marks: &[&str], expected: &TextMark) {
    for mark in marks {
        let text = format!("{mark} more");
        let found = FoundMark::Whole(expected.clone(), mark.len());
        assert_eq!(super::mark(&text), found, "{mark}");
        for (end, _) in mark.char_indices().skip(1) {
            assert_eq!(super::mark(&mark[..end]), FoundMark::Perhaps, "{}", &mark[..end]);
        }
    }
}

#[test]
fn thoughts_of_every_family_are_known() {
    let opening = [
        "<think>",
        "<THINK>",
        "<thinking>",
        "<thought>",
        "<reasoning>",
        "<reflection>",
        "<|begin_of_thought|>",
        "<seed:think>",
        "<longcat_think>",
        "◁think▷",
        "[THINK]",
        "<|START_THINKING|>",
        "<antThinking>",
        "<think type=\"deep\">",
        "<thought_process>",
        "<unused94>",
        "<seed:cot_budget_reflect>",
        "<inner_monologue>",
        "<chain-of-thought>",
        "<｜begin▁of▁thinking｜>",
        "<|think|>",
        "<mm:think>",
        "<think\n>",
        "[think]",
    ];
    check(&opening, &ThoughtOpens);
    let closing = [
        "</think>",
        "</Thinking>",
        "<|end_of_thought|>",
        "</seed:think>",
        "◁/think▷",
        "[/THINK]",
        "<|END_THINKING|>",
        "<unused95>",
        "<channel|>",
        "<|/think|>",
        "</|think|>",
    ];
    check(&closing, &ThoughtCloses);
    check(&["<think/>"], &Stands(""));
}

#[test]
fn calls_are_known_with_what_closes_them() {
    for (opening, closing, key) in [
        ("<tool_call>", "</tool_call>", "tool call"),
        ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "tool calls section"),
        ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "tool calls"),
        ("<｜DSML｜function_calls>", "</｜DSML｜function_calls>", "dsml function calls"),
        ("<function=get_hours>", "</function>", "function"),
        ("<invoke name=\"a b\">", "</invoke>", "invoke"),
        ("<|tool_call>", "<tool_call|>", "tool call"),
        ("<|action_start|>", "<|action_end|>", "action"),
        ("[TOOL_CALLS]", "[/TOOL_CALLS]", "tool calls"),
    ] {
        check(&[opening], &CallOpens(key.to_owned()));
        check(&[closing], &CallCloses(key.to_owned()));
    }
    check(&["<|python_tag|>"], &CallOpens("python".to_owned()));
}

#[test]
fn control_tokens_are_known() {
    let ends = [
        "<|im_end|>",
        "<|eot_id|>",
        "<|endoftext|>",
        "<end_of_turn>",
        "<|end|>",
        "<|return|>",
        "<｜end▁of▁sentence｜>",
        "<|eom_id|>",
        "<turn|>",
        "<eos>",
        "<|END_OF_TURN_TOKEN|>",
        "<end_of_utterance>",
        "<|eot|>",
        "[EOS]",
        "<|end_of_text|>",
    ];
    check(&ends, &TurnEnds);
    let starts = [
        "<|im_start|>",
        "<|start_header_id|>",
        "<start_of_turn>",
        "<|start|>",
        "<|turn>",
        "<|start_of_role|>",
        "<|header_start|>",
    ];
    check(&starts, &RoleFollows);
    check(&["<|assistant|>", "<｜Assistant｜>", "[/INST]"], &Speaks { model: true });
    check(&["<|user|>", "<｜User｜>", "<|system|>", "[INST]"], &Speaks { model: false });
    check(&["<|channel|>", "<|channel>"], &ChannelFollows);
    check(&["<answer>", "<|begin_of_solution|>", "<|START_RESPONSE|>"], &AnswerOpens);
    let nothing = [
        "<s>",
        "</s>",
        "<bos>",
        "<pad>",
        "<unk>",
        "<|foo|>",
        "<unused12>",
        "<extra_id_0>",
        "<0xF0>",
        "</answer>",
        "<|end_of_solution|>",
        "<｜begin▁of▁sentence｜>",
        "[gMASK]",
        "[voice message, transcribed, language: Spanish]",
        "<|vision_end|>",
    ];
    check(&nothing, &Stands(""));
    check(&["<0x0A>", "<|end_header_id|>", "<|message|>", "<|im_sep|>"], &Stands("\n"));
}

#[test]
fn other_text_is_none() {
    for text in [
        "< 100 cm",
        "<3 you",
        "<100cm or",
        "<b>",
        "</b>",
        "<br/>",
        "<thinker>",
        "</thinks>",
        "<|> x",
        "<| x |> f",
        "<!doctype>",
        "<a href=\"x\">",
        "[see menu]",
        "[laughs]",
        "[1]",
        "[thinking]",
        "[A1]",
        "<name>",
        "<- x",
        "[]",
        "[x](y)",
        "<code>",
        "[OK]",
        "<über>",
    ] {
        assert_eq!(mark(text), FoundMark::No, "{text}");
    }
}
