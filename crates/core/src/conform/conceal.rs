//! Values that are made unreadable, and hashes of whole rows.
//!
//! What is hashed has its length before it, and a NULL is not hashed, so that
//! no two different inputs are the same bytes.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, StringArray};
use sha2::{Digest, Sha256};

use super::rendering::render;
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ColumnType;
use crate::secret::Secret;
use crate::stream::Concealment;

use std::fmt::Write as _;
use std::sync::Arc;

/// SHA-256's block, in bytes: where HMAC puts the key.
const BLOCK_BYTES: usize = 64;

/// SHA-256 or, with a key, HMAC-SHA-256 (RFC 2104).
struct Hashing {
    inner: Sha256,
    outer: Option<Sha256>,
}

impl Hashing {
    fn new(key: Option<&Secret>) -> Self {
        let Some(key) = key else { return Self { inner: Sha256::new(), outer: None } };
        let mut block = [0u8; BLOCK_BYTES];
        let key = key.expose().as_bytes();
        if key.len() > BLOCK_BYTES {
            let hashed: [u8; 32] = Sha256::digest(key).into();
            block[..hashed.len()].copy_from_slice(&hashed);
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let begun = |pad: u8| Sha256::new().chain_update(block.map(|byte| byte ^ pad));
        Self { inner: begun(0x36), outer: Some(begun(0x5c)) }
    }

    fn hash(&self, input: &[u8]) -> [u8; 32] {
        let inner: [u8; 32] = self.inner.clone().chain_update(input).finalize().into();
        match &self.outer {
            Some(outer) => outer.clone().chain_update(inner).finalize().into(),
            None => inner,
        }
    }
}

/// The column, of text or of bytes, with every value made unreadable. It is
/// text. Text has the hash of its bytes.
pub(super) fn conceal(array: &ArrayRef, how: &Concealment) -> Result<ArrayRef> {
    if let (Some(values), Concealment::Hash { key }) = (array.as_binary_opt::<i32>(), how) {
        return Ok(Arc::new(hashed(values.iter(), key.as_ref())));
    }
    let Some(values) = array.as_string_opt::<i32>() else {
        return Err(Error::new(ErrorKind::Internal, "what is to be unreadable is not text"));
    };
    let concealed: StringArray = match how {
        Concealment::Hash { key } => {
            hashed(values.iter().map(|value| value.map(str::as_bytes)), key.as_ref())
        }
        Concealment::Mask { keep_last } => {
            values.iter().map(|value| value.map(|value| mask(value, *keep_last))).collect()
        }
    };
    Ok(Arc::new(concealed))
}

fn hashed<'v>(values: impl Iterator<Item = Option<&'v [u8]>>, key: Option<&Secret>) -> StringArray {
    let hashing = Hashing::new(key);
    let mut input = Vec::new();
    let hash = |value: Option<&[u8]>| {
        let value = value?;
        input.clear();
        push_prefixed(&mut input, value);
        Some(hexadecimal(&hashing.hash(&input)))
    };
    values.map(hash).collect()
}

/// The value as it is shown where it must be unreadable.
pub(super) fn conceal_text(value: &str, how: &Concealment) -> String {
    match how {
        Concealment::Hash { key } => {
            let mut input = Vec::new();
            push_prefixed(&mut input, value.as_bytes());
            hexadecimal(&Hashing::new(key.as_ref()).hash(&input))
        }
        Concealment::Mask { keep_last } => mask(value, *keep_last),
    }
}

fn mask(value: &str, keep_last: usize) -> String {
    let length = value.chars().count();
    let hidden = length.checked_sub(keep_last).filter(|hidden| *hidden > 0).unwrap_or(length);
    let letters = value.chars().enumerate();
    letters.map(|(index, letter)| if index < hidden { '*' } else { letter }).collect()
}

/// A hash of each row over `columns` (`None` is a column of NULLs): for each
/// a byte that says whether there is a value (0 or 1), and then its length as
/// 64 bits, little endian, and its rendering. Text is hexadecimal, binary the
/// 32 bytes.
pub(super) fn row_hashes(
    columns: &[Option<&ArrayRef>],
    rows: usize,
    key: Option<&Secret>,
    column_type: ColumnType,
) -> Result<ArrayRef> {
    let hashing = Hashing::new(key);
    let mut hashes = Vec::with_capacity(rows);
    let (mut input, mut rendering) = (Vec::new(), Vec::new());
    for row in 0..rows {
        input.clear();
        for column in columns {
            match column.filter(|column| column.is_valid(row)) {
                None => input.push(0),
                Some(column) => {
                    rendering.clear();
                    render(column, row, &mut rendering)?;
                    input.push(1);
                    push_prefixed(&mut input, &rendering);
                }
            }
        }
        hashes.push(hashing.hash(&input));
    }
    Ok(match column_type {
        ColumnType::Binary => Arc::new(BinaryArray::from_iter_values(hashes)),
        _ => Arc::new(StringArray::from_iter_values(hashes.iter().map(|it| hexadecimal(it)))),
    })
}

fn push_prefixed(input: &mut Vec<u8>, value: &[u8]) {
    input.extend_from_slice(&(value.len() as u64).to_le_bytes());
    input.extend_from_slice(value);
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;

    use super::*;

    #[test]
    fn a_key_makes_it_hmac_as_rfc_4231_has_it() {
        for (key, input, expected) in [
            (
                "Jefe".to_owned(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                "\u{b}".repeat(20),
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
        ] {
            let key = Secret::new(key);
            assert_eq!(hexadecimal(&Hashing::new(Some(&key)).hash(input.as_bytes())), expected);
        }
        let long = Secret::new("k".repeat(65));
        let hashed: [u8; 32] = Sha256::digest("k".repeat(65)).into();
        let by_hand = |pad: u8| {
            let mut block = [pad; BLOCK_BYTES];
            block.iter_mut().zip(hashed).for_each(|(byte, key)| *byte ^= key);
            Sha256::new().chain_update(block)
        };
        let inner = by_hand(0x36).chain_update("x").finalize();
        let expected: [u8; 32] = by_hand(0x5c).chain_update(inner).finalize().into();
        assert_eq!(Hashing::new(Some(&long)).hash(b"x"), expected);
    }

    #[test]
    fn a_hash_has_the_length_before_the_value_and_null_stays_null() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some("ab"), None]));
        let hashed = conceal(&array, &Concealment::Hash { key: None }).unwrap();
        let expected = Sha256::digest([2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
        assert_eq!(hashed.as_string::<i32>().value(0), hexadecimal(&expected));
        assert!(hashed.is_null(1));
    }

    #[test]
    fn bytes_have_the_hash_of_text_of_these_bytes_and_no_mask() {
        let hash = Concealment::Hash { key: None };
        let bytes: ArrayRef =
            Arc::new(BinaryArray::from_opt_vec(vec![Some(b"ab"), Some(b"\xff\0"), None]));
        let text: ArrayRef = Arc::new(StringArray::from(vec!["ab"]));
        let (hashed, of_text) = (conceal(&bytes, &hash).unwrap(), conceal(&text, &hash).unwrap());
        let (hashed, of_text) = (hashed.as_string::<i32>(), of_text.as_string::<i32>());
        assert_eq!(hashed.value(0), of_text.value(0));
        let expected = Sha256::digest([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0]);
        assert_eq!(hashed.value(1), hexadecimal(&expected));
        assert!(hashed.is_null(2));
        assert!(conceal(&bytes, &Concealment::Mask { keep_last: 1 }).is_err());
    }

    #[test]
    fn a_mask_keeps_the_last_characters_of_values_that_have_more() {
        for (value, keep_last, expected) in [
            ("4111é1", 2, "****é1"),
            ("ab", 4, "**"),
            ("ab", 2, "**"),
            ("ab", 0, "**"),
            ("", 1, ""),
        ] {
            assert_eq!(mask(value, keep_last), expected);
        }
    }

    fn hashes(columns: &[Option<&ArrayRef>], rows: usize) -> Vec<String> {
        let hashed = row_hashes(columns, rows, None, ColumnType::Text).unwrap();
        let hashed = hashed.as_string::<i32>();
        (0..rows).map(|row| hashed.value(row).to_owned()).collect()
    }

    #[test]
    fn values_that_move_between_columns_make_another_hash() {
        let texts =
            |values: &[Option<&str>]| -> ArrayRef { Arc::new(StringArray::from(values.to_vec())) };
        let one = texts(&[Some("ab"), Some("a"), None, Some(""), Some("ab"), None]);
        let other = texts(&[Some("c"), Some("bc"), Some("abc"), Some("abc"), None, Some("ab")]);
        let mut found = hashes(&[Some(&one), Some(&other)], 6);
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn a_hash_is_of_the_values_and_not_of_their_types() {
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let float: ArrayRef = Arc::new(arrow_array::Float64Array::from(vec![1.0]));
        assert_eq!(hashes(&[Some(&whole)], 1), hashes(&[Some(&float)], 1));
        assert_eq!(hashes(&[None], 1)[0], hexadecimal(&Sha256::digest([0])));
    }
}
