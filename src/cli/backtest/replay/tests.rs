//! A replay that is saved goes on with what it has given.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Replay, Side};
use crate::cli::backtest::feed::Item;
use crate::domain::Timestamp;
use crate::domain::segment::{Depth, Received, decode};
use crate::policy::{Source, compile};
use crate::scoring::Scripted;

const POLICY: &str = "
journey: gift
class: transactional
enter: { event: Bought, reentry: always }
steps:
  - offer: { placement: thanks, as: pick }
  - branch: [ { when: pick.id == 'gift', then: [ { send: { channel: email, template: gift } } ] } ]
---
offers: { gift: { placements: [thanks], budget: 5 } }
placements: { thanks: {} }
channels: { email: { address: none, consent: not_required } }
";

#[test]
fn what_a_budget_has_given_is_saved() {
    let bundle = compile(&[Source::new("p.yaml", POLICY)]).map_err(|wrong| wrong.render(false));
    let side = Side {
        bundle: bundle.unwrap(),
        scorer: Arc::new(Scripted::default()),
    };
    let mut replay = Replay::new(&side, NonZeroUsize::MAX);
    let mut n_given = 0;
    for n in 0..12 {
        replay.take(&[bought(n)]).unwrap();
        n_given += std::mem::take(&mut replay.left).len();
        let mut saved = Vec::new();
        replay.save(&mut saved).unwrap();
        replay = Replay::new(&side, NonZeroUsize::MAX);
        replay.load(&mut saved.as_slice()).unwrap();
    }
    assert_eq!(n_given, 5);
}

fn bought(n: u64) -> Item {
    let at = Timestamp::from_millis(1_769_853_600_000 + i64::try_from(n * 60_000).unwrap());
    let json = serde_json::json!({
        "type": "track", "event": "Bought", "userId": format!("c{n}"), "messageId": format!("m{n}"),
        "timestamp": at.to_string(),
    });
    let received = Received {
        at,
        real: false,
        fallback_id: &|| "none".into(),
    };
    let decoded = decode(json.to_string().as_bytes(), &received, |_| Depth::Whole);
    Item::new(n, at, decoded)
}
