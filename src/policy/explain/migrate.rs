//! What becomes of those who are in earlier revisions.

use crate::policy::explain::words::list;
use crate::policy::journey::Journey;
use crate::policy::migration::{Migration, Target};

/// Says who of earlier revisions goes on in this one, and where; nothing if nobody does.
pub fn migrations(journey: &Journey) -> Vec<String> {
    let all = journey.migrate.iter();
    all.flat_map(|migration| said(journey, migration)).collect()
}

fn said(journey: &Journey, migration: &Migration) -> Vec<String> {
    let from = migration.from.iter().map(|of| format!("{of:016x}"));
    let from: Vec<String> = from.collect();
    let who = match from.as_slice() {
        [] => "who is in any of them".to_owned(),
        some => format!("who is in {}", list(some, "or")),
    };
    match &migration.to {
        Target::Exit => vec![format!("{who} leaves (migrated)")],
        Target::Same => vec![format!(
            "{who} goes on at the step of the same number, if there is one"
        )],
        Target::Steps(steps) => {
            let lands = |(old, target): (&std::sync::Arc<str>, &Option<usize>)| {
                let step = target.and_then(|idx| journey.flow.get(idx));
                let where_to = step.map(|step| format!("goes on at step {}", step.label));
                let where_to = where_to.unwrap_or_else(|| "leaves (migrated)".into());
                format!("{who} at step {old} {where_to}")
            };
            steps.iter().map(lands).collect()
        }
    }
}
