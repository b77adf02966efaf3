//! Nothing is given beyond a limit, whatever is lost or comes late; and what is left can be given.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Claim, Holder, Key, Ledger, Market, Per, Period, Quota, Refusal, Till};
use crate::domain::budget::Purse;
use crate::domain::{Timestamp, Zone};

const PARTITIONS: u16 = 4;

fn key(offer: &str, number: i32) -> Key {
    let per = Per::Day;
    Key {
        offer: offer.into(),
        period: Period { per, number },
    }
}

fn claim(number: i32, limit: u64) -> Claim {
    Claim {
        key: key("gift", number),
        limit,
    }
}

/// One thing that happens to a node.
#[derive(Clone, Debug)]
enum Event {
    /// A customer of a partition decides; whether the decision stays, or is made again because another input panicked.
    Decide(u16, bool),
    /// A partition ends its batch: the commit is on its way.
    Append(u16),
    /// The commit stands, and the partition hears of it.
    Stand(u16),
    /// A partition dies; its commit on the way is in the log, or is not.
    Die(u16, bool),
    /// The process dies; so do all partitions.
    Kill(bool),
    /// The next day begins for whoever decides from here on; a clock behind still tells the one before.
    Tomorrow,
    Yesterday,
    /// The policies have another limit.
    Limit(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let id = || 0..PARTITIONS;
    prop_oneof![
        16 => (id(), prop::bool::weighted(0.95)).prop_map(|(id, stays)| Event::Decide(id, stays)),
        4 => id().prop_map(Event::Append),
        4 => id().prop_map(Event::Stand),
        1 => (id(), any::<bool>()).prop_map(|(id, landed)| Event::Die(id, landed)),
        1 => any::<bool>().prop_map(Event::Kill),
        1 => Just(Event::Tomorrow),
        1 => Just(Event::Yesterday),
        1 => (0_u64..60).prop_map(Event::Limit),
    ]
}

/// A node, and what is in the logs of its partitions.
struct World {
    market: Market,
    lives: Vec<Life>,
    logs: Vec<Ledger>,
    today: i32,
    limit: u64,
    /// By day: the largest limit there was.
    limits: BTreeMap<Key, u64>,
    /// By day: what had been given, be it on its way, when the limit was set.
    given_before: BTreeMap<Key, u64>,
}

#[derive(Default)]
struct Life {
    holder: Option<Holder>,
    spent: Vec<Key>,
    /// The commit on its way.
    commit: Option<Vec<(Key, Quota)>>,
}

impl World {
    fn new(limit: u64) -> Self {
        let mut world = Self {
            market: Market::new(PARTITIONS),
            lives: Vec::new(),
            logs: vec![Ledger::new(); usize::from(PARTITIONS)],
            today: 20_000,
            limit,
            limits: BTreeMap::new(),
            given_before: BTreeMap::new(),
        };
        world.start();
        world
    }

    /// The process starts: what is known is what the logs say.
    fn start(&mut self) {
        self.market = Market::new(PARTITIONS);
        self.lives = Vec::new();
        for (id, log) in (0..).zip(&self.logs) {
            let holder = Some(self.market.begin(id, log));
            self.lives.push(Life {
                holder,
                ..Life::default()
            });
        }
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Decide(id, stays) => {
                self.decide(*id, *stays);
            }
            Event::Append(id) => self.append(*id),
            Event::Stand(id) => self.stand(*id),
            Event::Die(id, landed) => self.die(*id, *landed),
            Event::Kill(landed) => {
                for id in 0..PARTITIONS {
                    self.lose(id, *landed);
                }
                self.start();
            }
            Event::Tomorrow => self.today += 1,
            Event::Yesterday => self.today -= 1,
            Event::Limit(limit) => {
                self.limit = *limit;
                self.given_before = self.given();
            }
        }
    }

    /// Decides, if no commit is on its way; tells if the offer was given.
    fn decide(&mut self, id: u16, stays: bool) -> bool {
        let today = claim(self.today, self.limit);
        let life = &mut self.lives[usize::from(id)];
        let limit = self.limits.entry(today.key.clone()).or_default();
        *limit = self.limit.max(*limit);
        let Some(holder) = life.holder.filter(|_| life.commit.is_none()) else {
            return false;
        };
        if self
            .market
            .take(holder, std::slice::from_ref(&today))
            .is_err()
        {
            return false;
        }
        life.spent.extend(stays.then_some(today.key));
        stays
    }

    fn append(&mut self, id: u16) {
        let life = &mut self.lives[usize::from(id)];
        if let Some(holder) = life.holder.filter(|_| life.commit.is_none()) {
            let spent = std::mem::take(&mut life.spent);
            life.commit = Some(self.market.settle(holder, &spent));
        }
    }

    fn stand(&mut self, id: u16) {
        let life = &mut self.lives[usize::from(id)];
        if let Some((holder, commit)) = life.holder.zip(life.commit.take()) {
            let log = &mut self.logs[usize::from(id)];
            log.extend(commit.clone());
            for gone in self.market.stands(holder, &commit) {
                log.remove(&gone);
            }
        }
    }

    /// What was on its way is in the log, or is not; what was not is lost.
    fn lose(&mut self, id: u16, landed: bool) {
        let life = std::mem::take(&mut self.lives[usize::from(id)]);
        let commit = life.commit.filter(|_| landed);
        self.logs[usize::from(id)].extend(commit.into_iter().flatten());
    }

    fn die(&mut self, id: u16, landed: bool) {
        self.lose(id, landed);
        let holder = self.market.begin(id, &self.logs[usize::from(id)]);
        self.lives[usize::from(id)].holder = Some(holder);
    }

    /// Returns what the logs and the commits on their way have given.
    fn given(&self) -> BTreeMap<Key, u64> {
        let mut sum = BTreeMap::new();
        for (log, life) in self.logs.iter().zip(&self.lives) {
            let mut ledger = log.clone();
            ledger.extend(life.commit.iter().flatten().cloned());
            for (key, quota) in ledger {
                *sum.entry(key).or_default() += quota.used;
            }
            for key in &life.spent {
                *sum.entry(key.clone()).or_default() += 1;
            }
        }
        sum
    }

    fn must_be_right(&self) {
        for (key, n) in self.given() {
            let limit = self.limits.get(&key).copied().unwrap_or(0);
            assert!(n <= limit, "{n}/{limit} of {key:?}");
            // What was given before the limit was lowered stays given, and nothing is added.
            let before = self.given_before.get(&key).copied().unwrap_or(0);
            assert!(
                n <= self.limit.max(before),
                "{n}/{} {before} of {key:?}",
                self.limit
            );
        }
        for (key, leased) in self.leased() {
            let limit = self.limits.get(&key).copied().unwrap_or(0);
            assert!(leased <= limit, "{leased}/{limit} of {key:?} are leased");
        }
        for log in &self.logs {
            assert!(log.values().all(|quota| quota.used <= quota.leased));
        }
    }

    /// Returns what all partitions have leased, should what is on its way be lost or not.
    fn leased(&self) -> BTreeMap<Key, u64> {
        let mut sum = BTreeMap::new();
        for (log, life) in self.logs.iter().zip(&self.lives) {
            let mut own: BTreeMap<&Key, u64> = BTreeMap::new();
            let both = log.iter();
            let both = both.chain(
                life.commit
                    .iter()
                    .flatten()
                    .map(|(key, quota)| (key, quota)),
            );
            for (key, quota) in both {
                let most = own.entry(key).or_default();
                *most = quota.leased.max(*most);
            }
            for (key, leased) in own {
                *sum.entry(key.clone()).or_default() += leased;
            }
        }
        sum
    }

    /// Lets everything come to rest: every commit stands, and what is wanted is given back.
    fn rest(&mut self) {
        for id in (0..PARTITIONS).cycle().take(usize::from(PARTITIONS) * 2) {
            self.append(id);
            self.stand(id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_gives_more_than_the_limit_and_all_that_is_left_can_be_given(
        limit in 0_u64..60,
        is_steady in any::<bool>(),
        events in prop::collection::vec(event(), 0..400),
    ) {
        let mut world = World::new(limit);
        let stays = |event: &&Event| !matches!(event, Event::Limit(_) | Event::Tomorrow | Event::Yesterday);
        for event in events.iter().filter(|event| !is_steady || stays(event)) {
            world.happen(event);
            world.must_be_right();
        }
        // One partition alone gets what is left of the last day, wherever it was leased.
        world.rest();
        let day = key("gift", world.today);
        let is_old = world.market.look(world.lives[0].holder.unwrap(), &claim(world.today, 1_000)) == Some(Refusal::Over);
        if !is_old {
            for _ in 0..60 {
                world.decide(0, true);
                world.rest();
                world.must_be_right();
            }
            let n = world.given().get(&day).copied().unwrap_or(0);
            prop_assert!(n >= world.limit, "{}/{}", n, world.limit);
        }
    }

    /// A till is a market of one: it gives the limit, and not one more.
    #[test]
    fn a_till_gives_the_limit_exactly(limit in 0_u64..200, days in prop::collection::vec(0_i32..4, 0..600)) {
        let mut till = Till::default();
        let mut given = BTreeMap::<i32, u64>::new();
        for (n, day) in days.iter().enumerate() {
            if till.take(&[claim(*day, limit)]).is_ok() {
                *given.entry(*day).or_default() += 1;
                till.settle(&[key("gift", *day)]);
            }
            if n % 50 == 0 {
                till = Till::new(&till.ledger());
            }
        }
        for day in 0..4 {
            let n_asked = days.iter().filter(|of| **of == day).count() as u64;
            prop_assert_eq!(given.get(&day).copied().unwrap_or(0), n_asked.min(limit));
        }
    }

    /// A period is one piece of time, between the moments that its calendar says.
    #[test]
    fn periods_follow_each_other(
        at in -10_000_000_000_i64..4_000_000_000_000,
        per in prop::sample::select(vec![Per::Day, Per::Week, Per::Month]),
        zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    ) {
        let (zone, at) = (Zone::parse(zone).unwrap(), Timestamp::from_millis(at));
        let period = Period::of(per, &zone, at);
        let end = period.end(&zone).unwrap();
        prop_assert!(at < end);
        let next = Period::of(per, &zone, end);
        prop_assert_eq!(next.number, period.number + 1);
        let last = Timestamp::from_millis(end.as_millis() - 1);
        prop_assert_eq!(Period::of(per, &zone, last), period);
    }
}

#[test]
fn nothing_is_leased_before_all_partitions_are_known() {
    let mut market = Market::new(2);
    let held = Quota { leased: 2, used: 1 };
    let ledger = Ledger::from([(key("gift", 0), held)]);
    let first = market.begin(0, &ledger);
    // What it has leased it may give.
    assert_eq!(market.take(first, &[claim(0, 9)]), Ok(()));
    assert_eq!(market.look(first, &claim(0, 9)), Some(Refusal::Unknown));
    market.begin(1, &Ledger::new());
    assert_eq!(market.look(first, &claim(0, 9)), None);
}

#[test]
fn who_lived_before_gives_nothing() {
    let mut market = Market::new(1);
    let before = market.begin(0, &Ledger::new());
    assert_eq!(market.take(before, &[claim(0, 9)]), Ok(()));
    let after = market.begin(0, &Ledger::new());
    assert_eq!(market.look(before, &claim(0, 9)), Some(Refusal::Unknown));
    assert_eq!(market.settle(before, &[key("gift", 0)]), []);
    assert_eq!(market.look(after, &claim(0, 9)), None);
}

#[test]
fn old_periods_are_forgotten_and_nothing_more_is_given_in_them() {
    let mut market = Market::new(1);
    let holder = market.begin(0, &Ledger::new());
    let give = |market: &mut Market, day: i32| {
        let taken = market.take(holder, &[claim(day, 9)]);
        let moved = market.settle(holder, &[key("gift", day)]);
        taken.map(|()| market.stands(holder, &moved))
    };
    let n = Market::PERIODS_MAX;
    for day in 0..=n {
        assert_eq!(give(&mut market, day), Ok(Vec::new()));
    }
    assert_eq!(give(&mut market, n + 1), Ok(vec![key("gift", 0)]));
    assert_eq!(market.look(holder, &claim(0, 9)), Some(Refusal::Over));
    assert_eq!(market.look(holder, &claim(1, 9)), None);
    // Days do not age what has no end, nor weeks.
    let ever = Key {
        offer: "gift".into(),
        period: Period {
            per: Per::Ever,
            number: 0,
        },
    };
    assert_eq!(
        market.look(
            holder,
            &Claim {
                key: ever,
                limit: 1
            }
        ),
        None
    );
}

#[test]
fn a_partition_has_so_many_quotas_and_no_more() {
    let mut market = Market::new(1);
    let quota = Quota { leased: 2, used: 1 };
    let names = (0..Market::ROWS_MAX).map(|n| (key(&n.to_string(), 0), quota));
    let holder = market.begin(0, &names.collect());
    assert_eq!(market.look(holder, &claim(0, 9)), Some(Refusal::Full));
    let known = Claim {
        key: key("7", 0),
        limit: 9,
    };
    assert_eq!(market.look(holder, &known), None);
}

#[test]
fn so_much_lies_idle_and_no_more() {
    // A busy market of 16, each of them with a lease that it has just begun.
    for limit in [1_u64, 10, 100, 1_000, 100_000] {
        let mut market = Market::new(16);
        let holders: Vec<Holder> = (0..16).map(|id| market.begin(id, &Ledger::new())).collect();
        let mut idle = 0;
        for holder in &holders {
            if market.take(*holder, &[claim(0, limit)]).is_ok() {
                let moved = market.settle(*holder, &[key("gift", 0)]);
                market.stands(*holder, &moved);
                idle += moved.iter().map(|(_, of)| of.leased - of.used).sum::<u64>();
            }
        }
        assert!(
            idle <= (limit / 2).min(16 * Market::LEASE_MAX),
            "{idle}/{limit}"
        );
    }
}

#[test]
fn periods_are_told_as_calendars_do() {
    let at = Timestamp::parse("2026-03-01T00:30:00Z").unwrap();
    let told = |per, zone: &str| Period::of(per, &Zone::parse(zone).unwrap(), at).to_string();
    assert_eq!(told(Per::Day, "UTC"), "2026-03-01");
    assert_eq!(told(Per::Day, "America/New_York"), "2026-02-28");
    assert_eq!(told(Per::Week, "UTC"), "the week of 2026-02-23");
    assert_eq!(told(Per::Month, "America/New_York"), "2026-02");
    assert_eq!(told(Per::Ever, "UTC"), "ever");
}
