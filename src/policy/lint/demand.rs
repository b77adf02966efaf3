//! What a condition demands of one value: an interval, or some values and not others.

use crate::domain::Value;
use crate::policy::expr::Op;

/// A bound and whether it is within.
type Bound = (f64, bool);

/// The values that are let through; without any bound: every one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    low: Option<Bound>,
    high: Option<Bound>,
    /// If given, one of these.
    only: Option<Vec<Value>>,
    /// None of these.
    not: Vec<Value>,
}

impl Demand {
    /// Lets one of these through, or everything else.
    pub fn one_of(values: Vec<Value>, negated: bool) -> Self {
        if negated {
            let not = values;
            return Self {
                not,
                ..Self::default()
            };
        }
        let only = Some(values);
        Self {
            only,
            ..Self::default()
        }
    }

    /// Lets through what compares so with a number; `None` for other operators.
    pub fn compared(op: Op, with: f64) -> Option<Self> {
        let mut demand = Self::default();
        match op {
            Op::Lt => demand.high = Some((with, false)),
            Op::Le => demand.high = Some((with, true)),
            Op::Gt => demand.low = Some((with, false)),
            Op::Ge => demand.low = Some((with, true)),
            Op::Or
            | Op::And
            | Op::Eq
            | Op::Ne
            | Op::In
            | Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Rem => return None,
        }
        Some(demand)
    }

    /// Lets numbers from a lowest to a highest through.
    pub fn within(low: f64, high: f64) -> Self {
        Self {
            low: Some((low, true)),
            high: Some((high, true)).filter(|(high, _)| high.is_finite()),
            ..Self::default()
        }
    }

    /// Demands both.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.low = tighter(self.low, other.low, f64::max);
        self.high = tighter(self.high, other.high, f64::min);
        self.only = match (self.only, &other.only) {
            (Some(own), Some(others)) => {
                Some(own.into_iter().filter(|it| others.contains(it)).collect())
            }
            (own, others) => own.or_else(|| others.clone()),
        };
        self.not.extend(other.not.iter().cloned());
        self
    }

    /// Tells if nothing is let through.
    pub fn is_empty(&self) -> bool {
        if let Some(only) = &self.only {
            return !only.iter().any(|value| self.lets(value));
        }
        match (self.low, self.high) {
            (Some((low, closed)), Some((high, also))) => {
                let point = low >= high && !self.lets(&Value::Number(low));
                low > high || (low >= high && !(closed && also)) || point
            }
            _ => false,
        }
    }

    /// Tells if everything that is let through here is let through there.
    pub fn implies(&self, other: &Self) -> bool {
        if let Some(only) = &self.only {
            return only
                .iter()
                .filter(|it| self.lets(it))
                .all(|it| other.lets(it));
        }
        let excluded = |value: &Value| self.not.contains(value) || !self.in_bounds(value);
        other.only.is_none()
            && other.low.is_none_or(|bound| above(self.low, bound))
            && other.high.is_none_or(|bound| below(self.high, bound))
            && other.not.iter().all(excluded)
    }

    fn lets(&self, value: &Value) -> bool {
        let listed = self.only.as_ref().is_none_or(|only| only.contains(value));
        listed && !self.not.contains(value) && self.in_bounds(value)
    }

    fn in_bounds(&self, value: &Value) -> bool {
        let Value::Number(number) = value else {
            return self.low.is_none() && self.high.is_none();
        };
        let number = Some((*number, true));
        self.low.is_none_or(|bound| above(number, bound))
            && self.high.is_none_or(|bound| below(number, bound))
    }
}

/// Tells if what begins at `low` lies wholly above a bound.
fn above(low: Option<Bound>, (bound, closed): Bound) -> bool {
    low.is_some_and(|(low, own)| low > bound || (low >= bound && (closed || !own)))
}

/// Tells if what ends at `high` lies wholly below a bound.
fn below(high: Option<Bound>, (bound, closed): Bound) -> bool {
    high.is_some_and(|(high, own)| high < bound || (high <= bound && (closed || !own)))
}

fn tighter(a: Option<Bound>, b: Option<Bound>, pick: fn(f64, f64) -> f64) -> Option<Bound> {
    let (Some((x, in_x)), Some((y, in_y))) = (a, b) else {
        return a.or(b);
    };
    let picked = pick(x, y);
    let closes = |value: f64, closed: bool| closed || value.total_cmp(&picked).is_ne();
    Some((picked, closes(x, in_x) && closes(y, in_y)))
}
