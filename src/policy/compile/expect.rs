//! `expect:` of a test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::Reason;
use crate::domain::{Map, Value};
use crate::policy::compile::desk::Desk;
use crate::policy::compile::test::{map, refer_journey, templates};
use crate::policy::compile::timeline::{Around, count};
use crate::policy::compile::value::value;
use crate::policy::journey::{Act, Journey};
use crate::policy::test::{self, Check, Sent, State, Wanted};
use crate::policy::yaml::{Content, Yaml};

const KEYS: [&str; 15] = [
    "journey",
    "sent",
    "would_send",
    "state",
    "at_step",
    "reason",
    "runs",
    "blocked",
    "refused",
    "offer",
    "offers",
    "lost",
    "segments",
    "traits",
    "next",
];
/// What can be said of a send; of one that did not leave nothing is known of what would have gone with it.
const SENT: [&str; 3] = ["template", "channel", "with"];
/// Why a send may be held back.
const BLOCKED: [&str; 7] = [
    "HOLDOUT",
    "NO_CONSENT",
    "SUPPRESSED",
    "UNREACHABLE",
    "QUIET_HOURS",
    "CONTACT_LIMIT",
    "OUTRANKED",
];
/// Why an entry may be refused.
const REFUSED: [&str; 9] = [
    "WHERE",
    "UNLESS",
    "TOO_OLD",
    "KEY_UNKNOWN",
    "ALREADY_IN",
    "REENTRY_GAP",
    "CONCURRENCY",
    "HAPPENED",
    "LOOP",
];
/// Reasons of an end that no author wrote.
const REASONS: [&str; 5] = ["none", "converted", "completed", "past_date", "restarted"];

/// Compiles what is expected at one time.
pub fn compile(desk: &mut Desk, around: &Around<'_>, node: &Yaml) -> Vec<Check> {
    let Some(fields) = desk.fields(node, "`expect`", &KEYS, &[]) else {
        return Vec::new();
    };
    let own = fields
        .get("journey")
        .map(|node| refer_journey(desk, around.known, node));
    let journey = own.unwrap_or_else(|| around.journey.cloned());
    let mut checks = Vec::new();
    for (key, node) in node.entries().unwrap_or_default() {
        let Some(key) = key.text().filter(|key| fields.get(key).is_some()) else {
            continue;
        };
        let mut reader = Reader {
            desk: &mut *desk,
            around,
            journey: journey.as_ref(),
        };
        let wanted = reader.wanted(key, node);
        let place = desk.place(node);
        checks.extend(wanted.into_iter().map(|(wanted, own)| Check {
            journey: journey.clone(),
            wanted,
            place: own.map_or_else(|| place.clone(), |own| desk.place(own)),
        }));
    }
    checks
}

/// Something expected, and where it stands if not at the value of its key.
type Read<'y> = (Wanted, Option<&'y Yaml>);

struct Reader<'a> {
    desk: &'a mut Desk,
    around: &'a Around<'a>,
    journey: Option<&'a Arc<str>>,
}

impl<'a> Reader<'a> {
    fn wanted<'y>(&mut self, key: &str, node: &'y Yaml) -> Vec<Read<'y>> {
        let one = match key {
            "sent" => Some(Wanted::Sent(self.sent(node, &SENT))),
            "would_send" => Some(Wanted::WouldSend(self.sent(node, &SENT[..2]))),
            "state" => self.state(node),
            "at_step" => self.at_step(node),
            "reason" => self.reason(node),
            "runs" => self.runs(node),
            "blocked" => Some(Wanted::Blocked(self.codes(node, &BLOCKED))),
            "refused" => Some(Wanted::Refused(self.codes(node, &REFUSED))),
            "offer" => self.offer(node),
            "offers" => Some(Wanted::Offers(self.offers(node))),
            "lost" => Some(Wanted::Lost(self.lost(node))),
            "segments" => self.segments(node),
            "next" => self.next(node),
            "traits" => return self.traits(node),
            _ => None,
        };
        one.map(|wanted| (wanted, None)).into_iter().collect()
    }

    fn journeys(&self) -> &'a [Journey] {
        self.around.known.journeys_of(self.journey)
    }

    /// Tells if what cannot be found in the journeys does not exist.
    fn can_tell(&self) -> bool {
        self.around.known.complete
    }

    /// Reports an expectation that needs to know which journey is meant.
    fn needs_journey(&mut self, key: &str, node: &Yaml) -> bool {
        if self.journey.is_some() {
            return true;
        }
        let message = format!("`{key}` of which journey?");
        let help = "add `journey: ..` to the test, or beside this expectation";
        self.desk
            .advise("which_journey", node.span.clone(), message, help);
        false
    }

    fn sent(&mut self, node: &Yaml, keys: &[&str]) -> Vec<Sent> {
        if is_none(node) {
            return Vec::new();
        }
        node.items()
            .iter()
            .filter_map(|item| self.send(item, keys))
            .collect()
    }

    fn send(&mut self, node: &Yaml, keys: &[&str]) -> Option<Sent> {
        if !matches!(node.content, Content::Map(_)) {
            return Some(Sent {
                template: self.template(node)?,
                channel: None,
                with: None,
            });
        }
        let fields = self.desk.fields(node, "a send", keys, &[])?;
        let template = self.desk.need(&fields, "template")?;
        let template = self.template(template);
        let channel = fields.get("channel").map(|node| self.channel(node));
        let with = fields.get("with");
        let with = with.map(|node| pairs(&map(self.desk, node, "`with`")));
        Some(Sent {
            template: template?,
            channel: channel.map_or(Some(None), |channel| channel.map(Some))?,
            with,
        })
    }

    fn template(&mut self, node: &Yaml) -> Option<Arc<str>> {
        let name = self.desk.text(node, "the name of a template")?;
        if !self.can_tell() {
            return Some(name);
        }
        let known = templates(self.journeys());
        let is_right = self
            .desk
            .refer(node, "template", &name, known.iter().copied());
        is_right.then_some(name)
    }

    fn channel(&mut self, node: &Yaml) -> Option<Arc<str>> {
        let name = self.desk.text(node, "the name of a channel")?;
        let known = self.around.known.names.channels.iter().map(AsRef::as_ref);
        self.desk
            .refer(node, "channel", &name, known)
            .then_some(name)
    }

    fn state(&mut self, node: &Yaml) -> Option<Wanted> {
        self.needs_journey("state", node).then_some(())?;
        self.desk
            .choice(node, "state", &State::ALL)
            .map(Wanted::State)
    }

    fn at_step(&mut self, node: &Yaml) -> Option<Wanted> {
        let name = self.desk.text(node, "`at_step`")?;
        self.needs_journey("at_step", node).then_some(())?;
        let flow = self.journeys().iter().flat_map(|journey| &journey.flow);
        let is_named = flow.clone().any(|step| test::is_named(step, &name));
        if name.as_ref() != "none" && !is_named && self.can_tell() {
            let words = flow.clone().map(|step| test::word(&step.act));
            let labels = flow.map(|step| step.label.as_ref());
            let known: BTreeSet<&str> = words.chain(labels).chain(["none"]).collect();
            self.desk.refer(node, "step", &name, known.iter().copied());
            return None;
        }
        Some(Wanted::AtStep(name))
    }

    fn reason(&mut self, node: &Yaml) -> Option<Wanted> {
        let reason = self.desk.text(node, "`reason`")?;
        self.needs_journey("reason", node).then_some(())?;
        let known = reasons(self.journeys());
        let is_blocked = reason.starts_with("blocked by ");
        if !is_blocked && self.can_tell() {
            let known = known.iter().copied();
            self.desk
                .refer(node, "reason", &reason, known)
                .then_some(())?;
        }
        Some(Wanted::Reason(reason))
    }

    fn runs(&mut self, node: &Yaml) -> Option<Wanted> {
        self.needs_journey("runs", node).then_some(())?;
        let runs = count(self.desk, node, "`runs`")?;
        Some(Wanted::Runs(usize::try_from(runs).unwrap_or(usize::MAX)))
    }

    fn codes(&mut self, node: &Yaml, known: &[&str]) -> BTreeSet<Arc<str>> {
        if is_none(node) {
            return BTreeSet::new();
        }
        let mut codes = BTreeSet::new();
        for item in node.items() {
            if let Some(code) = self.desk.text(item, "a reason code")
                && self
                    .desk
                    .refer(item, "reason code", &code, known.iter().copied())
            {
                codes.insert(code);
            }
        }
        codes
    }

    fn offer(&mut self, node: &Yaml) -> Option<Wanted> {
        if is_none(node) {
            return Some(Wanted::Offer(None));
        }
        self.offer_id(node).map(|id| Wanted::Offer(Some(id)))
    }

    fn offer_id(&mut self, node: &Yaml) -> Option<Arc<str>> {
        let id = self.desk.text(node, "the id of an offer")?;
        let known = self.around.known.names.offers.iter().map(AsRef::as_ref);
        self.desk.refer(node, "offer", &id, known).then_some(id)
    }

    fn offers(&mut self, node: &Yaml) -> Vec<Arc<str>> {
        if is_none(node) {
            return Vec::new();
        }
        node.items()
            .iter()
            .filter_map(|item| self.offer_id(item))
            .collect()
    }

    fn lost(&mut self, node: &Yaml) -> BTreeMap<Arc<str>, Arc<str>> {
        let Some(entries) = node.entries() else {
            self.desk
                .wrong_type(node, "`lost` is a map", "write `{ OFFER: CAP }`");
            return BTreeMap::new();
        };
        let codes = Reason::ALL.map(|reason| (reason.code(), reason));
        let mut lost = BTreeMap::new();
        for (key, node) in entries {
            if let Some(id) = self.offer_id(key)
                && let Some(reason) = self.desk.choice(node, "reason code", &codes)
            {
                lost.insert(id, Arc::from(reason.code()));
            }
        }
        lost
    }

    fn segments(&mut self, node: &Yaml) -> Option<Wanted> {
        let fields = self.desk.fields(node, "`segments`", &["in", "out"], &[])?;
        let mut names = |key| {
            let node = fields.get(key);
            node.map(|node| self.segment_names(node))
                .unwrap_or_default()
        };
        Some(Wanted::Segments(names("in"), names("out")))
    }

    fn segment_names(&mut self, node: &Yaml) -> BTreeSet<Arc<str>> {
        let mut names = BTreeSet::new();
        for item in node.items() {
            let known = self.around.known.segments.iter().map(AsRef::as_ref);
            if let Some(name) = self.desk.text(item, "the name of a segment")
                && self.desk.refer(item, "segment", &name, known)
            {
                names.insert(name);
            }
        }
        names
    }

    fn next(&mut self, node: &Yaml) -> Option<Wanted> {
        if is_none(node) {
            return Some(Wanted::Next(None));
        }
        let at = self.desk.duration(node, "`next`", false)?;
        Some(Wanted::Next(Some(at)))
    }

    fn traits<'y>(&mut self, node: &'y Yaml) -> Vec<Read<'y>> {
        let Some(entries) = node.entries() else {
            self.desk
                .wrong_type(node, "`traits` is a map", "write `{ tier: gold }`");
            return Vec::new();
        };
        let read = |(key, node): &'y (Yaml, Yaml)| {
            let wanted = Wanted::Trait(key.text()?.clone(), value(node));
            Some((wanted, Some(node)))
        };
        entries.iter().filter_map(read).collect()
    }
}

fn is_none(node: &Yaml) -> bool {
    let is_empty = matches!(&node.content, Content::List(items) if items.is_empty());
    is_empty || node.text().is_some_and(|text| text.as_ref() == "none")
}

fn pairs(map: &Map) -> Vec<(Arc<str>, Value)> {
    map.iter()
        .map(|(path, value)| (path.into(), value.clone()))
        .collect()
}

/// Returns why runs of journeys may end.
fn reasons(journeys: &[Journey]) -> BTreeSet<&str> {
    let exits = journeys.iter().flat_map(|journey| &journey.exits);
    let flow = journeys.iter().flat_map(|journey| &journey.flow);
    let stops = flow.filter_map(|step| {
        if let Act::Stop { reason } = &step.act {
            Some(reason.as_ref())
        } else {
            None
        }
    });
    let exits = exits.map(|exit| exit.reason.as_ref());
    exits.chain(stops).chain(REASONS).collect()
}
