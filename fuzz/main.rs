//! Runs one of `targets/` under libFuzzer, which keeps an input that reaches new code and changes it
//! further; `make fuzz` starts it. A panic, also one that hark would catch, too much memory or too
//! much time ends the run and leaves the input in `found/`.

#![no_main]

mod targets;

use std::alloc::System;
use std::sync::OnceLock;

use cap::Cap;
use libfuzzer_sys::fuzz_target;

use targets::{TARGETS, Target};

/// Most bytes that one input may have the target hold.
const MEMORY: usize = 64 << 20;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

static TARGET: OnceLock<&Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("HARK_FUZZ_TARGET").expect("HARK_FUZZ_TARGET names a target");
        let found = TARGETS.iter().find(|target| target.name == name);
        TARGET.set(found.expect("HARK_FUZZ_TARGET names a target")).ok();
    },
    |input: &[u8]| {
        let held = HEAP.allocated();
        HEAP.set_limit(held + MEMORY).expect("the limit is above what is held");
        (TARGET.get().expect("set before the first input").run)(input);
        HEAP.set_limit(usize::MAX).expect("there is none");
    }
);
