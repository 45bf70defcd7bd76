//! A turn's record put back to an instant before its end, as a crash would have left it.

use hark::store::{Access, SqlStore};
use hark::store::{Disposition, Draft, Lessee, Queue as _, Record as _};
use hark::turn::{About, Body, ContactRef, Content, Inbound, Role};

use super::{NUMBER, PERSON, TestApp};

impl TestApp {
    /// Restarts the service on a new store, in which the only turn has sent everything and the
    /// sends of the parts from `first` to `last` were not recorded any more; nor was its end.
    pub(crate) async fn rewind(&mut self, first: u32, last: u32) {
        let row = self.turns().await.remove(0);
        let sent = self.simulator.sent();
        let now_ms = self.now_ms();
        self.service.stop().await;
        self.world.use_store("rewound.db");
        let store = SqlStore::open(self.world.store(), Access::Serve).unwrap();

        let message = Inbound {
            number: NUMBER.into(),
            id: sent[0].reply_to.clone().expect("it answers a message"),
            from: Some(ContactRef {
                user_id: None,
                phone: Some(PERSON.into()),
                profile_name: None,
            }),
            raw_type: "text".to_owned(),
            body: Body::Text { text: row.heard.clone().expect("it was written") },
            about: About::default(),
            sent_at_ms: now_ms,
        };
        store.accept(vec![(message, Disposition::Queue)], now_ms).await.unwrap();
        // Of a process that is gone: over, where others would wait for its end.
        let lessee = Lessee { node: "local".into(), until_ms: now_ms };
        let lease = store.lease(&lessee, 1, now_ms).await.unwrap().remove(0);
        assert_eq!(lease.turn, row.turn);
        store.begin(&lease, row.agent.as_str().into(), 0.0, now_ms).await.unwrap();
        let report = row.report.expect("it is finished");
        let draft = Draft { heard: row.heard, language: None, report };
        store.draft(&lease, &draft).await.unwrap();
        let content = |message: &hark::simulator::ConversationMessage| match (
            &message.media,
            &message.text,
        ) {
            (Some(media), _) => (Role::Answer, Content::Voice(media.id.clone())),
            (None, Some(text)) => (Role::Beside, Content::Text(text.as_str().into())),
            (None, None) => panic!("{message:?} is neither"),
        };
        let parts: Vec<_> = sent.iter().map(content).collect();
        for (part, message) in
            store.plan(&lease, parts.into(), now_ms).await.unwrap().iter().zip(&sent)
        {
            assert_eq!(message.callback_data, Some(lease.turn.callback_data(part.index)));
            if !(first..=last).contains(&part.index) {
                let id = message.id.clone();
                store.settle(&lease.turn, part.index, Ok(id), now_ms).await.unwrap();
            }
        }
        drop(store);
        self.service.start(&self.world).await;
        self.store = SqlStore::open(self.world.store(), Access::Inspect).unwrap();
    }
}
