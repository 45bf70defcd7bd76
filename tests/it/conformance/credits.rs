//! Credits add up: what is reserved, spent and given back, whatever becomes of turns.

use futures_util::future::join_all;
use hark::store::{
    AccountChange, AccountRow, BalanceChange, Books as _, Changed, Credit, CreditWarning, Draft,
    Lapsed, Lease, Queue as _, Record as _, UsageDay, UsageKey, UsageRow, UsageSearch,
    WarningChange,
};
use hark::turn::{DeliveryStatus, Outcome, PartState, Reason, Role, Spent, StatusUpdate};
use hark::usage::CreditScope;

use super::{Backend, begun, ended, finish, from, lease_one, lessee, on_every_backend, plan};
use crate::harness::NUMBER;

on_every_backend! {
    a_thousand_turns_against_a_hundred_credits_spend_a_hundred,
    the_books_add_up_whatever_becomes_of_turns,
    a_turn_needs_credits_of_its_number_and_of_its_agent,
    a_turn_that_is_opened_again_is_paid_once,
    what_was_not_answered_is_free,
    somebody_is_warned_once_until_there_is_enough_again,
    an_account_is_changed_in_order_and_leaves_no_trace_when_it_goes,
}

/// Lets a number or an agent have so many credits.
pub(super) async fn open(store: &impl BooksStore, scope: CreditScope, name: &str, balance: i64) {
    let change = set(balance, None);
    let made = store.change_account(scope, name, change, 0, 1).await.unwrap();
    assert_eq!(made, Changed::Now(1));
}

/// What these tests need of a store.
pub(super) trait BooksStore:
    hark::store::Books + hark::store::Record + hark::store::Queue
{
}
impl<T: hark::store::Books + hark::store::Record + hark::store::Queue> BooksStore for T {}

fn set(balance: i64, warn_below: Option<i64>) -> AccountChange {
    AccountChange { balance: BalanceChange::Set(balance), warning: WarningChange::Set(warn_below) }
}

async fn account(store: &impl BooksStore, name: &str) -> AccountRow {
    let accounts = store.accounts().await.unwrap();
    accounts.into_iter().find(|account| account.name == name).expect(name)
}

/// Balance, reserved and spent.
pub(super) async fn books(store: &impl BooksStore, name: &str) -> (i64, i64, i64) {
    let account = account(store, name).await;
    (account.balance, account.reserved, account.spent)
}

/// Leases one message of each of so many people.
async fn crowd(store: &impl BooksStore, name: &str, people: usize) -> Vec<Lease> {
    let messages = (0..people).map(|person| {
        let id = format!("{name}.{person}");
        from(&id, Some(&format!("1{person:06}")), None)
    });
    store.accept(messages.collect(), 1_000).await.unwrap();
    let leases = store.lease(&lessee("a", i64::MAX), people, 1_000).await.unwrap();
    assert_eq!(leases.len(), people);
    leases
}

async fn begin(store: &impl BooksStore, lease: &Lease) -> Credit {
    store.begin(lease, "hark".into(), 0.0, 1_000).await.unwrap().credit
}

/// The end of a turn that was not answered for want of credits.
fn refused() -> Draft {
    let mut draft = ended("hi", Outcome::VoiceNote);
    draft.report.reason = Some(Reason::CreditsSpent);
    draft.report.spent = Spent::default();
    draft
}

/// One sum of all, by these keys.
pub(super) async fn sums(store: &impl BooksStore, by: &[UsageKey]) -> Vec<UsageRow> {
    let day = UsageDay { name: "all".to_owned(), from_ms: 0, until_ms: i64::MAX };
    let search =
        UsageSearch { days: vec![day], by: by.to_vec(), limit: 9_999, ..UsageSearch::default() };
    store.usage(search).await.unwrap()
}

async fn a_thousand_turns_against_a_hundred_credits_spend_a_hundred<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    open(&store, CreditScope::Number, NUMBER, 100).await;
    let leases = crowd(&store, "a", 1_000).await;
    let credits = join_all(leases.iter().map(|lease| begin(&store, lease))).await;
    let granted = credits.iter().filter(|&&credit| credit == Credit::Granted).count();
    assert_eq!(granted, 100);
    assert_eq!(books(&store, NUMBER).await, (100, 100, 0));
    let ends = leases.iter().zip(&credits).map(async |(lease, credit)| {
        let end = match credit {
            Credit::Granted => ended("hi", Outcome::VoiceNote),
            Credit::Refused(scope) => {
                assert_eq!(*scope, CreditScope::Number);
                refused()
            }
        };
        finish(&store, lease, &end, 2_000).await;
    });
    join_all(ends).await;
    assert_eq!(books(&store, NUMBER).await, (0, 0, 100));
    let sum = &sums(&store, &[]).await[0];
    assert_eq!((sum.turns, sum.credits), (1_000, 100));
    let told = credits.iter().position(|credit| *credit != Credit::Granted).expect("900 are");
    let history = store.history(&leases[told].lane, 9_usize.into(), 2_000).await.unwrap();
    assert_eq!(history.exchanges, [], "no agent said that");
}

async fn the_books_add_up_whatever_becomes_of_turns<B: Backend>() {
    let backend = B::fresh();
    let mut store = backend.open();
    open(&store, CreditScope::Number, NUMBER, 100).await;
    open(&store, CreditScope::Agent, "hark", 1_000).await;
    let (mut answered, mut waves) = (0, 0_i64);
    while books(&store, NUMBER).await.0 > 0 {
        waves += 1;
        assert!(waves < 20, "each wave answers somebody");
        let leases = crowd(&store, &format!("w{waves}"), 250).await;
        // Every fate at once: answered, fallen back, begun twice, left by a process that dies.
        let fates = leases.iter().enumerate().map(async |(place, lease)| {
            let credit = begin(&store, lease).await;
            let end = match (credit, place % 4) {
                (Credit::Refused(_), _) => refused(),
                (_, 0) => ended("hi", Outcome::Text),
                (_, 1) => ended("hi", Outcome::Fallback),
                (_, 2) => {
                    assert_eq!(begin(&store, lease).await, Credit::Granted);
                    ended("hi", Outcome::VoiceNote)
                }
                _ => return 0,
            };
            finish(&store, lease, &end, 2_000).await;
            u32::from(credit == Credit::Granted && place % 4 != 1)
        });
        answered += join_all(fates).await.into_iter().sum::<u32>();
        let (balance, reserved, spent) = books(&store, NUMBER).await;
        assert_eq!((balance, spent), (100 - i64::from(answered), i64::from(answered)));
        assert!(reserved <= balance, "{reserved} of {balance}");
        drop(store);
        store = backend.open();
        store.reclaim(Lapsed::Predecessor("a".into()), 2_000, 2_000).await.unwrap();
        let left = store.lease(&lessee("a", i64::MAX), 250, 2_000).await.unwrap();
        assert_eq!(i64::try_from(left.len()).unwrap(), reserved, "who died had reserved");
        let ends = left.iter().map(async |lease| {
            assert_eq!(begin(&store, lease).await, Credit::Granted, "it has what it reserved");
            finish(&store, lease, &ended("hi", Outcome::Text), 2_000).await;
        });
        answered += u32::try_from(join_all(ends).await.len()).unwrap();
        assert_eq!(books(&store, NUMBER).await.1, 0);
    }
    assert_eq!(answered, 100, "all that there were");
    assert_eq!(books(&store, NUMBER).await, (0, 0, 100));
    assert_eq!(books(&store, "hark").await, (900, 0, 100));
    let sum = &sums(&store, &[]).await[0];
    assert_eq!((sum.turns, sum.credits), (waves.unsigned_abs() * 250, 100));
}

async fn a_turn_needs_credits_of_its_number_and_of_its_agent<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    open(&store, CreditScope::Number, NUMBER, 5).await;
    open(&store, CreditScope::Agent, "hark", 1).await;
    let leases = crowd(&store, "a", 2).await;
    assert_eq!(begin(&store, &leases[0]).await, Credit::Granted);
    assert_eq!(begin(&store, &leases[1]).await, Credit::Refused(CreditScope::Agent));
    assert_eq!((books(&store, NUMBER).await.1, books(&store, "hark").await.1), (1, 1));
    // Another agent has no account; one whose answers cost more than is left has too little.
    let other = hark::store::AgentUsed { name: "other", version: None, credits: 4 };
    let begun = store.begin(&leases[1], other, 0.0, 1_000).await.unwrap();
    assert_eq!(begun.credit, Credit::Granted);
    assert_eq!(books(&store, NUMBER).await, (5, 5, 0));
    finish(&store, &leases[1], &ended("hi", Outcome::Text), 1_000).await;
    finish(&store, &leases[0], &ended("hi", Outcome::Fallback), 1_000).await;
    assert_eq!(books(&store, NUMBER).await, (1, 0, 4));
    assert_eq!(books(&store, "hark").await, (1, 0, 0));
    let free = hark::store::AgentUsed { name: "hark", version: None, credits: 0 };
    let lease = crowd(&store, "b", 1).await.remove(0);
    assert_eq!(store.begin(&lease, free, 0.0, 1_000).await.unwrap().credit, Credit::Granted);
    assert_eq!(books(&store, NUMBER).await.1, 0);
}

async fn a_turn_that_is_opened_again_is_paid_once<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    open(&store, CreditScope::Number, NUMBER, 1).await;
    let lease = begun(&store, "1", 1_000).await;
    let parts = vec![(Role::Answer, hark::turn::Content::Voice("media.1".into()))];
    store.plan(&lease, parts.into(), 1_000).await.unwrap();
    store.settle(&lease.turn, 0, Ok("wamid.out".into()), 1_000).await.unwrap();
    finish(&store, &lease, &ended("hi", Outcome::VoiceNote), 1_000).await;
    assert_eq!(books(&store, NUMBER).await, (0, 0, 1));
    let lost = StatusUpdate {
        number: NUMBER.into(),
        message: "wamid.out".into(),
        status: DeliveryStatus::Failed,
        at_ms: 1_500,
        error_code: Some(131_053),
        error_title: None,
        callback_data: Some(lease.turn.callback_data(0)),
    };
    store.record_statuses(vec![lost], 1_500).await.unwrap();
    let again = lease_one(&store, 2_000).await;
    let opened = store.begin(&again, "hark".into(), 0.0, 2_000).await.unwrap();
    assert_eq!(opened.credit, Credit::Granted, "it is paid");
    assert_eq!(opened.parts[0].state, PartState::Failed);
    let index = plan(&store, &again, Role::Answer, "in words").await;
    store.settle(&again.turn, index, Ok("wamid.text".into()), 2_000).await.unwrap();
    finish(&store, &again, &ended("hi", Outcome::Text), 2_000).await;
    assert_eq!(books(&store, NUMBER).await, (0, 0, 1));
    let sum = &sums(&store, &[]).await[0];
    assert_eq!((sum.turns, sum.credits, sum.used.messages), (1, 1, 1));
}

async fn what_was_not_answered_is_free<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    open(&store, CreditScope::Number, NUMBER, 9).await;
    let unasked = |outcome| {
        let mut draft = ended("hi", outcome);
        draft.report.spent.answers = 0;
        draft
    };
    for (place, (end, spent)) in [
        (ended("hi", Outcome::Failed), 0),
        (ended("hi", Outcome::Fallback), 0),
        (unasked(Outcome::Question), 0),
        (unasked(Outcome::Text), 0),
        (refused(), 0),
        (ended("hi", Outcome::Text), 1),
        (ended("hi", Outcome::VoiceNote), 2),
    ]
    .into_iter()
    .enumerate()
    {
        let lease = begun(&store, &place.to_string(), 1_000).await;
        finish(&store, &lease, &end, 1_000).await;
        assert_eq!(books(&store, NUMBER).await, (9 - spent, 0, spent), "{:?}", end.report.outcome);
    }
}

async fn somebody_is_warned_once_until_there_is_enough_again<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let warned = |warn_below| set(4, Some(warn_below));
    store.change_account(CreditScope::Number, NUMBER, warned(3), 0, 1).await.unwrap();
    let end = ended("hi", Outcome::Text);
    let answer = async |id: &str| {
        let lease = begun(&store, id, 1_000).await;
        let warnings = store.finish(&lease, &end, 7_000).await.unwrap();
        store.ack(&lease.key()).await.unwrap();
        warnings
    };
    assert_eq!(answer("1").await, []);
    let scope = CreditScope::Number;
    let expected = CreditWarning { scope, name: NUMBER.to_owned(), balance: 2, warn_below: 3 };
    assert_eq!(answer("2").await, std::slice::from_ref(&expected));
    assert_eq!(account(&store, NUMBER).await.warned_ms, Some(7_000));
    assert_eq!(answer("3").await, [], "it is known");
    let add = |balance| AccountChange { balance, warning: WarningChange::Keep };
    // Not enough yet.
    let more = add(BalanceChange::Add(1));
    store.change_account(scope, NUMBER, more, 1, 1).await.unwrap();
    assert_eq!(account(&store, NUMBER).await.warned_ms, Some(7_000));
    let more = add(BalanceChange::Add(1));
    store.change_account(scope, NUMBER, more, 2, 1).await.unwrap();
    assert_eq!(account(&store, NUMBER).await.warned_ms, None);
    assert_eq!(answer("4").await, [expected]);
    store.change_account(scope, NUMBER, set(4, None), 3, 1).await.unwrap();
    assert_eq!(account(&store, NUMBER).await.warned_ms, None);
    assert_eq!(answer("5").await, []);
}

async fn an_account_is_changed_in_order_and_leaves_no_trace_when_it_goes<B: Backend>() {
    let backend = B::fresh();
    let store = backend.open();
    let scope = CreditScope::Agent;
    let change = async |version| {
        store.change_account(scope, "hark", set(2, None), version, 1).await.unwrap()
    };
    assert_eq!(change(3).await, Changed::Absent);
    assert_eq!(change(0).await, Changed::Now(1));
    assert_eq!(change(0).await, Changed::Stale(1));
    assert_eq!(change(1).await, Changed::Now(2));
    let leases = crowd(&store, "a", 2).await;
    assert_eq!(begin(&store, &leases[0]).await, Credit::Granted);
    assert_eq!(store.remove_account(scope, "hark", 1).await.unwrap(), Changed::Stale(2));
    assert_eq!(store.remove_account(scope, "hark", 2).await.unwrap(), Changed::Now(2));
    assert_eq!(store.remove_account(scope, "hark", 2).await.unwrap(), Changed::Absent);
    assert_eq!(change(0).await, Changed::Now(1));
    finish(&store, &leases[0], &ended("hi", Outcome::Text), 1_000).await;
    assert_eq!(books(&store, "hark").await, (2, 0, 0), "it was reserved of another account");
    assert_eq!(begin(&store, &leases[1]).await, Credit::Granted);
    finish(&store, &leases[1], &ended("hi", Outcome::Text), 1_000).await;
    assert_eq!(books(&store, "hark").await, (1, 0, 1));
}
