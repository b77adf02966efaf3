//! Budgets hold while partitions fail one by one under callers that compete, and no quota is stuck where nobody asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use attune::actors::Node;
use attune::actors::live::Policies;
use attune::actors::packing::Packing;
use attune::app::{self, Parts};
use attune::clock::Clock;
use attune::config::Config;
use attune::decide::Ask;
use attune::domain::{Answer, CustomerId, Partition, Value};
use attune::policy::Source;
use attune::scoring::Onnx;
use attune::store::Memory;
use attune::stream::{Layout, Model, Replicas, Streams};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::chance::Chance;
use crate::support::shares::{POLICIES, given, is_all, must_be_all, must_be_within};
use crate::support::workload::{PARTITIONS, opening};

/// The day on which everything happens.
const DAY: &str = "2026-03-01";

/// How many ask at a time.
const CALLERS: usize = 8;

/// How long a caller rests between two calls.
const REST: Duration = Duration::from_millis(4);

/// How long the rest may take.
const QUIET_MAX: Duration = Duration::from_secs(30);

/// So many refused tries let at least one of the partitions fail: each tries six times.
const CLASHES: u64 = PARTITIONS as u64 * 5 + 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_fail_give_budgets_to_the_last_and_nothing_beyond() {
    let site = Arc::new(Site::new().await);
    let mut chance = Chance::new(Chance::seed() ^ 0xc);
    let ended = Arc::new(AtomicBool::default());
    let mut callers = JoinSet::new();
    for idx in 0..CALLERS {
        callers.spawn(compete(site.clone(), ended.clone(), idx));
    }
    for _ in 0..4 {
        for _ in 0..3 {
            site.model.lose_answer_of_append(1 + chance.below(4));
            tokio::time::sleep(Duration::from_millis(20 + chance.below(40))).await;
        }
        site.fail_one().await;
        must_be_within(&site.given());
    }
    assert!(
        !is_all(&site.given(), DAY),
        "nothing is left for those that came back"
    );
    let since = Instant::now();
    while !is_all(&site.given(), DAY) && since.elapsed() < QUIET_MAX {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    ended.store(true, Ordering::Relaxed);
    while let Some(caller) = callers.join_next().await {
        caller.expect("a caller goes on whatever happens");
    }
    must_be_all(&site.given(), DAY);
}

/// Asks and visits until the end.
async fn compete(site: Arc<Site>, ended: Arc<AtomicBool>, idx: usize) {
    let mut n = idx;
    while !ended.load(Ordering::Relaxed) {
        n += CALLERS;
        let answer = site.ask(&format!("c{}", n % 100), n).await;
        if answer.is_some() && n.is_multiple_of(4) {
            site.visit(n);
        }
        tokio::time::sleep(REST).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_idle_elsewhere_is_called_back() {
    let site = Site::new().await;
    // Everybody has leased something; the customers of one partition ask alone.
    let own: Vec<String> = (0..200)
        .map(|n| format!("c{n}"))
        .filter(|name| {
            CustomerId::parse(name)
                .expect("an id")
                .partition(PARTITIONS)
                == Partition(0)
        })
        .collect();
    let since = Instant::now();
    let mut n = 1_000;
    while !is_all(&site.given(), DAY) {
        for _ in 0..500 {
            n += 1;
            site.ask(&own[n % own.len()], n).await;
        }
        assert!(since.elapsed() < QUIET_MAX, "{:#?}", site.given());
    }
    must_be_all(&site.given(), DAY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_higher_limit_counts_at_once_and_under_a_lower_one_nothing_more_is_given() {
    let site = Site::new().await;
    let policies = |few: u64| {
        let text = POLICIES[0]
            .1
            .replace("budget: 40 }", &format!("budget: {few} }}"));
        let bundle = app::compile(&[Source::new("budgets.yaml", &text)], false);
        Policies::new(
            1,
            Arc::new(bundle.expect("good policies")),
            Arc::new(Onnx::default()),
        )
    };
    let n_few = || {
        site.given()
            .get(&("few".into(), String::new()))
            .copied()
            .unwrap_or(0)
    };
    let mut n = 0;
    for (limit, n_expected) in [(60, 60), (20, 60), (61, 61), (0, 61), (70, 70)] {
        site.node.engine.live.set(policies(limit));
        // Long enough for whatever was leased to be called back.
        for _ in 0..150 {
            n += 1;
            site.ask(&format!("c{}", n % 40), n).await;
            tokio::time::sleep(REST).await;
        }
        assert_eq!(n_few(), n_expected, "of {limit}");
    }
}

/// A node on a model of NATS.
struct Site {
    model: Model,
    node: Node,
}

impl Site {
    async fn new() -> Self {
        let layout = Layout::new("attune", PARTITIONS).expect("a good layout");
        let model = Model::new(layout, Replicas::One, opening());
        let opened = model.open().await.expect("the model is there");
        let sources = POLICIES.map(|(name, text)| Source::new(name, text));
        let parts = Parts {
            bundle: Arc::new(app::compile(&sources, false).expect("good policies")),
            scorer: Arc::new(Onnx::default()),
            store: Arc::new(Memory::default()),
            packing: Packing::default(),
        };
        let config = Config {
            clock: Clock::Event,
            ..Config::default()
        };
        let mut engine = app::engine(&config, parts, Arc::new(model.clone()), &opened);
        engine.limits.checkpoint_every = Duration::from_millis(20);
        let site = Self {
            node: Node::start(Arc::new(engine)),
            model,
        };
        site.opens().await;
        site
    }

    /// Waits until every partition knows what day it is.
    async fn opens(&self) {
        self.visit(0);
        for n in 0..40 {
            self.knows_the_day(&format!("c{n}"), 1_000_000 + n * 1_000)
                .await;
        }
    }

    async fn knows_the_day(&self, customer: &str, from: usize) {
        let since = Instant::now();
        for n in from.. {
            let answer = self.ask(customer, n).await;
            if answer.is_some_and(|answer| answer.decided_at >= opening()) {
                return;
            }
            assert!(since.elapsed() < QUIET_MAX, "{:?}", self.node.ready());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets a partition fail; it may be up again by then.
    async fn fail_one(&self) {
        let n_restarts = || self.node.engine.meters.restarts.get();
        let (before, since) = (n_restarts(), Instant::now());
        self.model.clash_appends(CLASHES);
        while n_restarts() == before {
            assert!(since.elapsed() < QUIET_MAX, "no partition fails");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn ask(&self, customer: &str, n: usize) -> Option<Arc<Answer>> {
        let ask = Ask {
            id: n.to_string().into(),
            placement: "hero".into(),
            context: Value::Null,
            limit: None,
            stranger: false,
        };
        let customer = CustomerId::parse(customer).expect("an id");
        self.node.ask(customer, ask).await.ok()
    }

    /// Enters the journey that has a decision of its own.
    fn visit(&self, n: usize) {
        let customer = CustomerId::parse(&format!("c{}", n % 100)).expect("an id");
        let payload = json!({
            "type": "track", "event": "visited", "userId": customer, "messageId": format!("v{n}"),
            "timestamp": opening().to_string(), "properties": {},
        });
        let id = format!("v{n}");
        let headers = [("Nats-Msg-Id", id.as_str())];
        self.model
            .put_event(&customer.token(), payload.to_string(), &headers);
    }

    /// Returns what was published of each offer.
    fn given(&self) -> std::collections::BTreeMap<(String, String), u64> {
        let decisions = self.model.decisions();
        let mut payloads = std::collections::BTreeMap::new();
        for decision in &decisions {
            let text = std::str::from_utf8(&decision.payload).expect("JSON");
            let again = payloads.insert(decision.id.clone(), text);
            assert!(again.is_none(), "twice: {text}");
        }
        given(payloads.into_values())
    }
}
