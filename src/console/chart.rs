//! The flowchart as part of a page.
//!
//! It is laid out by the picture's library and drawn anew without styles of its own, so that it follows the page's
//! colours, its nodes can be reached by keyboard, and a strict content policy holds.

use std::collections::BTreeMap;
use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use roxmltree::{Document, Node};

use crate::decide::note::markup::escape;
use crate::decide::policy::Policy;
use crate::decide::policy::diagram::Diagram;
use crate::decide::policy::drawing;
use crate::decide::policy::fault::Fault;
use crate::learn::report::text::{grouped, many};

/// A flowchart with the place of every part.
#[derive(Debug, Clone)]
pub struct Chart {
    diagram: Diagram,
    width: f64,
    height: f64,
    nodes: Vec<Shape>,
    links: Vec<Link>,
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

#[derive(Debug, Clone)]
struct Shape {
    id: String,
    at: (f64, f64),
    /// Half of its width and height.
    half: (f64, f64),
    /// The element that draws it.
    outline: String,
    label: (f64, f64),
}

#[derive(Debug, Clone)]
struct Link {
    id: String,
    path: String,
    at: (f64, f64),
    label_at: Option<(f64, f64)>,
}

#[derive(Debug, Clone)]
struct Group {
    at: (f64, f64),
    outline: String,
    title: String,
    title_at: (f64, f64),
}

/// What sets a part of a chart apart from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// An end that some answer could still lead to.
    Possible,
    /// It is new.
    Added,
    /// It is not there any more.
    Gone,
    /// It says or means something else.
    Changed,
}

impl Mark {
    fn class(self) -> &'static str {
        match self {
            Mark::Possible => "possible",
            Mark::Added => "new",
            Mark::Gone => "gone",
            Mark::Changed => "other",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Mark::Possible => "still possible",
            Mark::Added => "new",
            Mark::Gone => "gone",
            Mark::Changed => "changed",
        }
    }
}

/// Marks on nodes and links, by id and by ids.
#[derive(Debug, Clone, Default)]
pub struct Marks {
    /// By node.
    pub nodes: BTreeMap<String, Mark>,
    /// By the nodes a link leads from and to, and its label.
    pub links: BTreeMap<(String, String, String), Mark>,
}

/// What is shown on a chart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// Nodes on the way, in order; they and the links between them are lit.
    pub walked: &'a [String],
    /// How often each part was passed.
    pub counts: Option<&'a Counts>,
    /// Where a click on a node leads: the node's id comes behind it.
    pub link: &'a str,
    /// What is marked.
    pub marks: Option<&'a Marks>,
    /// What comes before the ids of its parts, where a page has two charts.
    pub prefix: &'a str,
}

impl Chart {
    /// Lays a policy's flowchart out.
    ///
    /// # Errors
    /// In one sentence, where it cannot be drawn.
    pub fn of(policy: &Policy) -> Result<Chart, String> {
        let told = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ");
        let svg = drawing::svg(&policy.mermaid, &[]).map_err(told)?;
        let document = Document::parse(&svg).map_err(|error| format!("the picture cannot be read: {error}"))?;
        let size: Vec<f64> = numbers(document.root_element().attribute("viewBox").unwrap_or_default());
        let (width, height) = match size.as_slice() {
            [_, _, width, height] => (*width, *height),
            _ => return Err("the picture has no size".into()),
        };
        let mut chart = Chart {
            diagram: policy.diagram.clone(),
            width,
            height,
            nodes: Vec::new(),
            links: Vec::new(),
            groups: Vec::new(),
        };
        let mut labels = BTreeMap::new();
        for element in document.descendants() {
            let class = |name: &str| element.attribute("class").unwrap_or_default().split(' ').any(|it| it == name);
            if element.has_tag_name("g") && class("node") {
                chart.nodes.extend(shape(element));
            } else if element.has_tag_name("g") && class("cluster") {
                chart.groups.extend(group(element));
            } else if element.has_tag_name("path") && element.attribute("data-edge").is_some() {
                chart.links.extend(link(element));
            } else if element.has_tag_name("g") && class("edgeLabel") {
                let inner = element.children().find_map(|child| child.attribute("data-id"));
                if let (Some(id), Some(_)) = (inner, element.attribute("transform")) {
                    labels.insert(id.to_owned(), place(element));
                }
            }
        }
        for link in &mut chart.links {
            link.label_at = labels.get(&link.id).copied();
        }
        Ok(chart)
    }

    /// Whether a node stands in the right half.
    pub fn is_right_of_the_middle(&self, node: &str) -> bool {
        self.nodes.iter().any(|shape| shape.id == node && shape.at.0 > self.width / 2.0)
    }

    /// Draws it for a page.
    pub fn svg(&self, shown: &Shown<'_>) -> String {
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"-40 -12 {} {}\" width=\"{}\" role=\"group\" aria-label=\"Flowchart\">\
             <defs>{}{}</defs>",
            self.width.ceil() + 80.0, // Room for counts that reach past the outermost shapes.
            self.height.ceil() + 24.0,
            self.width.ceil() + 80.0,
            marker(shown.prefix, "tip"),
            marker(shown.prefix, "tip-lit"),
        );
        for group in &self.groups {
            let ((x, y), (title_x, title_y)) = (group.at, group.title_at);
            let title = escape(&group.title);
            let _infallible = write!(
                svg,
                "<g class=\"group\"><g transform=\"translate({x},{y})\">{}</g><text x=\"{title_x}\" y=\"{}\">{title}</text></g>",
                group.outline,
                title_y + 12.0
            );
        }
        let mut labels = String::new();
        for link in &self.links {
            self.draw_link(link, shown, &mut svg, &mut labels);
        }
        svg.push_str(&labels); // Above every line, so that none strikes one through.
        for node in &self.nodes {
            self.draw_node(node, shown, &mut svg);
        }
        svg.push_str("</svg>");
        svg
    }

    fn draw_link(&self, link: &Link, shown: &Shown<'_>, svg: &mut String, labels: &mut String) {
        let Some(edge) = self.diagram.edges.iter().find(|edge| edge.id == link.id) else { return };
        let id = |index: usize| self.diagram.nodes.get(index).map(|node| node.id.as_str()).unwrap_or_default();
        let (from, to) = (id(edge.from), id(edge.to));
        let lit = shown.walked.windows(2).any(|pair| matches!(pair, [one, next] if one == from && next == to));
        let (class, tip) = if lit { ("link lit", "tip-lit") } else { ("link", "tip") };
        let (stroke, prefix) = (escape(&edge.stroke), shown.prefix);
        let label = edge.label.clone().unwrap_or_default();
        let mark = shown.marks.and_then(|marks| marks.links.get(&(from.to_owned(), to.to_owned(), label)));
        let marked = mark.map_or_else(String::new, |mark| format!(" {}", mark.class()));
        let _infallible = write!(
            svg,
            "<path class=\"{class} {stroke}{marked}\" d=\"{}\" marker-end=\"url(#{prefix}{tip})\"/>",
            escape(&link.path)
        );
        let count = shown.counts.map(|counts| counts.links.get(&(from.into(), to.into())).copied().unwrap_or_default());
        let words = match (&edge.label, count) {
            (Some(label), Some(count)) => format!("{label} · {}", grouped(count)),
            (Some(label), None) => label.clone(),
            (None, Some(count)) => grouped(count),
            (None, None) => return,
        };
        let (x, y) = link.label_at.unwrap_or(link.at);
        let class = if lit { "on-link lit" } else { "on-link" };
        let _infallible =
            write!(labels, "<text class=\"{class}\" x=\"{x}\" y=\"{}\">{}</text>", y + 5.0, escape(&words));
    }

    fn draw_node(&self, node: &Shape, shown: &Shown<'_>, svg: &mut String) {
        let words = self.diagram.nodes.iter().find(|known| known.id == node.id).map_or("", |known| known.text.as_str());
        let lit = shown.walked.contains(&node.id);
        let count = shown.counts.map(|counts| counts.nodes.get(&node.id).copied().unwrap_or_default());
        let mut told = String::new(); // What is drawn, for who cannot see it.
        if let Some(count) = count {
            told.push_str(&format!(", {}", many(count, "decision")));
        }
        if lit {
            told.push_str(", on the way");
        }
        let mark = shown.marks.and_then(|marks| marks.nodes.get(&node.id));
        if let Some(mark) = mark {
            told.push_str(&format!(", {}", mark.words()));
        }
        let ((x, y), (width, height)) = (node.at, (node.label.0 + 24.0, node.label.1 + 20.0));
        let _infallible = write!(
            svg,
            "<a class=\"{}{}\" href=\"{}{}\"><g transform=\"translate({x},{y})\">{}\
             <foreignObject x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\"><div class=\"words\">{}<span class=\"unseen\">{}</span></div></foreignObject>",
            if lit { "node lit" } else { "node" },
            mark.map_or_else(String::new, |mark| format!(" {}", mark.class())),
            escape(shown.link),
            query(&node.id),
            node.outline,
            -width / 2.0,
            -height / 2.0,
            escape(words),
            escape(&told),
        );
        if let Some(count) = count {
            let text = grouped(count);
            let wide = 8.0 * f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX)) + 14.0;
            let (x, y) = (node.half.0 - wide / 2.0 + 8.0, -node.half.1);
            let _infallible = write!(
                svg,
                "<g class=\"count\" aria-hidden=\"true\" transform=\"translate({x},{y})\"><rect x=\"{}\" y=\"-10\" width=\"{wide}\" height=\"20\" rx=\"10\"/><text y=\"5\">{text}</text></g>",
                -wide / 2.0
            );
        }
        svg.push_str("</g></a>");
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

fn marker(prefix: &str, kind: &str) -> String {
    format!(
        "<marker id=\"{prefix}{kind}\" class=\"{kind}\" viewBox=\"0 0 10 10\" refX=\"8\" refY=\"5\" markerUnits=\"userSpaceOnUse\" markerWidth=\"11\" markerHeight=\"11\" orient=\"auto\"><path d=\"M 0 0 L 10 5 L 0 10 z\"/></marker>"
    )
}

fn shape(element: Node<'_, '_>) -> Option<Shape> {
    let id = element.attribute("id")?.split_once("flowchart-")?.1.rsplit_once('-')?.0.to_owned();
    let drawn = element
        .descendants()
        .find(|child| child.attribute("class").is_some_and(|it| it.contains("label-container")))?;
    let label = element.descendants().find(|child| child.has_tag_name("foreignObject"));
    let size = |name: &str| label.and_then(|label| label.attribute(name)).and_then(|text| text.parse().ok());
    let label = (size("width").unwrap_or(100.0), size("height").unwrap_or(21.0));
    let half = extent(drawn).unwrap_or((label.0 / 2.0 + 12.0, label.1 / 2.0 + 12.0));
    Some(Shape { id, at: place(element), half, outline: outline(drawn), label })
}

fn group(element: Node<'_, '_>) -> Option<Group> {
    let drawn = element.descendants().find(|child| child.has_tag_name("rect"))?;
    let label =
        element.children().find(|child| child.attribute("class").is_some_and(|it| it.contains("cluster-label")));
    let words: String = label.into_iter().flat_map(|it| it.descendants()).filter_map(|it| it.text()).take(1).collect();
    let title_at = label.map_or_else(|| place(element), place);
    Some(Group { at: place(element), outline: outline(drawn), title: words, title_at })
}

fn link(element: Node<'_, '_>) -> Option<Link> {
    let decoded = STANDARD.decode(element.attribute("data-points")?).ok()?;
    let points: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(&decoded).ok()?;
    let middle = points.get(points.len() / 2)?;
    let number = |name: &str| middle.get(name).and_then(serde_json::Value::as_f64);
    let (x, y) = (number("x")?, number("y")?);
    let (left, top) = element.parent().map(place).unwrap_or_default();
    Some(Link {
        id: element.attribute("data-id")?.to_owned(),
        path: element.attribute("d")?.to_owned(),
        at: (x + left, y + top),
        label_at: None,
    })
}

/// The element that draws a shape, with its geometry alone.
fn outline(element: Node<'_, '_>) -> String {
    const GEOMETRY: [&str; 13] =
        ["x", "y", "width", "height", "rx", "ry", "r", "cx", "cy", "points", "d", "transform", "viewBox"];
    let name = element.tag_name().name();
    if name == "g" {
        return element.children().filter(Node::is_element).map(outline).collect();
    }
    let attributes = element.attributes().filter(|it| GEOMETRY.contains(&it.name()));
    let attributes: String = attributes.map(|it| format!(" {}=\"{}\"", it.name(), escape(it.value()))).collect();
    format!("<{} class=\"outline\"{attributes}/>", escape(name))
}

/// Half of a shape's width and height.
fn extent(element: Node<'_, '_>) -> Option<(f64, f64)> {
    let number = |name: &str| element.attribute(name).and_then(|text| text.parse::<f64>().ok());
    if let (Some(width), Some(height)) = (number("width"), number("height")) {
        return Some((width / 2.0, height / 2.0));
    }
    if let Some(radius) = number("r") {
        return Some((radius, radius));
    }
    let points = numbers(element.attribute("points")?);
    let span = |from: usize| {
        let along = || points.iter().skip(from).step_by(2).copied();
        along().fold(f64::MIN, f64::max) - along().fold(f64::MAX, f64::min)
    };
    Some((span(0) / 4.0, span(1) / 4.0)) // The middle of a slanted side.
}

/// Where an element stands: its own translation and those of all it is in.
fn place(element: Node<'_, '_>) -> (f64, f64) {
    let shifts = element.ancestors().filter_map(|it| it.attribute("transform")).map(numbers);
    shifts.fold((0.0, 0.0), |(x, y), shift| match shift.as_slice() {
        [right, down, ..] => (x + right, y + down),
        [right] => (x + right, y),
        [] => (x, y),
    })
}

fn numbers(text: &str) -> Vec<f64> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-' || c == 'e'))
        .filter_map(|part| part.parse().ok())
        .collect()
}
