//! What an expression can see.

use std::sync::Arc;

use crate::domain::{Event, Profile, Timestamp, Value};
use crate::policy::Bundle;
use crate::policy::offer::Offer;

/// Everything an expression may look at. What is `None` is unknown.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The live policies.
    pub bundle: &'a Bundle,
    /// The customer.
    pub profile: &'a Profile,
    /// Logical time.
    pub now: Timestamp,
    /// The event being handled.
    pub event: Option<&'a Event>,
    /// The event that entered the run.
    pub entry: Option<&'a Event>,
    /// What a decide call brought.
    pub context: Option<&'a Value>,
    /// The offer being judged and its value, once known.
    pub offer: Option<(&'a Offer, Option<f64>)>,
    /// The propensity of the offer being judged.
    pub propensity: Option<f64>,
    /// Nothing will be remembered of the customer.
    pub stranger: bool,
    /// Results of earlier steps.
    pub locals: &'a [(Arc<str>, Value)],
    /// Variables of comprehensions, the innermost first.
    pub scope: Option<&'a Scope<'a>>,
}

/// The variable of a comprehension.
pub struct Scope<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a Value,
    /// The comprehension around.
    pub outer: Option<&'a Scope<'a>>,
}

impl<'a> Env<'a> {
    /// Returns the view of a customer at a time, with nothing else at hand.
    pub fn new(bundle: &'a Bundle, profile: &'a Profile, now: Timestamp) -> Self {
        Self {
            bundle,
            profile,
            now,
            event: None,
            entry: None,
            context: None,
            offer: None,
            propensity: None,
            stranger: false,
            locals: &[],
            scope: None,
        }
    }

    /// Returns the value of a local name, the innermost first.
    pub fn local(&self, name: &str) -> Option<&'a Value> {
        let mut scope = self.scope;
        while let Some(variable) = scope {
            if variable.name == name {
                return Some(variable.value);
            }
            scope = variable.outer;
        }
        self.locals
            .iter()
            .rev()
            .find(|(local, _)| local.as_ref() == name)
            .map(|(_, value)| value)
    }
}
