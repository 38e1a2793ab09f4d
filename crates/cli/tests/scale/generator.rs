//! Rows of order lines, the same in every run of the tests: as CSV, and as
//! the sums and the checksum that a table of them must have.
//!
//! Invariant: the sums are taken from the values before they are written, so
//! that nothing that reads or writes CSV has a part in them.

use std::hash::Hasher as _;
use std::io::Write as _;

/// The first line of every file.
pub(crate) const HEADER: &str = "order_id,line_number,part,quantity,price,discount,flag,ship_date,\
                                 received_at,comment\n";

const FLAGS: [&str; 4] = ["A", "R", "F", "O"];
const WORDS: [&str; 16] = [
    "carefully",
    "pending",
    "accounts",
    "sleep",
    "furiously",
    "ironic",
    "deposits",
    "among",
    "silent",
    "packages",
    "haggle",
    "blithely",
    "unusual",
    "pinto",
    "beans",
    "quickly",
];

/// What a table holds, whatever the order of its rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) rows: u64,
    /// Sum of `order_id`, which no two rows share.
    pub(crate) order_ids: u64,
    /// Sum of `quantity`.
    pub(crate) quantity: u64,
    /// Sum of `price` in cents.
    pub(crate) cents: u64,
    /// Rows with a comment.
    pub(crate) comments: u64,
    /// Wrapping sum of the hashes of all rows, each as one text.
    pub(crate) checksum: u64,
}

impl Contents {
    pub(crate) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.order_ids += other.order_ids;
        self.quantity += other.quantity;
        self.cents += other.cents;
        self.comments += other.comments;
        self.checksum = self.checksum.wrapping_add(other.checksum);
    }
}

/// A row's part in [`Contents::checksum`]. The text is the row's values in
/// their order between bars: prices and discounts in hundredths, `~` for NULL.
pub(crate) fn hash(row: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(row);
    hasher.finish()
}

/// `rows` rows with the order ids from `first` on, as a CSV file.
pub(crate) fn file(first: u64, rows: u64) -> (Vec<u8>, Contents) {
    let mut csv = Vec::with_capacity(rows as usize * 130 + HEADER.len());
    csv.extend_from_slice(HEADER.as_bytes());
    let mut contents = Contents::default();
    let mut text = Vec::new();
    for order_id in first..first + rows {
        let row = Row::of(order_id);
        row.write_csv(&mut csv);
        text.clear();
        row.write_text(&mut text);
        contents.add(&Contents {
            rows: 1,
            order_ids: order_id,
            quantity: row.quantity,
            cents: row.cents,
            comments: u64::from(row.comment.is_some()),
            checksum: hash(&text),
        });
    }
    (csv, contents)
}

struct Row {
    order_id: u64,
    line_number: u64,
    part: u64,
    quantity: u64,
    cents: u64,
    discount: u64,
    flag: &'static str,
    ship_date: (u64, u64, u64),
    received_at: (u64, u64, u64),
    comment: Option<String>,
}

impl Row {
    fn of(order_id: u64) -> Self {
        let mut random = Random(order_id);
        Self {
            order_id,
            line_number: 1 + random.below(7),
            part: random.below(200_000),
            quantity: 1 + random.below(50),
            cents: 1 + random.below(10_000_000),
            discount: random.below(11),
            flag: FLAGS[random.below(4) as usize],
            ship_date: (1992 + random.below(7), 1 + random.below(12), 1 + random.below(28)),
            received_at: (random.below(24), random.below(60), random.below(60)),
            comment: comment(&mut random),
        }
    }

    fn write_csv(&self, csv: &mut Vec<u8>) {
        let Self { order_id, line_number, part, quantity, cents, discount, flag, .. } = self;
        let (whole, hundredths) = (cents / 100, cents % 100);
        write!(
            csv,
            "{order_id},{line_number},Part#{part:06},{quantity},{whole}.{hundredths:02},\
             0.{discount:02},{flag},"
        )
        .expect("memory takes every write");
        self.write_moments(csv, b',', b'T');
        match self.comment.as_deref() {
            Some(comment) if comment.contains(['"', ',', '\n']) => {
                write!(csv, "\"{}\"", comment.replace('"', "\"\"")).expect("memory");
            }
            comment => csv.extend_from_slice(comment.unwrap_or_default().as_bytes()),
        }
        csv.push(b'\n');
    }

    fn write_text(&self, text: &mut Vec<u8>) {
        let Self { order_id, line_number, part, quantity, cents, discount, flag, .. } = self;
        write!(
            text,
            "{order_id}|{line_number}|Part#{part:06}|{quantity}|{cents}|{discount}|{flag}|"
        )
        .expect("memory takes every write");
        self.write_moments(text, b'|', b' ');
        text.extend_from_slice(self.comment.as_deref().unwrap_or("~").as_bytes());
    }

    fn write_moments(&self, text: &mut Vec<u8>, separator: u8, between: u8) {
        let ((year, month, day), (hour, minute, second)) = (self.ship_date, self.received_at);
        let (separator, between) = (char::from(separator), char::from(between));
        write!(
            text,
            "{year}-{month:02}-{day:02}{separator}{year}-{month:02}-{day:02}{between}\
             {hour:02}:{minute:02}:{second:02}{separator}"
        )
        .expect("memory takes every write");
    }
}

/// Mostly plain words; some with what CSV must quote, some beyond ASCII, and
/// some missing.
fn comment(random: &mut Random) -> Option<String> {
    let oddity = random.below(64);
    if oddity < 2 {
        return None;
    }
    let mut words = random.next();
    let mut comment = String::with_capacity(64);
    for position in 0..7 {
        comment.push_str(match (position, oddity) {
            (0, _) => "",
            (3, 2..6) => ", ",
            (3, 6) => " \"as is\" ",
            (3, 7) => "\n",
            (3, 8..10) => " caf\u{e9} \u{1f69a} ",
            _ => " ",
        });
        comment.push_str(WORDS[(words % 16) as usize]);
        words /= 16;
    }
    Some(comment)
}

/// SplitMix64: numbers that look random and are the same every time.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number of a range.
    pub(crate) fn within(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }
}
