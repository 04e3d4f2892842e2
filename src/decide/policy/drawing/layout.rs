//! Where nodes, links and groups of a flowchart stand: dagre's layers, as Mermaid lays them out.

use std::collections::HashMap;
use std::fmt::Write;

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, RankDir};

use super::letters::{LINE, width, wrapped};
use super::shape::Shape;
use crate::decide::note::markup::escape;
use crate::decide::policy::diagram::{Diagram, Node};

/// The widest line of words in a node, pixels.
const WIDEST: f64 = 190.0;

/// Everything with its place; nodes and links in the diagram's order.
pub(super) struct Laid {
    pub size: (f64, f64),
    pub nodes: Vec<Placed>,
    pub links: Vec<Route>,
    pub groups: Vec<Group>,
}

/// A node with its middle and its size.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    shape: Shape,
    lines: Vec<String>,
}

/// A link's line, and the middle of its label, which lies on the line.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub path: String,
    pub middle: (f64, f64),
}

/// A group's corner, size and title.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    pub title: String,
}

/// Lays a flowchart out.
pub(super) fn of(diagram: &Diagram) -> Result<Laid, String> {
    let mut nodes: Vec<Placed> = diagram.nodes.iter().map(Placed::unplaced).collect();
    let compound = !diagram.subgraphs.is_empty();
    let mut graph: Graph<NodeLabel, EdgeLabel, GraphLabel> =
        Graph::new(GraphOptions { multigraph: true, compound, directed: true });
    let rankdir = match diagram.direction.as_str() {
        "BT" => RankDir::BT,
        "LR" => RankDir::LR,
        "RL" => RankDir::RL,
        _ => RankDir::TB,
    };
    graph.set_graph(GraphLabel {
        rankdir,
        nodesep: 40.0,
        ranksep: 36.0,
        marginx: 4.0,
        marginy: 4.0,
        ..Default::default()
    });
    for (index, node) in nodes.iter().enumerate() {
        graph.set_node(name(index), NodeLabel { width: node.width, height: node.height, ..Default::default() });
    }
    groups_into(diagram, &mut graph);
    for (index, edge) in diagram.edges.iter().enumerate() {
        let label = edge.label.as_deref().map_or((0.0, 0.0), |label| (width(label) + 12.0, LINE + 4.0));
        let label = EdgeLabel { width: label.0, height: label.1, weight: 1.0, ..Default::default() };
        graph.set_edge_named(name(edge.from), name(edge.to), Some(index.to_string()), Some(label));
    }
    dugong::layout(&mut graph).map_err(|error| format!("the flowchart cannot be laid out: {error}"))?;
    for (index, node) in nodes.iter_mut().enumerate() {
        let label = graph.node(&name(index));
        (node.x, node.y) = label.and_then(|label| Some((label.x?, label.y?))).unwrap_or_default();
    }
    let links: Vec<Route> = diagram
        .edges
        .iter()
        .enumerate()
        .map(|(index, edge)| {
            let label = graph.edge(&name(edge.from), &name(edge.to), Some(&index.to_string()));
            let points =
                label.map(|label| label.points.iter().map(|point| (point.x, point.y)).collect()).unwrap_or_default();
            let at = label.and_then(|label| Some((label.x?, label.y?)));
            route(points, at, nodes.get(edge.from), nodes.get(edge.to))
        })
        .collect();
    let groups = diagram.subgraphs.iter().enumerate().filter_map(|(index, group)| {
        let label = graph.node(&group_name(index))?;
        let (x, y) = (label.x?, label.y?);
        let (width, height) = (label.width, label.height);
        Some(Group { x: x - width / 2.0, y: y - height / 2.0, width, height, title: group.title.clone() })
    });
    let groups: Vec<Group> = groups.collect();
    let right =
        nodes.iter().map(|node| node.x + node.width / 2.0).chain(groups.iter().map(|group| group.x + group.width));
    let bottom =
        nodes.iter().map(|node| node.y + node.height / 2.0).chain(groups.iter().map(|group| group.y + group.height));
    let size = graph.graph();
    let size = (right.fold(size.width, f64::max), bottom.fold(size.height, f64::max));
    Ok(Laid { size, nodes, links, groups })
}

/// Puts nodes and groups into the groups they are drawn in; a group that would be in itself stays out.
fn groups_into(diagram: &Diagram, graph: &mut Graph<NodeLabel, EdgeLabel, GraphLabel>) {
    let nodes: HashMap<&str, usize> = diagram.nodes.iter().map(|node| node.id.as_str()).zip(0..).collect();
    let groups: HashMap<&str, usize> = diagram.subgraphs.iter().map(|group| group.id.as_str()).zip(0..).collect();
    let mut parents: HashMap<String, String> = HashMap::new();
    for (index, group) in diagram.subgraphs.iter().enumerate().filter(|(_, group)| !group.members.is_empty()) {
        graph.set_node(group_name(index), NodeLabel::default());
        for member in &group.members {
            let child = nodes
                .get(member.as_str())
                .map(|node| name(*node))
                .or(groups.get(member.as_str()).map(|group| group_name(*group)));
            let Some(child) = child.filter(|child| !parents.contains_key(child)) else { continue };
            let mut above = Some(group_name(index));
            while let Some(parent) = above.filter(|parent| *parent != child) {
                above = parents.get(&parent).cloned();
                if above.is_none() {
                    graph.set_parent(child.clone(), group_name(index));
                    parents.insert(child.clone(), group_name(index));
                }
            }
        }
    }
}

fn name(node: usize) -> String {
    format!("n{node}")
}

fn group_name(group: usize) -> String {
    format!("g{group}")
}

/// A count as a number of pixels.
pub(super) fn real(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl Placed {
    fn unplaced(node: &Node) -> Placed {
        let shape = Shape::named(&node.shape);
        let lines = wrapped(&node.text, WIDEST);
        let wide = lines.iter().map(|line| width(line)).fold(0.0, f64::max);
        let (width, height) = shape.around((wide, LINE * real(lines.len())));
        Placed { x: 0.0, y: 0.0, width, height, shape, lines }
    }

    /// The element that draws the outline, around the origin.
    pub(super) fn outline(&self) -> String {
        self.shape.outline(self.width, self.height)
    }

    /// The words, around the origin.
    pub(super) fn words(&self) -> String {
        let first = 5.0 - LINE * (real(self.lines.len()) - 1.0) / 2.0;
        let mut text = String::from("<text class=\"words\">");
        for (place, line) in self.lines.iter().enumerate() {
            let space = if place > 0 { " " } else { "" }; // Read and copied, lines are words apart.
            let _infallible =
                write!(text, "{space}<tspan x=\"0\" y=\"{:.1}\">{}</tspan>", first + LINE * real(place), escape(line));
        }
        text + "</text>"
    }
}

/// A smooth line through dagre's points, from outline to outline.
fn route(mut points: Vec<(f64, f64)>, label: Option<(f64, f64)>, from: Option<&Placed>, to: Option<&Placed>) -> Route {
    let meets = |node: &Placed, towards: (f64, f64)| {
        let (dx, dy) = node.shape.border((node.width, node.height), (towards.0 - node.x, towards.1 - node.y));
        (node.x + dx, node.y + dy)
    };
    let count = points.len();
    if let (Some(from), Some(next)) = (from, points.get(1).copied())
        && let Some(first) = points.first_mut()
    {
        *first = meets(from, next);
    }
    if let (Some(to), Some(before)) = (to, count.checked_sub(2).and_then(|place| points.get(place).copied()))
        && let Some(last) = points.last_mut()
    {
        *last = meets(to, before);
    }
    let drawn = smooth(&points);
    let mut path = String::new();
    for (place, (x, y)) in drawn.iter().enumerate() {
        let _infallible = write!(path, "{}{x:.1},{y:.1}", if place == 0 { "M" } else { "L" });
    }
    let far = |at: (f64, f64), (x, y): (f64, f64)| (at.0 - x).powi(2) + (at.1 - y).powi(2);
    let at = label.or(points.get(count / 2).copied()).unwrap_or_default();
    let middle = drawn.into_iter().min_by(|one, other| far(at, *one).total_cmp(&far(at, *other))).unwrap_or(at);
    Route { path, middle }
}

/// Points along the uniform cubic B-spline of some points, which begins and ends at the first and the last.
fn smooth(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    const STEPS: usize = 8;
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() < 3 {
        return points.to_vec();
    }
    let padded: Vec<(f64, f64)> =
        [first, first].into_iter().chain(points.iter().copied()).chain([last, last]).collect();
    let mut drawn = Vec::new();
    for window in padded.windows(4) {
        let [a, b, c, d] = window else { continue };
        for step in 0..STEPS {
            let t = real(step) / real(STEPS);
            let weights = [
                (1.0 - t).powi(3) / 6.0,
                (3.0 * t.powi(3) - 6.0 * t * t + 4.0) / 6.0,
                (-3.0 * t.powi(3) + 3.0 * t * t + 3.0 * t + 1.0) / 6.0,
                t.powi(3) / 6.0,
            ];
            let sum = |of: fn(&(f64, f64)) -> f64| {
                weights.iter().zip([a, b, c, d]).map(|(weight, point)| weight * of(point)).sum::<f64>()
            };
            drawn.push((sum(|point| point.0), sum(|point| point.1)));
        }
    }
    drawn.push(last);
    drawn
}
