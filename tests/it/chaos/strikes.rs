//! Strikes nodes and servers, and lifts what was done to them.

use std::time::Instant;

use tokio::task::block_in_place;

use super::harm::{Blow, Harm, HarmKind, Servers, Standing};
use super::link::LinkState;
use super::{Chaos, WebhookTarget};

/// One of so many strikes at a node leaves webhooks going to it.
const STAYS: u8 = 3;

impl Chaos {
    /// Returns the nodes against which nothing stands.
    pub(super) fn free(&self) -> Vec<usize> {
        let is_free =
            |node: &usize| self.standing.iter().all(|standing| standing.node != Some(*node));
        (0..self.forts.len()).filter(is_free).collect()
    }

    /// Whether something is there to be struck, and somebody is left then who goes on.
    pub(super) fn can_be_struck(&self) -> bool {
        self.servers.is_some() && self.free().len() > 1
    }

    /// Sends webhooks to a node that is free and not this one, if there is one.
    pub(super) fn send_webhooks_beside(&mut self, node: usize) {
        let free: Vec<usize> = self.free().into_iter().filter(|other| *other != node).collect();
        self.target = if free.is_empty() { node } else { free[self.random.usize(..free.len())] };
        let url = self.forts[self.target].url("/webhook").parse().unwrap();
        self.simulator.send_webhooks_to(WebhookTarget { url, headers: Vec::new() });
    }

    fn servers(&mut self) -> &mut Servers {
        self.servers.as_mut().expect("only what shares servers is struck")
    }

    /// Strikes. What is done to PostgreSQL is over when this returns, since no node starts without it.
    pub(super) async fn strike(&mut self, blow: Blow) {
        let lasts = blow.lasts(&mut self.random);
        let free = self.free();
        let node = blow.hits_a_node().then(|| free[self.random.usize(..free.len())]);
        let from_ms = self.clock.now_ms();
        self.standing.push(Standing { blow, node, from_ms, until: Instant::now() + lasts });
        match (blow, node) {
            (Blow::Postgres, _) => {
                let postgres = &mut self.servers().postgres;
                block_in_place(|| postgres.kill());
                tokio::time::sleep(lasts).await;
                let postgres = &mut self.servers().postgres;
                block_in_place(|| postgres.start_again());
                self.lift(false);
            }
            (Blow::Redis, _) => self.servers().redis.kill(),
            (Blow::Stop, Some(node)) => self.forts[node].signal("STOP"),
            (Blow::Silence, Some(node)) => self.servers().cut(node, LinkState::Silent),
            (Blow::Cut, Some(node)) => self.servers().cut(node, LinkState::Broken),
            _ => unreachable!("a node was chosen"),
        }
        if let Some(node) = node
            && node == self.target
            && self.random.u8(..STAYS) > 0
        {
            self.send_webhooks_beside(node);
        }
    }

    /// Lifts the blows whose time is over; or all of them.
    pub(super) fn lift(&mut self, all: bool) {
        let now = Instant::now();
        let over = |standing: &mut Standing| all || standing.until <= now;
        let lifted: Vec<Standing> = self.standing.extract_if(.., over).collect();
        for Standing { blow, node, from_ms, .. } in lifted {
            match (blow, node) {
                (Blow::Redis, _) => self.servers().redis.start_again(),
                (Blow::Stop, Some(node)) => self.forts[node].signal("CONT"),
                (Blow::Silence | Blow::Cut, Some(node)) => {
                    self.servers().cut(node, LinkState::Open);
                }
                _ => {}
            }
            let (what, until_ms) = (HarmKind::Blow(blow), self.clock.now_ms());
            self.harm.push(Harm { what, node, from_ms, until_ms });
        }
    }

    /// Waits for the end of every blow.
    pub(super) async fn lift_all(&mut self) {
        let last = self.standing.iter().map(|standing| standing.until).max();
        if let Some(last) = last {
            tokio::time::sleep_until(last.into()).await;
        }
        self.lift(true);
    }
}
