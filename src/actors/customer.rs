//! One customer: takes its inputs in order, decides, and learns.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::actors::engine::Engine;
use crate::actors::exchange::Wallet;
use crate::actors::gather::Slot;
use crate::actors::held::Held;
use crate::actors::live::Policies;
use crate::actors::{image, scorer, watch};
use crate::decide::drive::{Moment, Outcome};
use crate::decide::{self, Cause, Outside};
use crate::domain::budget::Holder;
use crate::domain::learning::Tallies;
use crate::domain::{CustomerId, Profile, Spot, Timestamp};

/// One input and when it is handled.
#[derive(Clone, Debug)]
pub struct Input {
    /// What came in.
    pub cause: Cause,
    /// When.
    pub moment: Moment,
    /// W3C trace context.
    pub traceparent: Option<Arc<str>>,
}

/// What the inputs of a batch are decided with.
#[derive(Clone)]
pub struct Means {
    /// The policies.
    pub policies: Arc<Policies>,
    /// What all outcomes have taught.
    pub learnt: Arc<Tallies>,
    /// Who gives what budgets have.
    pub holder: Holder,
}

/// What a customer can be asked.
pub enum Message {
    /// Handle these inputs, in order, by these means.
    Apply(Vec<Input>, Means, Slot<Decided>),
    /// Hand out an image as of the commit with this sequence.
    Image(u64, Slot<Imaged>),
    /// Hand out the profile.
    Look(Slot<Box<Profile>>),
}

/// What a customer decided of a batch.
pub struct Decided {
    /// What was to be handled.
    pub inputs: Vec<Input>,
    /// One an input, in order; after the first panic nothing.
    pub outcomes: Vec<Outcome>,
    /// What the input after the last outcome panicked with.
    pub panic: Option<String>,
    /// When the customer wants to be woken.
    pub due: Option<Timestamp>,
    /// Where the customer's runs were and where they are, if that changed.
    pub moved: Option<Moved>,
}

/// Where the runs of a customer were, and where they are.
pub struct Moved {
    /// Before.
    pub from: Box<[Spot]>,
    /// After.
    pub to: Box<[Spot]>,
}

/// An image to be stored.
pub struct Imaged {
    /// Whose.
    pub customer: CustomerId,
    /// The sealed image.
    pub row: Result<Vec<u8>, image::Error>,
    /// When the customer wants to be woken.
    pub due: Option<Timestamp>,
    /// Where the customer's runs are.
    pub spots: Box<[Spot]>,
}

/// The actor.
pub struct Customer;

/// What the actor holds.
pub struct State {
    engine: Arc<Engine>,
    customer: CustomerId,
    held: Held,
    /// When the customer wants to be woken.
    due: Option<Timestamp>,
}

impl Actor for Customer {
    type Msg = Message;
    type State = State;
    type Arguments = (Arc<Engine>, Box<Profile>);

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        (engine, profile): Self::Arguments,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State {
            engine,
            customer: profile.id.clone(),
            due: profile.next_due(),
            held: Held::new(profile),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Apply(inputs, means, slot) => {
                let decided = state
                    .engine
                    .clone()
                    .meters
                    .step
                    .time(|| state.apply(inputs, &means))?;
                if decided.panic.is_some() {
                    // What a panic left behind is not to be trusted: the partition loads the customer again.
                    myself.drain()?;
                }
                slot.fill(decided);
            }
            Message::Image(log_seq, slot) => {
                let spots = state.held.wake(&state.engine.packing, 0)?.spots();
                let row = state.held.image(&state.engine.packing, log_seq);
                let customer = state.customer.clone();
                slot.fill(Imaged {
                    customer,
                    row,
                    due: state.due,
                    spots,
                });
            }
            Message::Look(slot) => slot.fill(state.held.copy(&state.engine.packing)?),
        }
        Ok(())
    }
}

impl State {
    fn apply(&mut self, inputs: Vec<Input>, means: &Means) -> Result<Decided, image::Error> {
        let wallet = Wallet {
            engine: self.engine.clone(),
            holder: means.holder,
        };
        let profile = self.held.wake(&self.engine.packing, inputs.len())?;
        let before = profile.spots();
        let outcomes = Vec::with_capacity(inputs.len());
        let mut decided = Decided {
            inputs,
            outcomes,
            panic: None,
            due: None,
            moved: None,
        };
        for input in &decided.inputs {
            match decide(&wallet, means, profile, input) {
                Ok(outcome) => decided.outcomes.push(outcome),
                Err(panic) => {
                    decided.panic = Some(panic);
                    break;
                }
            }
        }
        if decided.panic.is_none() {
            // What is decided again after a panic is followed then.
            for (input, outcome) in decided.inputs.iter().zip(&decided.outcomes) {
                watch::follow(&means.policies, &input.cause, outcome);
            }
        }
        self.due = profile.next_due();
        decided.due = self.due;
        let (from, to) = (before, profile.spots());
        decided.moved = (from != to).then_some(Moved { from, to });
        Ok(decided)
    }
}

fn decide(
    wallet: &Wallet,
    means: &Means,
    profile: &mut Profile,
    input: &Input,
) -> Result<Outcome, String> {
    let (policies, meters) = (&means.policies, &wallet.engine.meters);
    let scorer = policies.scorer.as_ref();
    let scoring = |requests: &[decide::Request]| scorer::score(scorer, meters, requests);
    let outside = Outside {
        scoring: &scoring,
        learnt: &means.learnt,
        purse: wallet,
    };
    let traceparent = input.traceparent.as_ref();
    let run = || {
        decide::handle(
            &policies.bundle,
            profile,
            &input.cause,
            input.moment,
            traceparent,
            outside,
        )
    };
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| message_of(panic.as_ref()))
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic".into())
}
