//! What facts tell of a customer that no event stands for.

use std::collections::BTreeSet;

use crate::domain::Fact;

/// What the last facts told of a customer.
#[derive(Clone, Copy, Default)]
pub struct Told {
    /// Something that conditions see as a trait.
    pub traits: bool,
    /// Where the customer's clocks are.
    pub zone: bool,
}

impl Told {
    /// Takes a fact in.
    pub fn note(&mut self, fact: &Fact) {
        match fact {
            Fact::Trait(path, _) => {
                self.traits = true;
                self.zone |= path.as_ref() == "timezone";
            }
            Fact::Zone(_) => {
                *self = Self {
                    traits: true,
                    zone: true,
                }
            }
            Fact::Consented(_) => self.traits = true,
            Fact::Seen(..)
            | Fact::Now(_)
            | Fact::Suppressed(_)
            | Fact::Unsuppressed(..)
            | Fact::Contacted(..)
            | Fact::WouldContact(..)
            | Fact::Delivered(_)
            | Fact::Folded(..)
            | Fact::Cart(..)
            | Fact::Entered(_)
            | Fact::Refreshed(..)
            | Fact::Migrated(..)
            | Fact::Moved(..)
            | Fact::Bound(..)
            | Fact::Left(..)
            | Fact::Given(..)
            | Fact::Traced(_)
            | Fact::Standing(_)
            | Fact::Crossed(..)
            | Fact::Armed(..)
            | Fact::Decided(_)
            | Fact::Told(_)
            | Fact::Responded(..)
            | Fact::Quiet(..) => {}
        }
    }
}

/// Returns the indexes of both lists, of what an event concerns and what was told, sorted, each once.
pub fn union(a: &[usize], b: &[usize]) -> Vec<usize> {
    if a.is_empty() || b.is_empty() {
        return [a, b].concat();
    }
    let all: BTreeSet<usize> = a.iter().chain(b).copied().collect();
    all.into_iter().collect()
}
