//! What a decision among many offers costs: each of them a row of one call to a tree ensemble, and what it takes to explain it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::ensure;

use crate::clients::{Load, N_CONNECTIONS, Shop, ask};
use crate::latency::{at, millis};
use crate::row::{Row, per_second};
use crate::throughput::{runtime, scaled};

/// The most requests a second when it is not saturated.
const RATE_MAX: u32 = 1_000;
/// What asks for an explanation.
const EXPLAIN: &str = r#","explain":true"#;
/// The model, of the folder of the repository.
const MODEL: &str = "purchase-intent";
/// Its input that is another for each offer here.
const COLUMN: &str = "profile.traits.traffic_type";

/// A placement to decide in.
struct Case {
    /// Its offers.
    n_offers: usize,
    /// One in so many waits for the page that is asked for.
    one_in: usize,
    /// What half of the answers at a steady rate must take less than.
    p50: Option<Duration>,
    /// What all but a hundredth must take less than.
    p99: Option<Duration>,
}

const CASES: [Case; 4] = [
    Case {
        n_offers: 20,
        one_in: 1,
        p50: Some(Duration::from_micros(700)),
        p99: Some(Duration::from_millis(2)),
    },
    Case {
        n_offers: 200,
        one_in: 1,
        p50: None,
        p99: None,
    },
    Case {
        n_offers: 2_000,
        one_in: 100,
        p50: None,
        p99: Some(Duration::from_millis(10)),
    },
    Case {
        n_offers: 2_000,
        one_in: 1,
        p50: None,
        p99: Some(Duration::from_millis(10)),
    },
];

/// Measures each case saturated and at a steady rate, and the first with explanations.
pub fn many() -> anyhow::Result<Vec<Row>> {
    runtime()?.block_on(async {
        let mut rows = Vec::new();
        for case in &CASES {
            rows.extend(of(case).await?);
        }
        rows.push(explained(&CASES[0]).await?);
        Ok(rows)
    })
}

async fn of(case: &Case) -> anyhow::Result<Vec<Row>> {
    let shop = open(case).await?;
    let n = scaled(400_000 / case.n_eligible().max(20)).max(10 * N_CONNECTIONS);
    ask(shop.address, n / 10, None, "").await?;
    let saturated = ask(shop.address, n, None, "").await?;
    let rate = steady_rate(&saturated);
    let n = scaled(rate as usize * 8).max(10 * N_CONNECTIONS);
    let steady = ask(shop.address, n, Some(rate), "").await?;
    shop.node.stop().await;
    let at_rate = format!("{rate} requests/s");
    let at_most = format!("saturated, {}", per_second(saturated.rate()));
    let rows = [
        (0.5, "p50", case.p50, &at_rate, &steady),
        (0.99, "p99", case.p99, &at_rate, &steady),
        (0.5, "p50", None, &at_most, &saturated),
        (0.99, "p99", None, &at_most, &saturated),
    ];
    let rows = rows.map(|(share, name, most, pace, load)| {
        let took = at(&load.latencies, share);
        Row {
            what: format!("{}, {name}, {pace}", case.what()),
            figure: millis(took),
            reference: String::new(),
            ratio: None,
            goal: most.map_or_else(String::new, |most| format!("< {}", millis(most))),
            ok: most.is_none_or(|most| took < most),
        }
    });
    Ok(rows.into())
}

/// Returns what is asked at a steady rate: half of what can be, so that it is known what a decision takes and not what a queue does.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are small"
)]
fn steady_rate(saturated: &Load) -> u32 {
    RATE_MAX.min((saturated.rate() / 2.0) as u32).max(1)
}

async fn explained(case: &Case) -> anyhow::Result<Row> {
    let shop = open(case).await?;
    let n = scaled(10_000);
    ask(shop.address, n / 4, None, "").await?;
    let (mut plain, mut explained) = (None::<Load>, None::<Load>);
    for _ in 0..3 {
        for (sum, more) in [(&mut plain, ""), (&mut explained, EXPLAIN)] {
            let load = ask(shop.address, n, None, more).await?;
            match sum {
                Some(sum) => sum.merge(load),
                None => *sum = Some(load),
            }
        }
    }
    shop.node.stop().await;
    let rate = |of: Option<Load>| of.map_or(0.0, |of| of.rate());
    let (plain, explained) = (rate(plain), rate(explained));
    let ratio = explained / plain;
    Ok(Row {
        what: format!("{}, explained", case.what()),
        figure: per_second(explained),
        reference: per_second(plain),
        ratio: Some(ratio),
        goal: "≥ 0.5".into(),
        ok: ratio >= 0.5,
    })
}

async fn open(case: &Case) -> anyhow::Result<Shop> {
    let models = tempfile::tempdir()?;
    put_model(models.path())?;
    Shop::open(&case.policy()?, models.path()).await
}

/// Puts a model into a folder that looks at the offer, too.
fn put_model(dir: &Path) -> anyhow::Result<()> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("models")
        .join(MODEL);
    let to = dir.join(MODEL);
    fs::create_dir(&to)?;
    for name in ["model.onnx", "golden.json"] {
        fs::copy(from.join(name), to.join(name))?;
    }
    let manifest = fs::read_to_string(from.join("model.yaml"))?;
    ensure!(manifest.contains(COLUMN), "the manifest has no `{COLUMN}`");
    fs::write(
        to.join("model.yaml"),
        manifest.replace(COLUMN, "offer.value"),
    )?;
    Ok(())
}

impl Case {
    fn n_eligible(&self) -> usize {
        self.n_offers / self.one_in
    }

    fn what(&self) -> String {
        let of = self.n_eligible();
        format!(
            "POST /v1/decide, {} offers, {of} eligible and scored in one call",
            self.n_offers
        )
    }

    fn policy(&self) -> anyhow::Result<String> {
        let mut policy = String::from("offers:\n");
        for idx in 0..self.n_offers {
            let page = match idx % self.one_in {
                0 => "start".to_owned(),
                other => format!("page-{other}"),
            };
            writeln!(
                policy,
                "  offer-{idx:04}: {{ placements: [home], value: {}, when: context.page == '{page}' }}",
                1 + idx % 7,
            )?;
        }
        write!(
            policy,
            "placements:\n  home: {{ model: {MODEL}, limit: 3 }}\n"
        )?;
        Ok(policy)
    }
}
