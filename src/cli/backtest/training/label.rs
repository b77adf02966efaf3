//! What a model is to foresee: an event that happens within a time.

use std::str::FromStr;

use anyhow::bail;

use crate::decide::{Env, eval};
use crate::domain::{Duration, Event, Profile, Timestamp, Value};
use crate::policy::Bundle;
use crate::policy::feature::Feature;
use crate::policy::question::{Question, ask};

/// `EVENT within TIME`, `EVENT where CONDITION within TIME`, or `CONDITION within TIME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The name of the event; `None`: the condition looks at every event.
    pub event: Option<String>,
    condition: Option<String>,
    /// How far it looks.
    pub within: Duration,
}

impl FromStr for Label {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "write `Order Completed within 28d`, `Order Completed where event.properties.total > 50 within 28d` \
                        or `event.properties.total > 50 within 28d`";
        let (what, within) = text
            .rsplit_once(" within ")
            .ok_or_else(|| format!("`{text}` does not say within which time: {expected}"))?;
        let within = Duration::parse(within)?;
        if within.as_millis() == 0 {
            return Err("nothing happens within no time".into());
        }
        let what = what.trim();
        let (event, condition) = match what.split_once(" where ") {
            Some((event, condition)) if is_name(event) => (Some(event), Some(condition)),
            None if is_name(what) => (Some(what), None),
            Some(_) | None => (None, Some(what)),
        };
        if what.is_empty() {
            return Err(format!("`{text}` names no event: {expected}"));
        }
        let owned = |text: Option<&str>| text.map(|text| text.trim().to_owned());
        Ok(Self {
            event: owned(event),
            condition: owned(condition),
            within,
        })
    }
}

/// Tells a name from an expression.
fn is_name(text: &str) -> bool {
    !text.contains(['.', '(', ')', '=', '<', '>', '!', '&', '|', '\'', '"'])
}

/// A label whose condition is checked against the policies.
pub struct Judge {
    event: Option<String>,
    condition: Option<Question>,
    within: Duration,
}

impl Judge {
    /// Checks the condition.
    ///
    /// # Errors
    ///
    /// It is wrong, or asks for state that no policy keeps.
    pub fn of(label: &Label, bundle: &Bundle) -> anyhow::Result<Self> {
        let asked = label.condition.as_deref().map(|text| {
            ask(bundle, text, label.event.as_deref())
                .map_err(|wrong| anyhow::anyhow!("`--label` is wrong\n{}", wrong.render(false)))
        });
        let condition = asked.transpose()?;
        let kept = |features: &[Feature]| -> Vec<_> {
            features.iter().map(|of| (of.id, of.window)).collect()
        };
        if let Some(asked) = &condition
            && kept(&asked.features) != kept(&bundle.features)
        {
            bail!("`--label` asks for what no policy keeps: declare it under `features:`");
        }
        Ok(Self {
            event: label.event.clone(),
            condition,
            within: label.within,
        })
    }

    /// Tells if an event is what is to be foreseen; an unknown condition is not met.
    ///
    /// - `profile`: the customer after the event.
    pub fn is_met(
        &self,
        bundle: &Bundle,
        profile: &Profile,
        event: &Event,
        now: Timestamp,
    ) -> bool {
        if self
            .event
            .as_ref()
            .is_some_and(|name| **name != *event.name)
        {
            return false;
        }
        let Some(condition) = &self.condition else {
            return true;
        };
        let env = Env {
            event: Some(event),
            ..Env::new(bundle, profile, now)
        };
        let value = eval(&condition.expr.root, &env);
        value.is_some_and(|value| *value == Value::Bool(true))
    }

    /// Returns the last moment that counts for a row.
    pub fn end_of(&self, at: Timestamp) -> Timestamp {
        at + self.within
    }
}
