//! From a pattern's text to its steps, and whether they say what a type
//! needs.

use decant_core::schema::ColumnType;
use decant_core::{Error, ErrorKind, Result};

use super::step::{Part, Step};

const KNOWN: &str = "%Y %y %m %b %B %d %e %j %a %A %H %I %p %M %S %f %.f %z %:z %s %F %T %D %R %%";

/// The steps of `pattern`.
///
/// # Errors
///
/// `InvalidConfig` for what is not a conversion.
pub(super) fn compile(pattern: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    add(pattern, pattern, &mut steps)?;
    widen_touching(&mut steps);
    Ok(steps)
}

fn add(text: &str, pattern: &str, steps: &mut Vec<Step>) -> Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        add_literal(&rest.as_bytes()[..at], steps);
        let conversion = Conversion::at_start(&rest[at..]);
        match conversion.composite() {
            Some(text) => add(text, pattern, steps)?,
            None => conversion.add(pattern, steps)?,
        }
        rest = &rest[at + conversion.text.len()..];
    }
    add_literal(rest.as_bytes(), steps);
    Ok(())
}

fn add_literal(bytes: &[u8], steps: &mut Vec<Step>) {
    match steps.last_mut() {
        _ if bytes.is_empty() => {}
        Some(Step::Literal(literal)) => literal.extend_from_slice(bytes),
        _ => steps.push(Step::Literal(bytes.to_vec())),
    }
}

/// A conversion as it stands in the pattern: `%`, perhaps a flag, and what
/// names it.
struct Conversion<'p> {
    text: &'p str,
    spaced: bool,
    name: &'p str,
}

impl<'p> Conversion<'p> {
    fn at_start(text: &'p str) -> Self {
        let inside = &text[1..];
        let unflagged = inside.strip_prefix(['-', '_', '0']).unwrap_or(inside);
        let letter = unflagged
            .char_indices()
            .find(|(_, letter)| !matches!(letter, '.' | ':' | '0'..='9'))
            .map_or(unflagged.len(), |(at, letter)| at + letter.len_utf8());
        let name = &unflagged[..letter];
        let length = text.len() - unflagged.len() + letter;
        Self { text: &text[..length], spaced: inside.starts_with('_') || name == "e", name }
    }

    fn composite(&self) -> Option<&'static str> {
        match self.name {
            "F" => Some("%Y-%m-%d"),
            "T" => Some("%H:%M:%S"),
            "D" => Some("%m/%d/%y"),
            "R" => Some("%H:%M"),
            ".3f" => Some(".%3f"),
            ".6f" => Some(".%6f"),
            ".9f" => Some(".%9f"),
            _ => None,
        }
    }

    fn add(&self, pattern: &str, steps: &mut Vec<Step>) -> Result<()> {
        let literal = match self.name {
            "%" => "%",
            "n" => "\n",
            "t" => "\t",
            _ => {
                steps.push(self.step().ok_or_else(|| self.unknown(pattern))?);
                return Ok(());
            }
        };
        add_literal(literal.as_bytes(), steps);
        Ok(())
    }

    fn step(&self) -> Option<Step> {
        let number = |part, least, most| Step::Number { part, least, most, spaced: self.spaced };
        Some(match self.name {
            "Y" => number(Part::Year, 4, 4),
            "y" => number(Part::ShortYear, 2, 2),
            "m" => number(Part::Month, 1, 2),
            "d" | "e" => number(Part::Day, 1, 2),
            "j" => number(Part::DayOfYear, 1, 3),
            "H" | "k" => number(Part::Hour, 1, 2),
            "I" | "l" => number(Part::HalfDayHour, 1, 2),
            "M" => number(Part::Minute, 1, 2),
            "S" => number(Part::Second, 1, 2),
            "b" | "h" => Step::Month { long: false },
            "B" => Step::Month { long: true },
            "a" => Step::Weekday { long: false },
            "A" => Step::Weekday { long: true },
            "p" | "P" => Step::HalfDay,
            "f" => Step::Fraction(None),
            "3f" => Step::Fraction(Some(3)),
            "6f" => Step::Fraction(Some(6)),
            "9f" => Step::Fraction(Some(9)),
            ".f" => Step::PointFraction,
            "z" | ":z" => Step::Offset,
            "s" => Step::Epoch,
            _ => return None,
        })
    }

    fn unknown(&self, pattern: &str) -> Error {
        if self.name == "Z" {
            let message = format!("`%Z` in `{pattern}` cannot be read: zones share abbreviations");
            return Error::new(ErrorKind::InvalidConfig, message).with_hint(
                "write the abbreviation as it stands, and the zone's name behind the pattern: \
                 timestamp('%Y-%m-%d %H:%M:%S CET', 'Europe/Paris')",
            );
        }
        let message = format!("`{}` in `{pattern}` is not a conversion that is known", self.text);
        Error::new(ErrorKind::InvalidConfig, message).with_hint(format!("known are {KNOWN}"))
    }
}

/// Numbers that touch other numbers have all of their digits, or nobody could
/// say where one ends.
fn widen_touching(steps: &mut [Step]) {
    for at in 1..steps.len() {
        if steps[at - 1].is_digits() && steps[at].is_digits() {
            for step in &mut steps[at - 1..=at] {
                if let Step::Number { least, most, .. } = step {
                    *least = *most;
                }
            }
        }
    }
}

/// What a pattern tells, each at most once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Year,
    Month,
    Day,
    DayOfYear,
    Weekday,
    Hour,
    HalfDayHour,
    HalfDay,
    Minute,
    Second,
    Fraction,
    Offset,
    Epoch,
}

impl Said {
    fn by(step: &Step) -> Option<Self> {
        Some(match step {
            Step::Literal(_) => return None,
            Step::Number { part, .. } => match part {
                Part::Year | Part::ShortYear => Self::Year,
                Part::Month => Self::Month,
                Part::Day => Self::Day,
                Part::DayOfYear => Self::DayOfYear,
                Part::Hour => Self::Hour,
                Part::HalfDayHour => Self::HalfDayHour,
                Part::Minute => Self::Minute,
                Part::Second => Self::Second,
            },
            Step::Month { .. } => Self::Month,
            Step::Weekday { .. } => Self::Weekday,
            Step::HalfDay => Self::HalfDay,
            Step::Fraction(_) | Step::PointFraction => Self::Fraction,
            Step::Offset => Self::Offset,
            Step::Epoch => Self::Epoch,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Year => "a year (%Y)",
            Self::Month => "a month (%m)",
            Self::Day => "a day (%d)",
            Self::DayOfYear => "a day of the year (%j)",
            Self::Weekday => "a day of the week (%a)",
            Self::Hour => "an hour (%H)",
            Self::HalfDayHour => "an hour of twelve (%I)",
            Self::HalfDay => "AM or PM (%p)",
            Self::Minute => "minutes (%M)",
            Self::Second => "seconds (%S)",
            Self::Fraction => "a fraction (%f)",
            Self::Offset => "an offset (%z)",
            Self::Epoch => "seconds since 1970 (%s)",
        }
    }

    fn is_of_the_calendar(self) -> bool {
        matches!(self, Self::Year | Self::Month | Self::Day | Self::DayOfYear | Self::Weekday)
    }
}

/// Refuses a pattern that says too little or too much for `column_type`.
///
/// # Errors
///
/// `InvalidConfig`.
pub(super) fn check(
    pattern: &str,
    steps: &[Step],
    column_type: ColumnType,
    zoned: bool,
) -> Result<()> {
    let said: Vec<Said> = steps.iter().filter_map(Said::by).collect();
    let refuse = |problem: String, cure: &str| {
        let message = format!("the pattern `{pattern}` {problem}");
        Err(Error::new(ErrorKind::InvalidConfig, message).with_hint(cure))
    };
    if said.is_empty() {
        return refuse("has no conversion".into(), "patterns are written like `%d/%m/%Y %H:%M`");
    }
    if let Some(twice) = said.iter().enumerate().find(|(at, what)| said[..*at].contains(what)) {
        return refuse(format!("says {} twice", twice.1.word()), "leave one of the two out");
    }
    if steps.windows(2).any(|pair| pair[0].is_open_ended() && pair[1].is_digits()) {
        let problem = "has digits behind digits whose number is open";
        return refuse(problem.into(), "say how many there are: `%3f`, `%6f` or `%9f`");
    }
    match lacking(&said, column_type, zoned) {
        Some(Said::Offset) => {
            let cure = "add `%z`, or the zone that the times are in: \
                        timestamp('%d/%m/%Y %H:%M', 'Europe/Paris')";
            return refuse("says no offset from UTC".into(), cure);
        }
        Some(lacking) => {
            let problem = format!("does not say {}", lacking.word());
            return refuse(problem, &format!("a {column_type} needs {}", lacking.word()));
        }
        None => {}
    }
    match superfluous(&said, column_type, zoned) {
        Some(what) => {
            let problem = format!("says {what}, which a {column_type} does not keep");
            refuse(problem, "choose another type, or write it as the text that it always is")
        }
        None => Ok(()),
    }
}

fn lacking(said: &[Said], column_type: ColumnType, zoned: bool) -> Option<Said> {
    let has = |what: Said| said.contains(&what);
    let needs = |what: Said| (!has(what)).then_some(what);
    if has(Said::Epoch) {
        return None;
    }
    let day = || match has(Said::DayOfYear) {
        true => needs(Said::Year),
        false => needs(Said::Year).or_else(|| needs(Said::Month)).or_else(|| needs(Said::Day)),
    };
    let hour = || match has(Said::HalfDayHour) {
        true => needs(Said::HalfDay),
        false => needs(Said::Hour),
    };
    let is_time = column_type == ColumnType::Time;
    let in_order = [
        (!is_time).then(day).flatten(),
        (is_time || said.iter().any(|what| has_clock(*what))).then(hour).flatten(),
        has(Said::Second).then(|| needs(Said::Minute)).flatten(),
        has(Said::Fraction).then(|| needs(Said::Second)).flatten(),
        (column_type == ColumnType::TimestampTz && !zoned).then(|| needs(Said::Offset)).flatten(),
    ];
    in_order.into_iter().flatten().next()
}

fn has_clock(what: Said) -> bool {
    use Said::*;
    matches!(what, Hour | HalfDayHour | HalfDay | Minute | Second | Fraction)
}

fn superfluous(said: &[Said], column_type: ColumnType, zoned: bool) -> Option<&'static str> {
    let has = |what: Said| said.contains(&what);
    let is_moment = column_type == ColumnType::TimestampTz;
    let first = |is_bad: &dyn Fn(Said) -> bool| {
        said.iter().find(|what| is_bad(**what)).map(|what| what.word())
    };
    if zoned && !is_moment {
        return Some("a zone");
    }
    if has(Said::Epoch) {
        let is_time = column_type == ColumnType::Time;
        return first(&|what| is_time || !matches!(what, Said::Epoch | Said::Fraction));
    }
    if has(Said::DayOfYear) && (has(Said::Month) || has(Said::Day)) {
        return Some("a month or a day besides the day of the year (%j)");
    }
    if has(Said::Hour) && (has(Said::HalfDayHour) || has(Said::HalfDay)) {
        return Some("an hour of 24 (%H) and one of twelve");
    }
    match column_type {
        ColumnType::Time => first(&|what| what.is_of_the_calendar() || what == Said::Offset),
        ColumnType::TimestampTz => None,
        _ => first(&|what| what == Said::Offset),
    }
}
