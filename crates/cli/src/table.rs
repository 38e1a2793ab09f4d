//! Plain tables for people: columns as wide as their widest cell.

use std::fmt::Write as _;

/// Widest cell that is shown whole.
const CELL_MAX: usize = 60;

/// Lays rows out under a heading, two spaces between columns.
pub(crate) fn lay_out(heading: &[&str], rows: &[Vec<String>]) -> String {
    let shown: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| shorten(cell)).collect()).collect();
    let widths: Vec<usize> = heading
        .iter()
        .enumerate()
        .map(|(column, title)| {
            let cells = shown.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).fold(title.chars().count(), usize::max)
        })
        .collect();
    let mut text = String::new();
    push_line(&mut text, heading.iter().copied(), &widths);
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    push_line(&mut text, rule.iter().map(String::as_str), &widths);
    for row in &shown {
        push_line(&mut text, row.iter().map(String::as_str), &widths);
    }
    text
}

fn push_line<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>, widths: &[usize]) {
    let mut line = String::new();
    for (cell, width) in cells.zip(widths) {
        let _ = write!(line, "{cell:width$}  ");
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

/// One line of at most [`CELL_MAX`] letters; control characters are spelled.
fn shorten(cell: &str) -> String {
    let line: String =
        cell.chars().flat_map(|letter| spelled(letter).chars().collect::<Vec<_>>()).collect();
    if line.chars().count() <= CELL_MAX {
        return line;
    }
    let kept: String = line.chars().take(CELL_MAX - 1).collect();
    format!("{kept}…")
}

fn spelled(letter: char) -> String {
    if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let rows = vec![vec!["a".into(), "long cell".into()], vec!["b\n".into(), "x".into()]];
        assert_eq!(
            lay_out(&["id", "name"], &rows),
            "id   name\n---  ---------\na    long cell\nb\\n  x\n"
        );
    }

    #[test]
    fn a_long_cell_is_cut_at_a_letter() {
        let text = lay_out(&["x"], &[vec!["é".repeat(200)]]);
        assert!(text.contains('…'));
        assert!(text.lines().all(|line| line.chars().count() <= CELL_MAX));
    }
}
