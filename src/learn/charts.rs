//! Charts drawn on the server: inline SVG without script, coloured by [`CSS`] in light, dark and print.

use std::fmt::Write;

/// What a part of a bar stands for; its colour follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A count.
    Count,
    /// What of a count is told apart.
    Within,
    /// People agreed, or two things are the same.
    Good,
    /// People disagreed, or two things differ.
    Bad,
}

/// The colours of the parts: told apart by lightness too, so that print and colour-blind readers see them.
pub const CSS: &str = ":root{--count:#1f75cb;--good:#2f7d4f;--bad:#e0803a;--within:#7b3fa0;--track:#e8e8ef}
@media (prefers-color-scheme:dark){:root{--count:#63a6e9;--good:#5cb585;--bad:#f0a46a;--within:#c99be6;--track:#33333b}}
.bar{display:block;width:100%;min-width:6rem;height:.8rem;border-radius:2px;background:var(--track);print-color-adjust:exact;-webkit-print-color-adjust:exact}
.bar .count{fill:var(--count)}.bar .within{fill:var(--within)}.bar .good{fill:var(--good)}.bar .bad{fill:var(--bad)}
";

/// A bar whose parts stand side by side on a track that stands for `whole`; `words` say the same to who cannot see it; without any
/// it is an ornament.
///
/// Parts beyond the whole are cut off; a whole of 0 gives an empty track. `words` is escaped here.
pub fn bar(parts: &[(Part, u64)], whole: u64, words: &str) -> String {
    let seen = match words {
        "" => "aria-hidden=\"true\"".to_owned(),
        words => format!("role=\"img\" aria-label=\"{}\"", crate::decide::note::markup::escape(words)),
    };
    let mut svg = format!("<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" {seen}>");
    let mut start = 0;
    for (part, value) in parts {
        let width = value.saturating_mul(1000).checked_div(whole).unwrap_or(0).min(1000 - start);
        // What is there is seen, however little of the whole it is.
        let width = if *value > 0 { width.max(2).min(1000 - start) } else { 0 };
        let class = match part {
            Part::Count => "count",
            Part::Within => "within",
            Part::Good => "good",
            Part::Bad => "bad",
        };
        let _infallible = write!(svg, "<rect class=\"{class}\" x=\"{start}\" width=\"{width}\" height=\"10\"/>");
        start += width;
    }
    svg.push_str("</svg>");
    svg
}
