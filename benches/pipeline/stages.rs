//! Where the time of an event or a decision goes: the map for later work.

use attune::actors::Node;

use crate::row::Row;

/// Time that the stages of a node have taken so far, in nanoseconds.
#[derive(Default)]
pub struct Stages(Vec<u64>);

impl Stages {
    /// Looks at the clock of every stage.
    pub fn of(node: &Node) -> Self {
        let stages = node.engine.meters.stages();
        Self(stages.iter().map(|(_, stage)| stage.nanos.get()).collect())
    }

    /// Says what each stage took since then, in microseconds for each of `n`; waiting for NATS is not work.
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    pub fn since(&self, node: &Node, n: u64) -> String {
        let before = self.0.iter().copied().chain(std::iter::repeat(0));
        let stages = node.engine.meters.stages();
        let each = stages
            .iter()
            .zip(before)
            .filter_map(|((name, stage), before)| {
                let micros = (stage.nanos.get() - before) as f64 / 1e3 / n as f64;
                (!["append", "trim"].contains(name)).then(|| format!("{name} {micros:.2}"))
            });
        each.collect::<Vec<_>>().join(", ")
    }
}

/// Makes a line of the table that is a statement and has no goal.
pub fn row(what: String, figure: String) -> Row {
    Row {
        what,
        figure,
        reference: String::new(),
        ratio: None,
        goal: "stated".into(),
        ok: true,
    }
}
