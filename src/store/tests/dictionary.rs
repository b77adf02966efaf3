//! Dictionaries: what is packed comes out again, damage is found, and nobody is in a dictionary.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::store::Error;
use crate::store::dictionary::{Dictionary, packed_by};

/// What a shop knows of somebody: half of it is said of everybody.
fn row(idx: u64) -> Vec<u8> {
    let token = u128::from(idx).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c834);
    let tier = ["none", "silver", "gold"][usize::try_from(idx % 3).unwrap()];
    format!(
        "first_name Customer{token:x} loyalty_tier {tier} favourite_category shoes \
         user_agent Mozilla/5.0 (Windows NT 10.0; Win64; x64) push_token {token:032x} country DE"
    )
    .into_bytes()
}

fn rows(from: u64, n: u64) -> Vec<Vec<u8>> {
    (from..from + n).map(row).collect()
}

static TRAINED: LazyLock<Dictionary> = LazyLock::new(|| Dictionary::train(&rows(0, 256)).unwrap());

#[test]
fn rows_like_those_it_was_trained_on_take_less_than_half() {
    for row in rows(1_000, 64) {
        let packed = TRAINED.pack(&row).unwrap();
        assert!(packed.len() * 2 < row.len(), "{} bytes", packed.len());
        assert_eq!(packed_by(&packed), Some(TRAINED.id()));
        assert_eq!(TRAINED.unpack(&packed).unwrap(), row);
    }
}

#[test]
fn a_dictionary_that_was_read_is_the_one_that_was_trained() {
    let read = Dictionary::new(TRAINED.content().to_vec()).unwrap();
    assert_eq!(read.id(), TRAINED.id());
    let row = row(7);
    let packed = TRAINED.pack(&row).unwrap();
    assert_eq!(read.unpack(&packed).unwrap(), row);
}

#[test]
fn what_few_say_is_not_in_a_dictionary() {
    let mut rows = rows(0, 256);
    for row in rows.iter_mut().take(7) {
        row.extend(b" secret_of_seven");
    }
    for row in rows.iter_mut().take(8) {
        row.extend(b" WHAT_EIGHT_SAY");
    }
    let dictionary = Dictionary::train(&rows).unwrap();
    let holds = |text: &[u8]| {
        let content = dictionary.content();
        content.windows(text.len()).any(|at| at == text)
    };
    assert!(holds(b"WHAT_EIGHT_SAY"));
    assert!(!holds(b"secret_of"));
    for row in &rows {
        let token = row.windows(19).find(|at| at.starts_with(b"push_token "));
        assert!(!holds(&token.unwrap()[11..]), "a token of one customer");
    }
}

#[test]
fn rows_that_have_nothing_in_common_or_are_too_few_train_nothing() {
    assert!(Dictionary::train(&[]).is_none());
    assert!(Dictionary::train(&rows(0, 1)).is_none());
    assert!(Dictionary::train(&vec![Vec::new(); 256]).is_none());
}

#[test]
fn what_is_no_dictionary_is_damage() {
    for content in [&b""[..], b"{}", &[0x37, 0xa4, 0x30, 0xec, 1, 0, 0, 0]] {
        let error = Dictionary::new(content.to_vec()).err().unwrap();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
}

#[test]
fn what_does_not_become_smaller_is_not_packed() {
    assert_eq!(TRAINED.pack(b""), None);
    assert_eq!(TRAINED.pack(b"x"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_packed_comes_out_again(mut row: Vec<u8>, n in 0_u64..1_000) {
        row.extend(self::row(n));
        let packed = TRAINED.pack(&row).unwrap();
        prop_assert_eq!(TRAINED.unpack(&packed).unwrap(), row);
    }

    #[test]
    fn a_cut_row_is_damage_and_a_changed_one_no_panic(
        n in 0_u64..1_000, at: prop::sample::Index, flip in 1..=255_u8,
    ) {
        let mut packed = TRAINED.pack(&row(n)).unwrap();
        let cut = at.index(packed.len());
        prop_assert!(TRAINED.unpack(&packed[..cut]).is_err());
        packed[cut] ^= flip;
        // Whether it is damage or another row: the checksum of the envelope tells.
        let _any = TRAINED.unpack(&packed);
    }
}
