//! Laws of the envelope.

use proptest::prelude::*;

use crate::store::Error;
use crate::store::envelope::{BYTES, open, seal};

proptest! {
    #[test]
    fn what_is_sealed_comes_out_again(version: u16, payload: Vec<u8>) {
        let sealed = seal(version, &payload);
        prop_assert_eq!(sealed.len(), BYTES + payload.len());
        prop_assert_eq!(open(&sealed, version).unwrap(), (version, payload.as_slice()));
    }

    #[test]
    fn a_changed_byte_is_damage(version: u16, payload: Vec<u8>, at: prop::sample::Index, flip in 1..=255_u8) {
        let mut sealed = seal(version, &payload);
        let at = at.index(sealed.len());
        sealed[at] ^= flip;
        prop_assert!(is_damaged(&sealed));
    }

    #[test]
    fn a_cut_envelope_is_damage(version: u16, payload: Vec<u8>, at: prop::sample::Index) {
        let sealed = seal(version, &payload);
        let cut = &sealed[..at.index(sealed.len())];
        prop_assert!(is_damaged(cut));
    }
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let error = open(&seal(8, b"profile"), 7).unwrap_err();
    assert_eq!(
        error.to_string(),
        "record version 8 is newer than this build"
    );
}

#[test]
fn the_bytes_of_the_envelope_stay_as_they_are() {
    let sealed = seal(0x0102, b"attune");
    assert_eq!(
        format!("{sealed:02x?}"),
        "[a7, 02, 01, 3d, 02, 88, 3b, 61, 74, 74, 75, 6e, 65]"
    );
}

fn is_damaged(sealed: &[u8]) -> bool {
    matches!(open(sealed, u16::MAX), Err(Error::Damaged { .. }))
}
