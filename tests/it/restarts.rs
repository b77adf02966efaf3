//! Partitions that fail while the others go on: they come back, and what they come to is the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use attune::actors::Node;
use attune::actors::packing::Packing;
use attune::app::{self, Parts};
use attune::clock::Clock;
use attune::config::Config;
use attune::policy::Source;
use attune::scoring::Onnx;
use attune::store::{Durability, Memory, Store, Table};
use attune::stream::{Layout, Model, Replicas, Stored, Streams};

use crate::support::chance::Chance;
use crate::support::workload::{Message, PARTITIONS, POLICIES, Workload, closing, opening, probes};

/// How many messages a run has.
const MESSAGES: usize = 1_500;

/// How long a run may take to handle what is published.
const QUIET_MAX: Duration = Duration::from_mins(1);

/// So many refused tries let at least one of the partitions fail: each tries six times.
const CLASHES: u64 = PARTITIONS as u64 * 5 + 1;

/// How often something is looked at.
const POLL: Duration = Duration::from_millis(5);

/// How often a node writes what it knows.
const CHECKPOINT_EVERY: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_fail_one_by_one_lose_nothing_and_double_nothing() {
    let seed = Chance::seed();
    let workload = Workload::new(seed, MESSAGES);
    let undisturbed = Site::new().await;
    put(&undisturbed.model, &workload.messages);
    let expected = undisturbed.finish(&workload).await;
    assert!(expected.len() > 200, "{}", expected.len());

    let site = Site::new().await;
    let mut chance = Chance::new(seed ^ 4);
    for (part, idx) in workload.messages.chunks(10).zip(0_u64..) {
        put(&site.model, part);
        match idx % 40 {
            10 => site.model.clash_appends(CLASHES),
            0 | 5 | 30 => {
                site.model.lose_answer_of_append(1 + chance.below(4));
                site.model.lose_answer_of_publish(1 + chance.below(9));
            }
            _ => {}
        }
        // Events have to come while partitions are down and while they come back.
        tokio::time::sleep(Duration::from_millis(chance.below(80))).await;
    }
    let n_restarts = site.node.engine.meters.restarts.get();
    assert!(n_restarts >= 3, "{n_restarts} restarts prove nothing");
    assert_eq!(site.finish(&workload).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_owner_ends_the_first_one_and_goes_on() {
    let workload = Workload::new(Chance::seed(), MESSAGES);
    let undisturbed = Site::new().await;
    put(&undisturbed.model, &workload.messages);
    let expected = undisturbed.finish(&workload).await;

    // It does not trim the log before the other one, whose copy of the disk grows old, has read it.
    let first = Site::that_checkpoints(CHECKPOINT_EVERY * 10).await;
    let (before, after) = workload.messages.split_at(MESSAGES / 3);
    put(&first.model, before);
    let n_read = first.model.stored_events().len() as u64;
    first
        .until("the first one reads", |_| first.node.offset() >= n_read)
        .await;
    let second = first.rival().await;
    second
        .until("the second one is up", |_| second.node.ready().is_ok())
        .await;
    put(&first.model, after);
    let why = tokio::time::timeout(QUIET_MAX, first.node.failed()).await;
    let why = why.expect("the first one ends");
    assert!(why.contains("another owner wrote to it"), "{why}");
    assert_eq!(second.finish(&workload).await, expected);
}

fn put(model: &Model, messages: &[Message]) {
    for message in messages {
        model.put_event(
            message.token(),
            message.payload().to_owned(),
            &[("Nats-Msg-Id", message.id())],
        );
    }
}

/// A node on a model of NATS.
struct Site {
    model: Model,
    node: Node,
    store: Arc<dyn Store>,
}

impl Site {
    async fn new() -> Self {
        Self::that_checkpoints(CHECKPOINT_EVERY).await
    }

    async fn that_checkpoints(every: Duration) -> Self {
        let layout = Layout::new("attune", PARTITIONS).expect("a good layout");
        let model = Model::new(layout, Replicas::One, opening());
        Self::on(model, Arc::new(Memory::default()), every).await
    }

    /// Starts a second node that knows what the disk of this one holds.
    async fn rival(&self) -> Self {
        let copy: Arc<dyn Store> = Arc::new(Memory::default());
        let mut rows = attune::store::Batch::default();
        // The position first: images may know more than it says, not less.
        for table in Table::ALL.into_iter().rev() {
            let all = self.store.scan(table, &[]..&[], usize::MAX);
            for (key, value) in all.expect("the memory can be read") {
                rows.put(table, key, value);
            }
        }
        copy.commit(rows, Durability::Process)
            .expect("the memory can be written");
        Self::on(self.model.clone(), copy, CHECKPOINT_EVERY).await
    }

    async fn on(model: Model, store: Arc<dyn Store>, checkpoint_every: Duration) -> Self {
        let opened = model.open().await.expect("the model is there");
        let sources = POLICIES.map(|(name, text)| Source::new(name, text));
        let parts = Parts {
            bundle: Arc::new(app::compile(&sources, false).expect("good policies")),
            scorer: Arc::new(Onnx::default()),
            packing: Packing::load(store.as_ref()).expect("the dictionaries can be read"),
            store: store.clone(),
        };
        let mut config = Config {
            clock: Clock::Event,
            ..Config::default()
        };
        config.limits.batch = 8;
        config.limits.residents = 64;
        let mut engine = app::engine(&config, parts, Arc::new(model.clone()), &opened);
        engine.limits.checkpoint_every = checkpoint_every;
        let node = Node::start(Arc::new(engine));
        Self { model, node, store }
    }

    /// Lets everything end; returns what left, by lane and id, with how often it did.
    async fn finish(self, workload: &Workload) -> BTreeMap<String, (String, usize)> {
        let n_events = workload.messages.len() + usize::try_from(workload.n_strays).expect("few");
        self.until("strays are forwarded", |model| {
            model.stored_events().len() >= n_events
        })
        .await;
        for (name, at) in [("close", closing()), ("finish", opening())] {
            put(&self.model, &probes(name, at));
            let subject = format!("attune.actions.probe.{name}");
            self.until(name, |model| {
                let actions = model.actions();
                let answers = actions.iter().filter(|action| action.subject == subject);
                answers.count() >= usize::from(PARTITIONS)
            })
            .await;
        }
        self.node.stop().await;
        let mut left = BTreeMap::new();
        count(&mut left, &self.model.actions(), |action| {
            action.id.clone().unwrap_or_default()
        });
        count(&mut left, &self.model.decisions(), |decision| {
            decision.id.clone().unwrap_or_default()
        });
        count(&mut left, &self.model.dead_letters(), |dead| {
            String::from_utf8_lossy(&dead.payload).into_owned()
        });
        let doubled: Vec<_> = left.iter().filter(|(_, (_, n))| *n > 1).collect();
        assert!(doubled.is_empty(), "{doubled:#?}");
        left
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Model) -> bool) {
        let since = Instant::now();
        while !is_so(&self.model) {
            let state = self.node.ready();
            assert!(since.elapsed() < QUIET_MAX, "{what}: {state:?}");
            tokio::time::sleep(POLL).await;
        }
    }
}

fn count(
    left: &mut BTreeMap<String, (String, usize)>,
    stored: &[Stored],
    key: impl Fn(&Stored) -> String,
) {
    for message in stored {
        let payload = String::from_utf8_lossy(&message.payload).into_owned();
        let text = format!("{} {payload}", message.subject);
        left.entry(key(message)).or_insert((text, 0)).1 += 1;
    }
}
