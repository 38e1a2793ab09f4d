//! The shape of a decimal number in text: sign, digits, point, exponent.
//!
//! Grammar, exactly: `-?` then an integer part without leading zeros, or none
//! (`.5` is a number), then, if there is a point, at least one digit (`5.` is
//! not: it is how headings are numbered), then an exponent or none. Where the
//! type was given also `+`, leading zeros and `5.`.

use super::Reading;

/// Exponents beyond this overflow every type of the house alike.
const EXPONENT_MAX: i32 = 100_000;

/// A number as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a> {
    /// Whether a minus sign stands before it.
    pub negative: bool,
    /// Digits before the point.
    pub integer: &'a [u8],
    /// Digits behind the point.
    pub fraction: &'a [u8],
    /// Power of ten; 0 where none is written.
    pub exponent: i32,
    /// Whether there is neither a point nor an exponent.
    pub whole: bool,
    /// Whether an exponent is written.
    pub scientific: bool,
}

/// The digits that matter: the value is `0.{head}{tail}` times ten to the
/// power of `point`. Neither the first nor the last digit is zero; zero has no
/// digits at all.
#[derive(Clone, Copy, Debug)]
pub struct Significant<'a> {
    head: &'a [u8],
    tail: &'a [u8],
    /// Digits before the point; negative when zeros follow it.
    pub point: i64,
}

impl<'a> Number<'a> {
    /// Takes the text apart; `None` when it is not a number.
    pub fn lex(value: &'a [u8], reading: Reading) -> Option<Self> {
        let (negative, rest) = match (reading.trim(value), reading) {
            ([b'-', rest @ ..], _) => (true, rest),
            ([b'+', rest @ ..], Reading::Given) => (false, rest),
            (rest, _) => (false, rest),
        };
        let (integer, rest) = split_digits(rest);
        let (fraction, rest, pointed) = match rest {
            [b'.', rest @ ..] => {
                let (fraction, rest) = split_digits(rest);
                (fraction, rest, true)
            }
            rest => (&rest[..0], rest, false),
        };
        let (exponent, scientific) = match rest {
            [] => (0, false),
            [b'e' | b'E', power @ ..] => (lex_exponent(power)?, true),
            _ => return None,
        };
        let number = Self {
            negative,
            integer,
            fraction,
            exponent,
            whole: !pointed && !scientific,
            scientific,
        };
        number.is_well_formed(reading, pointed).then_some(number)
    }

    fn is_well_formed(&self, reading: Reading, pointed: bool) -> bool {
        let exact = reading == Reading::Exact;
        match (self.integer, self.fraction) {
            ([], []) => false,
            ([b'0', _, ..], _) if exact => false,
            (_, []) if exact && pointed => false,
            _ => true,
        }
    }

    /// The digits that matter.
    pub fn significant(&self) -> Significant<'a> {
        let integer = strip_leading(self.integer);
        let fraction = strip_trailing(self.fraction);
        let exponent = i64::from(self.exponent);
        match (integer, fraction) {
            ([], fraction) => {
                let digits = strip_leading(fraction);
                let zeros = (fraction.len() - digits.len()) as i64;
                Significant { head: digits, tail: &[], point: exponent - zeros }
            }
            (integer, []) => Significant {
                head: strip_trailing(integer),
                tail: &[],
                point: integer.len() as i64 + exponent,
            },
            (integer, fraction) => Significant {
                head: integer,
                tail: fraction,
                point: integer.len() as i64 + exponent,
            },
        }
    }
}

impl<'a> Significant<'a> {
    /// How many digits there are; 0 for zero.
    pub fn count(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// The digits as ASCII, the first one first.
    pub fn digits(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.head.iter().chain(self.tail).copied()
    }

    /// Whether both are the same number, signs aside.
    pub fn equals(&self, other: &Significant<'_>) -> bool {
        self.count() == other.count()
            && (self.count() == 0 || self.point == other.point)
            && self.digits().eq(other.digits())
    }
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(count)
}

fn lex_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let magnitude = digits
        .iter()
        .fold(0_i32, |sum, digit| (sum * 10 + i32::from(digit - b'0')).min(EXPONENT_MAX));
    Some(if negative { -magnitude } else { magnitude })
}

fn strip_leading(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

fn strip_trailing(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    &digits[..digits.len() - zeros]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits_and_point(text: &str) -> (String, i64) {
        let number = Number::lex(text.as_bytes(), Reading::Exact).expect(text);
        let significant = number.significant();
        (significant.digits().map(char::from).collect(), significant.point)
    }

    #[test]
    fn significant_digits_are_those_between_the_zeros() {
        for (text, digits, point) in [
            ("12.50", "125", 2),
            ("1200", "12", 4),
            ("0.0012", "12", -2),
            (".5", "5", 0),
            ("-1.5e3", "15", 4),
            ("100.01", "10001", 3),
            ("2E-7", "2", -6),
        ] {
            assert_eq!(digits_and_point(text), (digits.to_owned(), point), "{text}");
        }
        assert_eq!(digits_and_point("0.000").0, "");
    }

    #[test]
    fn spellings_are_numbers_as_the_reading_allows() {
        for (text, exact, given) in [
            ("0", true, true),
            ("-0.0", true, true),
            ("12.0", true, true),
            (".5", true, true),
            ("-.5", true, true),
            ("1e5", true, true),
            ("1E+05", true, true),
            ("1.", false, true),
            ("007", false, true),
            ("00.5", false, true),
            ("+1", false, true),
            (" 1", false, true),
            ("", false, false),
            (".", false, false),
            ("-", false, false),
            ("e5", false, false),
            ("1e", false, false),
            ("1e+", false, false),
            ("1,5", false, false),
            ("0x1F", false, false),
            ("1.2.3", false, false),
            ("12%", false, false),
        ] {
            let lexes = |reading| Number::lex(text.as_bytes(), reading).is_some();
            assert_eq!(lexes(Reading::Exact), exact, "{text:?} exactly");
            assert_eq!(lexes(Reading::Given), given, "{text:?} given");
        }
    }
}
