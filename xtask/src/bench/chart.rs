//! A chart of one measurement as SVG: for each contender its wall time, and
//! the CPU of client and server.
//!
//! It has no background, and its colours follow the reader's scheme, so that
//! it can be read on light and on dark pages.

use std::fmt::Write;

use super::results::{self, CLIENT, Outcome, RSS, SERVER, WALL, median};

const WIDTH: f64 = 860.0;
const NAMES: f64 = 250.0;
const BARS: f64 = 390.0;
const ROW: f64 = 46.0;
const TOP: f64 = 64.0;
const BAR: f64 = 13.0;

/// Bars beyond so many times the middle contender's are cut.
const CUT: f64 = 2.5;

const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.quiet { fill: #59636e; }
.ours { font-weight: 600; }
.wall { fill: #8c959f; }
.client { fill: #0969da; }
.server { fill: #54aeff; }
.axis { stroke: #8c959f; stroke-opacity: 0.4; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .quiet { fill: #9198a1; }
  .client { fill: #4493f8; }
  .server { fill: #1f5fae; }
}";

/// The numbers of one contender.
struct Bars<'o> {
    name: &'o str,
    wall: f64,
    client: f64,
    server: f64,
    rss: f64,
}

/// The chart; contenders without figures are left to the page.
pub(super) fn draw(outcomes: &[&Outcome]) -> String {
    let mut all: Vec<Bars<'_>> = results::contenders(outcomes)
        .into_iter()
        .filter_map(|name| Bars::of(outcomes, name))
        .collect();
    all.sort_by(|one, other| one.wall.total_cmp(&other.wall));
    let longest = longest(&all);
    let height = TOP + ROW * all.len() as f64 + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<style>\n{STYLE}\n</style>\n\
         <text class=\"title\" x=\"10\" y=\"22\">CSV from S3 into Postgres: seconds, \
         less is better</text>\n"
    );
    legend(&mut svg);
    for (position, bars) in all.iter().enumerate() {
        bars.draw(&mut svg, TOP + ROW * position as f64, longest);
    }
    let _ = writeln!(
        svg,
        "<line class=\"axis\" x1=\"{NAMES}\" y1=\"{TOP}\" x2=\"{NAMES}\" y2=\"{}\"/>\n</svg>",
        height - 10.0
    );
    svg
}

fn legend(svg: &mut String) {
    for (place, class, what) in [
        (0.0, "wall", "wall time"),
        (110.0, "client", "CPU of the client"),
        (260.0, "server", "CPU of the server"),
    ] {
        let x = NAMES + place;
        let _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"36\" width=\"12\" height=\"12\"/>\
             <text class=\"quiet\" x=\"{}\" y=\"47\">{what}</text>",
            x + 18.0
        );
    }
}

/// What the width of the bars stands for.
fn longest(all: &[Bars<'_>]) -> f64 {
    let mut lengths: Vec<f64> = all.iter().map(|bars| bars.wall.max(bars.cpu())).collect();
    lengths.sort_by(f64::total_cmp);
    let middle = lengths.get(lengths.len() / 2).copied().unwrap_or(1.0);
    lengths.last().copied().unwrap_or(1.0).min(middle * CUT).max(f64::MIN_POSITIVE)
}

impl<'o> Bars<'o> {
    fn of(outcomes: &[&'o Outcome], name: &'o str) -> Option<Self> {
        let of = |figure: &str| median(outcomes, name, figure);
        let rss = of(RSS)?;
        Some(Self { name, wall: of(WALL)?, client: of(CLIENT)?, server: of(SERVER)?, rss })
    }

    fn cpu(&self) -> f64 {
        self.client + self.server
    }

    fn draw(&self, svg: &mut String, top: f64, longest: f64) {
        let class = if self.name == "decant" { "ours" } else { "" };
        let name = self.name.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            svg,
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>",
            NAMES - 12.0,
            top + 19.0
        );
        let wall = bar(svg, "wall", (NAMES, top + 3.0), self.wall, longest);
        label(svg, wall, top + 14.0, &format!("{:.2} s", self.wall), self.wall > longest);
        let client = bar(svg, "client", (NAMES, top + 19.0), self.client, longest);
        let left = (longest - self.client).max(0.0);
        let server = bar(svg, "server", (client, top + 19.0), self.server.min(left), longest);
        let text = format!("{:.2} + {:.2} s, {:.0} MB", self.client, self.server, self.rss);
        label(svg, server, top + 30.0, &text, self.cpu() > longest);
    }
}

/// Draws a bar and answers where it ends.
fn bar(svg: &mut String, class: &str, (x, y): (f64, f64), value: f64, longest: f64) -> f64 {
    let width = BARS * (value / longest).min(1.0);
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\"/>"
    );
    x + width
}

fn label(svg: &mut String, x: f64, y: f64, text: &str, cut: bool) {
    let mark = if cut { "… " } else { "" };
    let _ = writeln!(
        svg,
        "<text class=\"quiet\" x=\"{:.1}\" y=\"{y:.1}\">{mark}{text}</text>",
        x + 6.0
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn outcome(contender: &str, wall: f64) -> Outcome {
        let figures = [(WALL, wall), (CLIENT, wall / 2.0), (SERVER, wall / 4.0), (RSS, 50.0)];
        Outcome {
            measurement: "m".into(),
            contender: contender.into(),
            series: 1,
            scale: 1.0,
            command: String::new(),
            figures: BTreeMap::from(figures.map(|(name, value)| (name.to_owned(), value))),
            failure: None,
        }
    }

    #[test]
    fn the_fastest_stands_first_and_what_is_far_too_long_is_cut() {
        let outcomes =
            [outcome("slow & <old>", 300.0), outcome("decant", 2.0), outcome("psql", 3.0)];
        let svg = draw(&outcomes.iter().collect::<Vec<_>>());
        assert!(svg.find(">decant<").unwrap() < svg.find(">psql<").unwrap());
        assert!(svg.contains("slow &amp; &lt;old>"), "{svg}");
        assert!(svg.contains("… 300.00 s"), "{svg}");
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    }
}
