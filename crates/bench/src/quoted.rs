//! Rows of text as people write it: reviews with quotes inside quotes, commas
//! and several lines, about 400 bytes of CSV a row.

use std::fmt::{self, Write};

use crate::Chance;

/// The columns' names.
pub const COLUMNS: [&str; 5] = ["review_id", "product", "author", "body", "stars"];

const PRODUCTS: [&str; 5] = [
    "Monitor, 27\" wide",
    "Cable, 2 m",
    "Chair \"Oslo\"",
    "Desk, height-adjustable",
    "Lamp 5' floor, black",
];
const AUTHORS: [&str; 6] = [
    "Martin, Åsa",
    "O'Brien, Pat",
    "Weiß, Jürgen",
    "Anna \"Annie\" Smith",
    "García, José",
    "Chen, Li",
];
const SENTENCES: [&str; 8] = [
    "It arrived a day early, well packed.",
    "The manual calls it \"quick to assemble\"; it took us two hours, and a hammer.",
    "Would buy again.",
    "Colours are true, the stand is not: it wobbles, squeaks, and leans to the left.",
    "My son said: \"cool\".",
    "After three weeks of daily use there is nothing to complain about, which is rare enough.",
    "Support answered within the hour, in complete sentences, and sent the missing screws.",
    "Not for small rooms.",
];

/// Reviews, one after the other.
#[derive(Clone, Debug)]
pub struct Reviews {
    chance: Chance,
    number: u64,
}

/// One review.
#[derive(Clone, Debug)]
pub struct Review {
    /// Counts from one.
    pub id: u64,
    product: &'static str,
    author: &'static str,
    /// What was written, as it was.
    pub body: String,
    /// One to five.
    pub stars: u64,
}

impl Default for Reviews {
    fn default() -> Self {
        Self { chance: Chance::new(3), number: 0 }
    }
}

impl Reviews {
    /// The next review.
    pub fn next_review(&mut self) -> Review {
        let chance = &mut self.chance;
        self.number += 1;
        let mut body = String::new();
        for sentence in 0..chance.between(3, 9) {
            if sentence > 0 {
                body.push_str(chance.one_of(&[" ", " ", "\n", "\n\n"]));
            }
            body.push_str(chance.one_of(&SENTENCES));
        }
        Review {
            id: self.number,
            product: one_of(chance, &PRODUCTS),
            author: one_of(chance, &AUTHORS),
            body,
            stars: chance.between(1, 5),
        }
    }
}

fn one_of(chance: &mut Chance, choices: &[&'static str]) -> &'static str {
    let last = choices.len().saturating_sub(1) as u64;
    choices.get(chance.between(0, last) as usize).copied().unwrap_or_default()
}

impl Review {
    /// The review as a row of CSV; its texts are quoted.
    ///
    /// # Errors
    ///
    /// None: writing to a string cannot fail.
    pub fn write_csv(&self, text: &mut String) -> fmt::Result {
        write!(text, "{}", self.id)?;
        for value in [self.product, self.author, &self.body] {
            text.push_str(",\"");
            for (position, part) in value.split('"').enumerate() {
                text.push_str(if position > 0 { "\"\"" } else { "" });
                text.push_str(part);
            }
            text.push('"');
        }
        writeln!(text, ",{}", self.stars)
    }
}

/// The first `rows` rows as a CSV file with a header.
pub fn csv(rows: u64) -> String {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    let mut reviews = Reviews::default();
    for _ in 0..rows {
        // Writing to a string cannot fail.
        let _ = reviews.next_review().write_csv(&mut text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_doubled_and_nothing_else_is_changed() {
        let review = Review {
            id: 7,
            product: "27\" wide",
            author: "A, B",
            body: "one\n\"two\"".into(),
            stars: 5,
        };
        let mut text = String::new();
        review.write_csv(&mut text).unwrap();
        assert_eq!(text, "7,\"27\"\" wide\",\"A, B\",\"one\n\"\"two\"\"\",5\n");
    }

    #[test]
    fn a_row_has_about_its_size_and_quotes_that_agree() {
        let text = csv(1000);
        assert!((300..500).contains(&(text.len() / 1000)), "{}", text.len());
        assert_eq!(text.matches('"').count() % 2, 0);
    }
}
