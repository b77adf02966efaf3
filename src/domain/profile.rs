//! All that is known of one customer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::cart::Cart;
use crate::domain::consent::Consent;
use crate::domain::contact::Contacts;
use crate::domain::crossing::Way;
use crate::domain::decision::Decisions;
use crate::domain::folded::{self, Folded};
use crate::domain::instance::{self, Instance, Past};
use crate::domain::response::Responses;
use crate::domain::suppression::Suppressions;
use crate::domain::timer::{Armed, Timer};
use crate::domain::{CustomerId, Duration, Fact, Map, Timestamp, Trace, Value};

/// The silence that ends a session.
pub const SESSION_GAP: Duration = Duration::from_secs(30 * 60);

/// A customer's live profile. Changed by [`Profile::apply`] alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Who.
    pub id: CustomerId,
    /// Logical time of the last input; never goes back.
    pub now: Timestamp,
    /// Fingerprints of the last [`Profile::SEEN_MAX`] events, the newest last.
    pub seen: VecDeque<u64>,
    /// What is told of the customer.
    pub traits: Map,
    /// The running or last session.
    pub session: Session,
    /// Features by id.
    pub features: BTreeMap<u64, Folded>,
    /// The cart.
    pub cart: Cart,
    /// Runs of journeys in progress, by number.
    pub journeys: Vec<Instance>,
    /// Runs begun so far: the next one has this number plus 1.
    pub n_runs: u32,
    /// Shadows begun so far.
    pub n_shadows: u32,
    /// The last ended run of each journey and key, the latest last, at most [`Profile::PAST_MAX`], and as many shadows.
    pub past: VecDeque<Past>,
    /// When capped offers were given.
    pub given: BTreeMap<Arc<str>, Vec<Timestamp>>,
    /// What the customer allows.
    pub consent: Consent,
    /// What is not to be sent to.
    pub suppressed: Suppressions,
    /// Sends that count against frequency caps.
    pub contacts: Contacts,
    /// What shadows would have sent, by journey: it counts against the caps of this shadow alone. At most
    /// [`Profile::GHOSTS_MAX`] journeys: the one that would have sent longest ago makes room.
    pub ghosts: BTreeMap<Arc<str>, Contacts>,
    /// The last [`Profile::TIMELINE_MAX`] lines, and as many of shadows, the newest last.
    pub timeline: VecDeque<Trace>,
    /// `context.timezone` of the last event that had one.
    pub zone: Option<Arc<str>>,
    /// Hash of the segments and triggers of policies that `segments` and `timers` follow; 0 before the first.
    pub standing: u64,
    /// The segments the customer is in, and since when.
    pub segments: BTreeMap<Arc<str>, Timestamp>,
    /// How often the edge of any segment was crossed.
    pub n_crossings: u64,
    /// How often the edge of any segment was crossed that only shadows ask for.
    pub n_shadow_crossings: u64,
    /// Timers that run beside the sleeps of runs, at most [`Profile::TIMERS_MAX`].
    pub timers: BTreeMap<Timer, Armed>,
    /// The recent decisions that gave something.
    pub decisions: Decisions,
    /// The outcomes that contact policies count.
    pub responses: Responses,
    /// Those of `segments` that were entered without a word to others; whether only shadows asked. So that they are left
    /// without one, too, when the policies do not know them any more.
    pub quiet: BTreeMap<Arc<str>, bool>,
}

/// A visit: until 30 minutes of silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Which one it is, from 1; 0 before the first event.
    pub index: u32,
    /// When its first event happened.
    pub started_at: Timestamp,
    /// When its last event happened.
    pub last_at: Timestamp,
    /// How many events it has.
    pub n_events: u32,
}

impl Profile {
    /// How many recent event ids are remembered: a duplicate within so many events of a customer is recognised.
    pub const SEEN_MAX: usize = 64;
    /// How many lines the timeline keeps.
    pub const TIMELINE_MAX: usize = 32;
    /// How many ended runs are remembered for re-entry.
    pub const PAST_MAX: usize = 64;
    /// The most runs in progress at a time.
    pub const JOURNEYS_MAX: usize = 256;
    /// Of how many shadows it is remembered what they would have sent.
    pub const GHOSTS_MAX: usize = 16;
    /// The most absences that are waited for at a time.
    pub const TIMERS_MAX: usize = 256;
    /// The most bytes of all traits together, as [`Map::n_bytes`] counts them.
    pub const TRAITS_BYTES_MAX: usize = 64 * 1024;
    /// The most bytes of the events that are kept with runs and absences; as many again for those of shadows.
    pub const EVENTS_BYTES_MAX: usize = 128 * 1024;

    /// Returns somebody of whom nothing is known.
    pub fn new(id: CustomerId) -> Self {
        Self {
            id,
            now: Timestamp::MIN,
            seen: VecDeque::new(),
            traits: Map::default(),
            session: Session::default(),
            features: BTreeMap::new(),
            cart: Cart::default(),
            journeys: Vec::new(),
            n_runs: 0,
            n_shadows: 0,
            past: VecDeque::new(),
            given: BTreeMap::new(),
            consent: Consent::default(),
            suppressed: Suppressions::default(),
            contacts: Contacts::default(),
            ghosts: BTreeMap::new(),
            timeline: VecDeque::new(),
            zone: None,
            standing: 0,
            segments: BTreeMap::new(),
            n_crossings: 0,
            n_shadow_crossings: 0,
            timers: BTreeMap::new(),
            decisions: Decisions::default(),
            responses: Responses::default(),
            quiet: BTreeMap::new(),
        }
    }

    /// Tells if an event of this fingerprint is among the recent ones.
    pub fn has_seen(&self, fingerprint: u64) -> bool {
        self.seen.iter().rev().any(|seen| *seen == fingerprint)
    }

    /// Returns when the customer wants to be woken next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.first_timer().map(|(due, _)| due)
    }

    /// Returns what the customer is to be woken for next, and when.
    pub fn first_timer(&self) -> Option<(Timestamp, Timer)> {
        let sleeps = self
            .journeys
            .iter()
            .filter_map(|run| run.wait.map(|wait| (wait.due, run.number)));
        let sleep = sleeps.min().map(|(due, number)| (due, Timer::Run(number)));
        let armed = self.timers.iter().map(|(timer, armed)| (armed.due, timer));
        let armed = armed.min().map(|(due, timer)| (due, timer.clone()));
        sleep.into_iter().chain(armed).min()
    }

    /// Returns a run in progress.
    pub fn run(&self, number: u32) -> Option<&Instance> {
        self.journeys.iter().find(|run| run.number == number)
    }

    /// Tells if the session is still running at this time.
    pub fn in_session(&self, now: Timestamp) -> bool {
        self.session.index > 0 && now <= self.session.last_at + SESSION_GAP
    }

    /// Learns one fact.
    pub fn apply(&mut self, fact: &Fact) {
        match fact {
            Fact::Seen(fingerprint, at) => self.see(*fingerprint, *at),
            Fact::Now(now) => self.now = self.now.max(*now),
            Fact::Trait(path, value) => set_path(&mut self.traits, path, value),
            Fact::Folded(feature, change) => self.fold(*feature, change),
            Fact::Cart(change, currency, at) => self.cart.apply(change, currency.as_ref(), *at),
            Fact::Entered(run) => self.begin(run),
            Fact::Refreshed(number, run) => {
                self.change(*number, |old| {
                    old.event = run.event.clone();
                    old.entry.clone_from(&run.entry);
                });
            }
            Fact::Migrated(number, revision) => {
                self.change(*number, |run| run.revision = *revision);
            }
            Fact::Moved(number, step, wait) => self.change(*number, |run| {
                run.step = step.clone();
                run.wait = *wait;
            }),
            Fact::Bound(number, name, value) => self.change(*number, |run| {
                run.locals.retain(|(known, _)| known != name);
                run.locals.push((name.clone(), value.clone()));
            }),
            Fact::Left(number, at, reason, remember) => self.leave(*number, *at, reason, *remember),
            Fact::Given(offer, at, keep) => {
                let times = self.given.entry(offer.clone()).or_default();
                times.retain(|time| *time > *at - *keep);
                times.push(*at);
            }
            Fact::Traced(trace) => self.trace(trace),
            Fact::Zone(name) => self.zone = Some(name.clone()),
            Fact::Standing(of) => self.standing = *of,
            Fact::Crossed(segment, way, at, shadow) => self.cross(segment, *way, *at, *shadow),
            Fact::Armed(timer, Some(armed)) => {
                self.timers.insert(timer.clone(), (**armed).clone());
            }
            Fact::Armed(timer, None) => {
                self.timers.remove(timer);
            }
            Fact::Consented(said) => self.consent.apply(said),
            Fact::Suppressed(entry) => self.suppressed.add(entry, self.now),
            Fact::Unsuppressed(scope, at) => self.suppressed.lift(scope, *at),
            Fact::Contacted(channel, action, at, keep) => {
                self.contacts.reserve(channel, *action, *at, *keep);
            }
            Fact::WouldContact(journey, channel, action, at, keep) => {
                self.ghosts(journey).reserve(channel, *action, *at, *keep);
            }
            Fact::Delivered(delivery) => self.contacts.settle(*delivery),
            Fact::Decided(decision) => self.decisions.add(decision),
            Fact::Told(told) => self.decisions.tell(told),
            Fact::Responded(of, kind, at, keep) => self.responses.add(of, *kind, *at, *keep),
            Fact::Quiet(segment, shadow) => drop(self.quiet.insert(segment.clone(), *shadow)),
        }
    }

    fn see(&mut self, fingerprint: u64, at: Timestamp) {
        if self.seen.len() >= Self::SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(fingerprint);
        let session = &mut self.session;
        if session.index == 0 || at > session.last_at + SESSION_GAP {
            *session = Session {
                index: session.index + 1,
                started_at: at,
                last_at: at,
                n_events: 1,
            };
            return;
        }
        session.last_at = session.last_at.max(at);
        session.n_events = session.n_events.saturating_add(1);
    }

    fn begin(&mut self, run: &Instance) {
        let begun = if run.is_shadow() {
            &mut self.n_shadows
        } else {
            &mut self.n_runs
        };
        *begun = (*begun).max(instance::shown(run.number));
        self.journeys.push(run.clone());
    }

    /// Returns what the shadow of a journey would have sent; of too many the oldest makes room.
    fn ghosts(&mut self, journey: &Arc<str>) -> &mut Contacts {
        if self.ghosts.len() >= Self::GHOSTS_MAX && !self.ghosts.contains_key(journey) {
            let last = self.ghosts.iter().map(|(name, of)| (of.last_at(), name));
            let oldest = last.min().map(|(_, name)| name.clone());
            oldest.and_then(|name| self.ghosts.remove(&name));
        }
        self.ghosts.entry(journey.clone()).or_default()
    }

    fn cross(&mut self, segment: &Arc<str>, way: Way, at: Timestamp, shadow: bool) {
        let n = if shadow {
            &mut self.n_shadow_crossings
        } else {
            &mut self.n_crossings
        };
        *n = n.saturating_add(1);
        self.quiet.remove(segment);
        match way {
            Way::Entered => self.segments.insert(segment.clone(), at),
            Way::Exited => self.segments.remove(segment),
        };
    }

    fn fold(&mut self, feature: u64, change: &folded::Change) {
        let state = self.features.remove(&feature);
        let state = folded::apply(state, change, self.session.index, self.now);
        self.features.insert(feature, state);
    }

    fn change(&mut self, number: u32, change: impl FnOnce(&mut Instance)) {
        if let Some(run) = self.journeys.iter_mut().find(|run| run.number == number) {
            change(run);
        }
    }

    fn leave(&mut self, number: u32, at: Timestamp, reason: &Arc<str>, remember: bool) {
        let Some(idx) = self.journeys.iter().position(|run| run.number == number) else {
            return;
        };
        let run = self.journeys.remove(idx);
        if !remember {
            return;
        }
        let shadow = run.is_shadow();
        self.past.retain(|past| {
            past.journey != run.journey || past.key != run.key || past.shadow != shadow
        });
        make_room(&mut self.past, Self::PAST_MAX, |past| past.shadow == shadow);
        let reason = reason.clone();
        self.past.push_back(Past {
            journey: run.journey,
            key: run.key,
            left_at: at,
            reason,
            shadow,
        });
    }

    /// Adds a line; the same line again only counts. Shadows have a timeline of their own within.
    fn trace(&mut self, trace: &Trace) {
        let shadow = instance::is_shadow(trace.instance);
        let alike = |line: &Trace| instance::is_shadow(line.instance) == shadow;
        if let Some(last) = self.timeline.iter_mut().rev().find(|line| alike(line))
            && last.subject == trace.subject
            && last.instance == trace.instance
            && last.step == trace.step
            && last.what == trace.what
        {
            last.at = trace.at;
            last.event.clone_from(&trace.event);
            last.times = last.times.saturating_add(1);
            return;
        }
        make_room(&mut self.timeline, Self::TIMELINE_MAX, alike);
        self.timeline.push_back(trace.clone());
    }
}

/// Drops the oldest of a kind if there are as many as may be.
fn make_room<T>(all: &mut VecDeque<T>, n_max: usize, alike: impl Fn(&T) -> bool) {
    if all.len() < n_max || all.iter().filter(|one| alike(one)).count() < n_max {
        return;
    }
    if let Some(oldest) = all.iter().position(alike) {
        all.remove(oldest);
    }
}

/// Sets `a.b.c` in a map of maps; a value that is not a map on the way is replaced by one.
fn set_path(map: &mut Map, path: &str, value: &Value) {
    let Some((head, tail)) = path.split_once('.') else {
        map.set(path, value.clone());
        return;
    };
    let mut inner = match map.get(head) {
        Some(Value::Map(inner)) => inner.clone(),
        _ => Map::default(),
    };
    set_path(&mut inner, tail, value);
    map.set(head, Value::Map(inner));
}
