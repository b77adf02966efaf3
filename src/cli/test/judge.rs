//! What there is, in the words of what is expected.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::cli::test::world::World;
use crate::decide::{Env, eval};
use crate::domain::{Action, Trace, Value, What};
use crate::policy::test::{Check, Sent, State, Wanted, is_named, word};

/// Returns nothing if an expectation holds, else what there is instead.
pub fn judge(world: &mut World<'_>, check: &Check) -> Option<Wanted> {
    let actual = actual(world, check);
    let key = (check.wanted.key(), check.journey.clone());
    world.looked.insert(key, world.log.len());
    (actual != check.wanted).then_some(actual)
}

fn actual(world: &World<'_>, check: &Check) -> Wanted {
    let look = Look {
        world,
        journey: check.journey.as_ref(),
    };
    let since = world
        .looked
        .get(&(check.wanted.key(), check.journey.clone()));
    let since = since.copied().unwrap_or_default();
    match &check.wanted {
        Wanted::Sent(wanted) => Wanted::Sent(look.sent(since, wanted)),
        Wanted::WouldSend(wanted) => Wanted::WouldSend(look.would_send(since, wanted)),
        Wanted::State(_) => Wanted::State(look.state()),
        Wanted::AtStep(wanted) => Wanted::AtStep(look.at_step(wanted)),
        Wanted::Reason(_) => Wanted::Reason(look.reason().unwrap_or_else(|| "none".into())),
        Wanted::Runs(_) => Wanted::Runs(look.runs()),
        Wanted::Blocked(_) => Wanted::Blocked(look.codes(since, blocked)),
        Wanted::Refused(_) => Wanted::Refused(look.codes(since, refused)),
        Wanted::Offer(_) => Wanted::Offer(look.offers().into_iter().next()),
        Wanted::Offers(_) => Wanted::Offers(look.offers()),
        Wanted::Lost(wanted) => Wanted::Lost(look.lost(wanted.keys())),
        Wanted::Segments(inside, outside) => {
            let named = inside.union(outside).cloned();
            let (inside, outside) = named.partition(|name| look.is_in(name));
            Wanted::Segments(inside, outside)
        }
        Wanted::Trait(path, _) => Wanted::Trait(path.clone(), look.trait_of(path)),
        Wanted::Next(_) => Wanted::Next(look.next()),
    }
}

struct Look<'a> {
    world: &'a World<'a>,
    journey: Option<&'a Arc<str>>,
}

impl<'a> Look<'a> {
    /// The decisions about the journey, from a place in the log on.
    fn traces(&self, from: usize) -> impl DoubleEndedIterator<Item = &'a Trace> {
        let journey = self.journey;
        let concerns = move |trace: &&Trace| journey.is_none_or(|own| *own == trace.subject);
        self.world.traces(from).filter(concerns)
    }

    /// The latest run of the journey.
    fn run(&self) -> Option<u32> {
        let begins = |trace: &Trace| matches!(trace.what, What::Entered).then_some(trace.instance);
        self.traces(0).filter_map(begins).next_back()
    }

    fn sent(&self, since: usize, wanted: &[Sent]) -> Vec<Sent> {
        let ids = self.traces(since).filter_map(|trace| {
            if let What::Sent(id, _, _) = &trace.what {
                Some(id)
            } else {
                None
            }
        });
        let action = |id: &Arc<str>| {
            let mut actions = self.world.actions.iter();
            actions.find(|action| action.action_id == *id)
        };
        let actions = ids.filter_map(action).enumerate();
        actions
            .map(|(idx, action)| as_wanted(action, wanted.get(idx)))
            .collect()
    }

    fn would_send(&self, since: usize, wanted: &[Sent]) -> Vec<Sent> {
        let shadows = self.traces(since).filter_map(|trace| {
            if let What::WouldSend(channel, template) = &trace.what {
                Some((channel, template))
            } else {
                None
            }
        });
        let shown = |(idx, (channel, template)): (usize, (&Arc<str>, &Arc<str>))| {
            let matters = wanted.get(idx).is_some_and(|it| it.channel.is_some());
            Sent {
                template: template.clone(),
                channel: matters.then(|| channel.clone()),
                with: None,
            }
        };
        shadows.enumerate().map(shown).collect()
    }

    fn state(&self) -> State {
        if self.run().is_none() {
            return State::None;
        }
        let reason = self.reason();
        reason.map_or(State::Running, |reason| State::ended(&reason))
    }

    fn reason(&self) -> Option<Arc<str>> {
        let run = self.run()?;
        let own = self.traces(0).filter(|trace| trace.instance == run);
        let mut left = own.filter_map(|trace| {
            if let What::Left(reason) = &trace.what {
                Some(reason.clone())
            } else {
                None
            }
        });
        left.next_back()
    }

    /// Answers with a label to a label, else with the word of the step.
    fn at_step(&self, wanted: &str) -> Arc<str> {
        let run = self.run().and_then(|number| self.world.profile.run(number));
        let journey = self
            .journey
            .and_then(|name| self.world.bundle.journey(name));
        let Some((run, journey)) = run.zip(journey) else {
            return "none".into();
        };
        let step = journey.flow.iter().find(|step| step.label == run.step);
        match step {
            Some(step) if is_named(step, wanted) => wanted.into(),
            Some(step) if wanted.starts_with(|c: char| c.is_ascii_digit()) => step.label.clone(),
            Some(step) => word(&step.act).into(),
            None => run.step.clone(),
        }
    }

    fn runs(&self) -> usize {
        let begun = |trace: &&Trace| matches!(trace.what, What::Entered);
        self.traces(0).filter(begun).count()
    }

    fn codes(&self, since: usize, code: fn(&Trace) -> Option<&Arc<str>>) -> BTreeSet<Arc<str>> {
        self.traces(since).filter_map(code).cloned().collect()
    }

    fn offers(&self) -> Vec<Arc<str>> {
        let last = self.world.answers.last();
        let offers = last.map_or(&[][..], |answer| &answer.offers);
        offers.iter().map(|choice| choice.offer.clone()).collect()
    }

    fn lost<'k>(
        &self,
        offers: impl Iterator<Item = &'k Arc<str>>,
    ) -> std::collections::BTreeMap<Arc<str>, Arc<str>> {
        let last = self.world.answers.last();
        let found = |offer: &'k Arc<str>| {
            let reason = last?.lost(offer)?;
            Some((offer.clone(), Arc::from(reason.code())))
        };
        offers.filter_map(found).collect()
    }

    fn is_in(&self, name: &str) -> bool {
        let (bundle, profile) = (&self.world.bundle, &self.world.profile);
        let Some((_, segment)) = bundle.segment(name) else {
            return false;
        };
        if segment.used {
            return profile.segments.contains_key(name);
        }
        let env = Env::new(bundle, profile, profile.now);
        let is_true = |value: Option<_>| matches!(value.as_deref(), Some(Value::Bool(true)));
        segment.when.iter().all(|of| is_true(eval(&of.root, &env)))
    }

    fn trait_of(&self, path: &str) -> Value {
        let mut value = self.world.profile.traits.get(path);
        if value.is_none() {
            let mut parts = path.split('.');
            let first = parts.next().unwrap_or_default();
            value = self.world.profile.traits.get(first);
            value = parts.fold(value, |value, part| value?.get(part));
        }
        value.cloned().unwrap_or_default()
    }

    fn next(&self) -> Option<crate::domain::Duration> {
        let due = match self.journey {
            Some(_) => {
                let run = self.run().and_then(|number| self.world.profile.run(number));
                run.and_then(|run| run.wait).map(|wait| wait.due)
            }
            None => self.world.profile.next_due(),
        };
        due.map(|due| due.since(self.world.test.start))
    }
}

/// Describes a send in as much detail as the one that was expected in its place.
fn as_wanted(action: &Action, wanted: Option<&Sent>) -> Sent {
    let channel = wanted.and_then(|wanted| wanted.channel.as_ref());
    let with = wanted.and_then(|wanted| wanted.with.as_ref());
    let of = |path: &Arc<str>| {
        let mut parts = path.split('.');
        let first = action.data.get(parts.next().unwrap_or_default());
        let value = parts.fold(first, |value, part| value?.get(part));
        (path.clone(), value.cloned().unwrap_or_default())
    };
    Sent {
        template: action.template.clone(),
        channel: channel.map(|_| action.channel.clone()),
        with: with.map(|with| with.iter().map(|(path, _)| of(path)).collect()),
    }
}

fn blocked(trace: &Trace) -> Option<&Arc<str>> {
    // At the entry nothing was to be sent yet.
    if let What::Blocked(code, _) = &trace.what
        && !trace.step.is_empty()
    {
        return Some(code);
    }
    None
}

fn refused(trace: &Trace) -> Option<&Arc<str>> {
    if let What::Refused(code, _) = &trace.what {
        Some(code)
    } else {
        None
    }
}
