//! How a resident is held: awake as a profile, or at rest as its image, which takes a third of the room.

use crate::actors::image::{self, Error};
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
    pub fn wake(&mut self, n_inputs: usize) -> Result<&mut Profile, Error> {
        let n_inputs = u32::try_from(n_inputs).unwrap_or(u32::MAX);
        self.n_inputs = self.n_inputs.saturating_add(n_inputs);
        let profile = match self.awake.take() {
            Some(profile) => profile,
            None => Box::new(image::open(&std::mem::take(&mut self.row))?.1),
        };
        Ok(self.awake.insert(profile))
    }

    /// Returns a copy of the profile.
    ///
    /// # Errors
    ///
    /// The image is not what was written.
    pub fn copy(&self) -> Result<Box<Profile>, Error> {
        match &self.awake {
            Some(profile) => Ok(profile.clone()),
            None => Ok(Box::new(image::open(&self.row)?.1)),
        }
    }

    /// Returns the image as of the commit with this sequence, and rests unless the customer is busy.
    ///
    /// # Errors
    ///
    /// The profile cannot be encoded.
    pub fn image(&mut self, log_seq: u64) -> Result<Vec<u8>, Error> {
        let is_busy = std::mem::take(&mut self.n_inputs) >= BUSY_INPUTS;
        let row = image::seal(log_seq, self.wake(0)?)?;
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
        let mut held = held();
        let before = held.copy().unwrap();
        let row = held.image(7).unwrap();
        assert!(held.awake.is_none());
        assert_eq!(held.copy().unwrap(), before);
        assert_eq!(held.image(7).unwrap(), row);
        assert_eq!(*held.wake(1).unwrap(), *before);
        assert!(held.row.is_empty());
    }

    #[test]
    fn who_is_busy_stays_awake() {
        let mut held = held();
        held.wake(usize::try_from(BUSY_INPUTS).unwrap()).unwrap();
        held.image(7).unwrap();
        assert!(held.awake.is_some());
        held.image(8).unwrap();
        assert!(held.awake.is_none());
    }
}
