//! How a resident is held: awake as a profile, or at rest as its image, which takes a third of the room.

use crate::actors::image::Error;
use crate::actors::packing::Packing;
use crate::domain::Profile;

/// A customer who had so many inputs since the last image is busy and will be needed at once.
const BUSY_INPUTS: u32 = 8;

/// One resident: a profile, or the image that a checkpoint has made of it.
pub struct Held {
    awake: Option<Box<Profile>>,
    /// The image; empty while awake.
    row: Box<[u8]>,
    /// Inputs since the last image.
    n_inputs: u32,
}

impl Held {
    /// Holds a profile.
    pub fn new(profile: Box<Profile>) -> Self {
        Self {
            awake: Some(profile),
            row: Box::default(),
            n_inputs: 0,
        }
    }

    /// Returns the profile for so many inputs more.
    ///
    /// # Errors
    ///
    /// The image is not what was written.
    pub fn wake(&mut self, packing: &Packing, n_inputs: usize) -> Result<&mut Profile, Error> {
        let n_inputs = u32::try_from(n_inputs).unwrap_or(u32::MAX);
        self.n_inputs = self.n_inputs.saturating_add(n_inputs);
        let profile = match self.awake.take() {
            Some(profile) => profile,
            None => Box::new(packing.open(&std::mem::take(&mut self.row))?.1),
        };
        Ok(self.awake.insert(profile))
    }

    /// Returns a copy of the profile.
    ///
    /// # Errors
    ///
    /// The image is not what was written.
    pub fn copy(&self, packing: &Packing) -> Result<Box<Profile>, Error> {
        match &self.awake {
            Some(profile) => Ok(profile.clone()),
            None => Ok(Box::new(packing.open(&self.row)?.1)),
        }
    }

    /// Returns the image as of the commit with this sequence, and rests unless the customer is busy.
    ///
    /// # Errors
    ///
    /// The profile cannot be encoded.
    pub fn image(&mut self, packing: &Packing, log_seq: u64) -> Result<Vec<u8>, Error> {
        let is_busy = std::mem::take(&mut self.n_inputs) >= BUSY_INPUTS;
        let row = packing.seal(log_seq, self.wake(packing, 0)?)?;
        if !is_busy {
            self.row = row.as_slice().into();
            self.awake = None;
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CustomerId, Fact, Value};

    fn held() -> Held {
        let mut profile = Profile::new(CustomerId::parse("anna").unwrap());
        profile.apply(&Fact::Trait("tier".into(), Value::text("gold")));
        Held::new(Box::new(profile))
    }

    #[test]
    fn who_rests_is_the_same_as_before() {
        let (mut held, packing) = (held(), Packing::default());
        let before = held.copy(&packing).unwrap();
        let row = held.image(&packing, 7).unwrap();
        assert!(held.awake.is_none());
        assert_eq!(held.copy(&packing).unwrap(), before);
        assert_eq!(held.image(&packing, 7).unwrap(), row);
        assert_eq!(*held.wake(&packing, 1).unwrap(), *before);
        assert!(held.row.is_empty());
    }

    #[test]
    fn who_is_busy_stays_awake() {
        let (mut held, packing) = (held(), Packing::default());
        let n_inputs = usize::try_from(BUSY_INPUTS).unwrap();
        held.wake(&packing, n_inputs).unwrap();
        held.image(&packing, 7).unwrap();
        assert!(held.awake.is_some());
        held.image(&packing, 8).unwrap();
        assert!(held.awake.is_none());
    }
}
