//! A Mermaid flowchart as a graph, with the place of each part in the text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use merman::diagrams::flowchart::{FlowEdgeMarker, FlowchartModel};
use merman::{Engine, ParseOptions, RenderSemanticModel};
use regex::Regex;
use serde::Serialize;

use super::fault::{Document, Fault};
use super::places::{Places, within};
use super::{page, slips, strict};

/// The most bytes a diagram may have.
const LARGEST: usize = 256 * 1024;

/// How deep groups may be nested, and brackets within a label.
const DEEPEST: usize = 64;

/// What stands for `&lt;` and `&gt;` while a text is read, for the parser decodes them and then takes `<partition>` for a
/// tag: characters for private use, of as many bytes, so that places stay the same.
const LESS: &str = "\u{100000}";
const GREATER: &str = "\u{100001}";

/// What stands for `\*` and `\_` of a Markdown label while its marks are taken away.
const STAR: &str = "\u{100002}";
const UNDERSCORE: &str = "\u{100003}";

/// A flowchart: what it says, apart from how it looks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diagram {
    /// `TD`, `TB`, `BT`, `LR` or `RL`.
    pub direction: String,
    /// In the order of their first mention.
    pub nodes: Vec<Node>,
    /// In the order of the text.
    pub edges: Vec<Edge>,
    /// Groups drawn around nodes; they carry no meaning.
    pub subgraphs: Vec<Subgraph>,
}

/// A node of a flowchart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// Its id, by which a binding names it.
    pub id: String,
    /// Its label as plain text; the id where it has none.
    pub text: String,
    /// Its shape, as Mermaid names it.
    pub shape: String,
    /// Style classes put on it.
    pub classes: Vec<String>,
    /// Bytes of the text where it is defined, else first mentioned.
    #[serde(skip)]
    pub span: Range<usize>,
    /// Bytes of the text where its label stands; its id where it has none.
    #[serde(skip)]
    pub told: Range<usize>,
}

/// A link between two nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Edge {
    /// Its id in the drawing: `L_A_C_0`.
    pub id: String,
    /// Where it starts: an index into [`Diagram::nodes`].
    pub from: usize,
    /// Where it ends: an index into [`Diagram::nodes`].
    pub to: usize,
    /// The text on it.
    pub label: Option<String>,
    /// `normal`, `thick`, `dotted` or `invisible`.
    pub stroke: String,
    /// Which ways it points.
    pub points: Points,
    /// Bytes of the text to point at when speaking of it.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// Which ways a link points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Points {
    /// From its start to its end: `-->`.
    Forward,
    /// Both ways: `<-->`.
    Both,
    /// A line alone: `---`.
    Nowhere,
    /// A line that ends in a circle: `--o`.
    Circle,
    /// A line that ends in a cross: `--x`.
    Cross,
}

/// A group drawn around nodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subgraph {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The direction within it, where it has one of its own.
    pub direction: Option<String>,
    /// Ids of the nodes and subgraphs in it.
    pub members: Vec<String>,
}

impl Diagram {
    /// Reads a Mermaid flowchart, by the grammar of Mermaid 11.
    ///
    /// # Errors
    /// Every fault found, each pointing at its place in `text`; nothing is silently dropped.
    pub fn parse(text: &str) -> Result<Diagram, Vec<Fault>> {
        let text = &*page::flowchart(text)?;
        let fault = |span: Range<usize>, message: String, help: &str| {
            vec![Fault { document: Document::Diagram, span: within(text, span), message, help: Some(help.to_owned()) }]
        };
        if text.len() > LARGEST {
            let message = format!("the diagram has {} bytes, and {LARGEST} is the limit", text.len());
            return Err(fault(0..0, message, "keep the rule in one diagram a person can read"));
        }
        if let Some(place) = too_deep(text) {
            let message = format!("groups or brackets are nested more than {DEEPEST} deep here");
            return Err(fault(place..place + 1, message, "flatten it"));
        }
        let strange: Vec<Fault> = slips::strange(text).into_iter().chain(strict::refused(text)).collect();
        if !strange.is_empty() {
            return Err(strange);
        }
        let kept = text.replace("&lt;", LESS).replace("&gt;", GREATER);
        let parsed = match Engine::new().parse_diagram_for_render_model_sync(&kept, ParseOptions::strict()) {
            Ok(Some(parsed)) => parsed,
            Ok(None) => return Err(fault(0..0, "there is no diagram here".into(), "begin with `flowchart TD`")),
            Err(merman::Error::DiagramParse { diagnostic, .. }) => {
                let span = diagnostic.span().map(|span| within(text, span.start..span.end));
                return Err(slips::told(text, span, diagnostic.message()));
            }
            Err(merman::Error::DetectType(_) | merman::Error::UnsupportedDiagram { .. }) => {
                return Err(fault(
                    first_line(text),
                    "this is no flowchart".into(),
                    "begin with `flowchart TD` or `graph TD`",
                ));
            }
            Err(other) => return Err(fault(0..0, sentence(&other.to_string()), "mend the front matter or directive")),
        };
        let RenderSemanticModel::Flowchart(model) = parsed.model() else {
            return Err(fault(
                first_line(text),
                "this is no flowchart".into(),
                "begin with `flowchart TD` or `graph TD`",
            ));
        };
        Diagram::from_model(model, text)
    }

    fn from_model(model: &FlowchartModel, text: &str) -> Result<Diagram, Vec<Fault>> {
        let drawn: Vec<_> = model.nodes.iter().filter(|node| !node.is_subgraph_anchor()).collect();
        let ids: Vec<&str> = drawn.iter().map(|node| node.id.as_str()).collect();
        let groups = model.subgraphs.iter().map(|group| group.id.as_str());
        let mut places = Places::find(text, &ids.iter().copied().chain(groups).collect::<Vec<_>>());
        let mut faults = places.contradictions();
        let nodes: Vec<Node> = drawn
            .iter()
            .map(|node| Node {
                id: node.id.clone(),
                text: node
                    .label
                    .as_deref()
                    .map(|label| worded(label, node.label_type.as_deref()))
                    .filter(|label| !label.is_empty())
                    .unwrap_or_else(|| node.id.clone()),
                shape: node.layout_shape.clone().or_else(|| node.shape.clone()).unwrap_or_else(|| "rect".into()),
                // A link that can be clicked is looks, and Mermaid marks it with a class of its own.
                classes: node.classes.iter().filter(|class| *class != "clickable").cloned().collect(),
                span: within(text, places.node(&node.id)),
                told: within(text, places.label(&node.id)),
            })
            .collect();
        let index: HashMap<&str, usize> = ids.iter().copied().zip(0..).collect();
        let mut edges = Vec::new();
        for edge in &model.edges {
            let span = within(text, places.edge(&edge.from, &edge.to));
            let end = |id: &str| index.get(id).copied();
            let (Some(from), Some(to)) = (end(&edge.from), end(&edge.to)) else {
                faults.push(Fault {
                    document: Document::Diagram,
                    span,
                    message: format!("the link from `{}` to `{}` ends at a group", edge.from, edge.to),
                    help: Some("a walk goes from node to node; link to one in the group".into()),
                });
                continue;
            };
            let stroke = edge.stroke.clone().unwrap_or_else(|| "normal".into());
            let label = edge.label.as_deref().map(|label| worded(label, edge.label_type.as_deref()));
            let label = label.filter(|label| !label.is_empty());
            let points = match (edge.start_marker, edge.end_marker) {
                (FlowEdgeMarker::Point, FlowEdgeMarker::Point) => Points::Both,
                (_, FlowEdgeMarker::Point) => Points::Forward,
                (_, FlowEdgeMarker::None) => Points::Nowhere,
                (_, FlowEdgeMarker::Circle) => Points::Circle,
                (_, FlowEdgeMarker::Cross) => Points::Cross,
            };
            edges.push(Edge { id: edge.id.clone(), from, to, label, stroke, points, span });
        }
        if nodes.is_empty() && faults.is_empty() {
            let message = "the flowchart has no nodes".into();
            faults.push(Fault {
                document: Document::Diagram,
                span: first_line(text),
                message,
                help: Some("draw one: A[Start] --> B[End]".into()),
            });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let subgraphs = model.subgraphs.iter().map(|group| Subgraph {
            id: group.id.clone(),
            title: plain(&group.title),
            direction: group.dir.clone(),
            members: group.nodes.clone(),
        });
        let direction = model.direction.clone().unwrap_or_else(|| "TB".into());
        Ok(Diagram { direction, nodes, edges, subgraphs: subgraphs.collect() })
    }

    /// The flowchart as text: each node with its exits below it.
    pub fn to_text(&self) -> String {
        let mut text = format!("flowchart {}\n", self.direction);
        for (index, node) in self.nodes.iter().enumerate() {
            let shape = if is_plain(&node.shape) { String::new() } else { format!(" ({})", node.shape) };
            text.push_str(&format!("\n{}{shape}  {}\n", node.id, node.text));
            let exits: Vec<&Edge> = self.edges.iter().filter(|edge| edge.from == index).collect();
            for (place, edge) in exits.iter().enumerate() {
                let branch = if place + 1 == exits.len() { "└─" } else { "├─" };
                let label = edge.label.as_ref().map(|label| format!(" {label} ─→")).unwrap_or_else(|| "→".into());
                let to = self.nodes.get(edge.to);
                let (id, words) = to.map(|to| (to.id.as_str(), to.text.as_str())).unwrap_or_default();
                text.push_str(&format!("  {branch}{label} {id}  {words}\n"));
            }
        }
        for group in &self.subgraphs {
            text.push_str(&format!("\ngroup {}  {}: {}\n", group.id, group.title, group.members.join(", ")));
        }
        text
    }
}

impl Edge {
    /// Whether a walk can follow it: an invisible link only lays nodes out.
    pub fn carries_meaning(&self) -> bool {
        self.stroke != "invisible"
    }
}

fn is_plain(shape: &str) -> bool {
    ["rect", "square", "squareRect"].contains(&shape)
}

/// A label as it is read: of Markdown without its marks.
fn worded(label: &str, kind: Option<&str>) -> String {
    match kind {
        Some("markdown") => plain(&without_emphasis(label)),
        _ => plain(label),
    }
}

/// Elements that a label may be written with.
const ELEMENTS: [&str; 22] = [
    "a", "b", "br", "code", "center", "div", "em", "font", "h1", "h2", "h3", "hr", "i", "img", "li", "p", "small",
    "span", "strong", "sub", "sup", "u",
];

/// Those of them that stand apart from what is beside them, as words do.
const APART: [&str; 9] = ["br", "center", "div", "h1", "h2", "h3", "hr", "li", "p"];

/// An icon, which is drawn and is no text: `fa:fa-car`.
static ICON: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"fa[bklrs]?:fa-[\w-]+").ok());

/// A label as plain text: markup and entities resolved, white space in one piece.
fn plain(label: &str) -> String {
    let label = label.replace("\\n", " ");
    let label = ICON.as_ref().map_or(Cow::Borrowed(label.as_str()), |icon| icon.replace_all(&label, ""));
    let mut text = String::with_capacity(label.len());
    let mut rest = &*label;
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        text.push_str(before);
        let close = tag.find('>').unwrap_or(0);
        match element(tag.get(1..close).unwrap_or_default()) {
            Some(element) => {
                text.push_str(if APART.contains(&element) { " " } else { "" });
                rest = tag.get(close + 1..).unwrap_or_default();
            }
            None => {
                text.push('<');
                rest = tag.get(1..).unwrap_or_default();
            }
        }
    }
    text.push_str(rest);
    for (entity, character) in [
        (LESS, "<"),
        (GREATER, ">"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text.retain(|character| !character.is_control() || character.is_whitespace());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The element that is opened or closed between `<` and `>`; `<partition>` is text.
fn element(tag: &str) -> Option<&'static str> {
    let name = tag.trim_start_matches('/').trim_end_matches('/').split_whitespace().next()?;
    ELEMENTS.into_iter().find(|element| element.eq_ignore_ascii_case(name))
}

/// Pairs of marks of bold and italics with what stands between; an underscore within a word is no mark.
static EMPHASIS: LazyLock<[Option<Regex>; 4]> = LazyLock::new(|| {
    [
        r"()\*\*([^\s*]|[^\s*].*?[^\s*])\*\*()",
        r"()\*([^\s*]|[^\s*].*?[^\s*])\*()",
        r"(^|[^\w])__([^\s_]|[^\s_].*?[^\s_])__($|[^\w])",
        r"(^|[^\w])_([^\s_]|[^\s_].*?[^\s_])_($|[^\w])",
    ]
    .map(|pattern| Regex::new(pattern).ok())
});

/// A Markdown label without the marks of bold and italics.
fn without_emphasis(label: &str) -> String {
    let mut text = label.replace("\\*", STAR).replace("\\_", UNDERSCORE);
    for pair in EMPHASIS.iter().flatten() {
        while let Cow::Owned(within) = pair.replace(&text, "$1$2$3") {
            text = within;
        }
    }
    text.replace(STAR, "*").replace(UNDERSCORE, "_")
}

/// Where groups or brackets are nested too deep to be read safely.
fn too_deep(text: &str) -> Option<usize> {
    let (mut groups, mut brackets, mut start) = (0_usize, 0_usize, 0);
    for line in text.split_inclusive('\n') {
        let statement = line.trim();
        if statement.starts_with("subgraph") {
            groups += 1;
        } else if statement == "end" {
            groups = groups.saturating_sub(1);
        }
        for (at, character) in line.char_indices() {
            match character {
                '[' | '(' | '{' => brackets += 1,
                ']' | ')' | '}' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            if brackets > DEEPEST || groups > DEEPEST {
                return Some(start + at);
            }
        }
        brackets = 0;
        start += line.len();
    }
    None
}

fn first_line(text: &str) -> Range<usize> {
    0..text.find('\n').unwrap_or(text.len())
}

/// A message of the parser on one line.
fn sentence(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
