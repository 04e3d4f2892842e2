//! A flowchart as a picture: one drawing for the command line and the console.
//!
//! Boxes are as large as their words need in the widest font people have, text is `<text>`, so that any viewer shows it,
//! and each part has its exact id. By itself the picture brings its colours, for light and for dark; within a page the page
//! does.

mod layout;
mod letters;
mod shape;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::diagram::{Diagram, Edge};
use crate::decide::note::markup::escape;
use layout::{Group, Placed, Route};

/// A flowchart with the place of every part.
#[derive(Debug, Clone)]
pub struct Chart {
    diagram: Diagram,
    width: f64,
    height: f64,
    nodes: Vec<Placed>,
    links: Vec<Route>,
    groups: Vec<Group>,
}

/// How often nodes and links were passed, by id and by ids.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// By node.
    pub nodes: BTreeMap<String, u64>,
    /// By the nodes a link leads from and to.
    pub links: BTreeMap<(String, String), u64>,
}

/// What is shown on a chart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// Nodes on the way, in order; they are lit.
    pub walked: &'a [String],
    /// Links on the way: indices into the diagram's edges.
    pub taken: &'a [usize],
    /// Nodes where an open decision may still end: indices into the diagram's nodes.
    pub possible: &'a [usize],
    /// How often each part was passed.
    pub counts: Option<&'a Counts>,
    /// Where a click on a node leads: the node's id comes behind it. None: a picture by itself, with its own colours.
    pub link: Option<&'a str>,
}

/// Colours of a picture by itself, light and dark.
const STYLES: &str = "\
.chart{font:14px system-ui,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu Sans\",sans-serif;background:#fff}\
.chart .ground{fill:#fff}.chart text{fill:#1f1e24;text-anchor:middle}\
.chart .outline{fill:#ececef;stroke:#737278;stroke-width:1}\
.chart .group .outline{fill:none;stroke-dasharray:4 4}\
.chart .link{fill:none;stroke:#626168;stroke-width:1.5}.chart .dotted{stroke-dasharray:3 3}.chart .thick{stroke-width:3}\
.chart .invisible{stroke:none}.chart #tip path{fill:#626168}.chart #tip-lit path{fill:#9e4a00}\
.chart .on-link{paint-order:stroke;stroke:#fff;stroke-width:6px;stroke-linejoin:round}\
.chart .lit .outline{fill:#fca326;stroke:#9e4a00;stroke-width:2.5}.chart .lit text{font-weight:600}\
.chart .possible .outline{stroke:#9e4a00;stroke-width:2.5;stroke-dasharray:7 4}\
.chart .link.lit{stroke:#9e4a00;stroke-width:3.5}.chart .on-link.lit{font-weight:700}\
@media (prefers-color-scheme:dark){.chart{background:#18171d}.chart .ground{fill:#18171d}.chart text{fill:#ececef}\
.chart .outline{fill:#36353d;stroke:#89888d}.chart .link{stroke:#a4a3a8}.chart #tip path{fill:#a4a3a8}\
.chart #tip-lit path{fill:#f5b95c}.chart .on-link{stroke:#18171d}\
.chart .lit .outline{fill:#c17d10;stroke:#f5b95c}.chart .lit text{fill:#141318}\
.chart .possible .outline{stroke:#f5b95c}.chart .link.lit{stroke:#f5b95c}.chart .on-link.lit{fill:#f5b95c}}";

/// Room around the outermost parts, for counts and thick lines.
const MARGIN: f64 = 12.0;

impl Chart {
    /// Lays a flowchart out.
    ///
    /// # Errors
    /// In one sentence, where it cannot be laid out.
    pub fn of(diagram: &Diagram) -> Result<Chart, String> {
        let laid = layout::of(diagram)?;
        let (width, height) = laid.size;
        Ok(Chart { diagram: diagram.clone(), width, height, nodes: laid.nodes, links: laid.links, groups: laid.groups })
    }

    /// Whether a node stands in the right half.
    pub fn is_right_of_the_middle(&self, node: &str) -> bool {
        self.diagram
            .nodes
            .iter()
            .zip(&self.nodes)
            .any(|(known, placed)| known.id == node && placed.x > self.width / 2.0)
    }

    /// Draws it.
    pub fn svg(&self, shown: &Shown<'_>) -> String {
        let (width, height) = (self.width.ceil() + 2.0 * MARGIN, self.height.ceil() + 2.0 * MARGIN);
        let (x, y) = (-MARGIN, -MARGIN);
        let role = if shown.link.is_some() { "group" } else { "img" };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"{x} {y} {width} {height}\" width=\"{width}\" \
             role=\"{role}\" aria-label=\"Flowchart\"><title>Flowchart</title><desc>{}</desc>",
            escape(&self.told(shown)),
        );
        if shown.link.is_none() {
            let _infallible = write!(
                svg,
                "<style>{STYLES}</style><rect class=\"ground\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
            );
        }
        let _infallible = write!(svg, "<defs>{}{}</defs>", marker("tip"), marker("tip-lit"));
        for group in &self.groups {
            let Group { x, y, width, height, title } = group;
            let _infallible = write!(
                svg,
                "<g class=\"group\"><rect class=\"outline\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"4\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
                x + width / 2.0,
                y + 16.0,
                escape(title),
            );
        }
        let mut labels = String::new();
        for (index, (edge, route)) in self.diagram.edges.iter().zip(&self.links).enumerate() {
            self.draw_link(index, edge, route, shown, &mut svg, &mut labels);
        }
        svg.push_str(&labels); // Above every line, so that none strikes one through.
        for index in 0..self.nodes.len() {
            self.draw_node(index, shown, &mut svg);
        }
        svg.push_str("</svg>");
        svg
    }

    /// The picture in words.
    fn told(&self, shown: &Shown<'_>) -> String {
        let text = |id: &String| {
            self.diagram.nodes.iter().find(|node| node.id == *id).map_or(id.clone(), |node| node.text.clone())
        };
        let way = shown.walked.iter().map(text).collect::<Vec<_>>().join(" → ");
        let at = |index: &usize| self.diagram.nodes.get(*index).map(|node| node.text.clone());
        let possible = shown.possible.iter().filter_map(at).collect::<Vec<_>>().join("; ");
        match (way.is_empty(), possible.is_empty()) {
            (true, _) => format!("{} nodes and {} links", self.nodes.len(), self.links.len()),
            (false, true) => format!("The way: {way}"),
            (false, false) => format!("The way so far: {way}. It may still end at: {possible}"),
        }
    }

    fn draw_link(
        &self,
        index: usize,
        edge: &Edge,
        route: &Route,
        shown: &Shown<'_>,
        svg: &mut String,
        labels: &mut String,
    ) {
        let id = |index: usize| self.diagram.nodes.get(index).map(|node| node.id.as_str()).unwrap_or_default();
        let lit = shown.taken.contains(&index);
        let (class, tip) = if lit { (" lit", "tip-lit") } else { ("", "tip") };
        let _infallible = write!(
            svg,
            "<path id=\"link-{}\" class=\"link {}{class}\" d=\"{}\" marker-end=\"url(#{tip})\"/>",
            escape(&edge.id),
            escape(&edge.stroke),
            route.path,
        );
        let between = |other: &&Edge| (other.from, other.to) == (edge.from, edge.to) && other.carries_meaning();
        let counts = shown.counts.filter(|_| self.diagram.edges.iter().filter(between).count() == 1);
        let key = (id(edge.from).to_owned(), id(edge.to).to_owned());
        let count = counts.map(|counts| counts.links.get(&key).copied().unwrap_or_default());
        let words = match (&edge.label, count) {
            (Some(label), Some(count)) => format!("{label} · {}", grouped(count)),
            (Some(label), None) => label.clone(),
            (None, Some(count)) => grouped(count),
            (None, None) => return,
        };
        let (x, y) = route.middle;
        let _infallible = write!(
            labels,
            "<text class=\"on-link{class}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            y + 5.0,
            escape(&words)
        );
    }

    fn draw_node(&self, index: usize, shown: &Shown<'_>, svg: &mut String) {
        let (Some(node), Some(placed)) = (self.diagram.nodes.get(index), self.nodes.get(index)) else { return };
        let lit = shown.walked.contains(&node.id);
        let possible = !lit && shown.possible.contains(&index);
        let count = shown.counts.map(|counts| counts.nodes.get(&node.id).copied().unwrap_or_default());
        let mut told = node.text.clone();
        if let Some(count) = count {
            told.push_str(&format!(", {} decisions", grouped(count)));
        }
        told.push_str(if lit { ", on the way" } else { "" });
        told.push_str(if possible { ", still possible" } else { "" });
        let class = match (lit, possible) {
            (true, _) => "node lit",
            (false, true) => "node possible",
            (false, false) => "node",
        };
        let (id, told) = (escape(&node.id), escape(&told));
        let open = match shown.link {
            Some(link) => format!(
                "<a id=\"node-{id}\" class=\"{class}\" href=\"{}{}\" aria-label=\"{told}\">",
                escape(link),
                query(&node.id)
            ),
            None => format!("<g id=\"node-{id}\" class=\"{class}\"><title>{told}</title>"),
        };
        let (x, y) = (placed.x, placed.y);
        let _infallible =
            write!(svg, "{open}<g transform=\"translate({x:.1},{y:.1})\">{}{}", placed.outline(), placed.words());
        if let Some(count) = count {
            let text = grouped(count);
            let wide = 8.0 * layout::real(text.len()) + 14.0;
            let (x, y) = (placed.width / 2.0 - wide / 2.0 + 8.0, -placed.height / 2.0);
            let _infallible = write!(
                svg,
                "<g class=\"count\" transform=\"translate({x:.1},{y:.1})\"><rect x=\"{:.1}\" y=\"-10\" width=\"{wide:.1}\" height=\"20\" rx=\"10\"/><text y=\"5\">{text}</text></g>",
                -wide / 2.0
            );
        }
        svg.push_str(if shown.link.is_some() { "</g></a>" } else { "</g></g>" });
    }
}

impl Counts {
    /// Adds decisions that went one way.
    pub fn add(&mut self, nodes: &[String], decisions: u64) {
        for node in nodes {
            *self.nodes.entry(node.clone()).or_default() += decisions;
        }
        for pair in nodes.windows(2) {
            if let [from, to] = pair {
                *self.links.entry((from.clone(), to.clone())).or_default() += decisions;
            }
        }
    }
}

/// Text as a part of a query.
pub fn query(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// A count with a thin mark between thousands.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn marker(id: &str) -> String {
    format!(
        "<marker id=\"{id}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerUnits=\"userSpaceOnUse\" markerWidth=\"11\" markerHeight=\"11\" orient=\"auto\"><path d=\"M 0 0 L 10 5 L 0 10 z\"/></marker>"
    )
}
