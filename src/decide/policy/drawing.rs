//! A flowchart as a picture, with a walked path lit.

use std::fmt::Write;

use merman::{OperationControl, RenderOutput, RenderRequest, Renderer, SvgRequest};

use super::diagram::Diagram;
use super::fault::{Document, Fault};
use super::page;

/// Draws a Mermaid flowchart as SVG, the nodes `walked` and the links between them lit.
///
/// The picture refers to nothing outside and runs nothing; its styles are within it.
///
/// # Errors
/// What [`Diagram::parse`] finds, or a fault where it can be read and not drawn.
pub fn svg(text: &str, walked: &[String]) -> Result<String, Vec<Fault>> {
    let text = &*page::flowchart(text)?;
    let diagram = Diagram::parse(text)?;
    let fault = |message: String| vec![Fault { document: Document::Diagram, span: 0..0, message, help: None }];
    let request = RenderRequest::svg(text, OperationControl::new(), SvgRequest::default());
    let drawn = match Renderer::new().render(request) {
        Ok(RenderOutput::Svg(Some(drawn))) => drawn,
        Ok(_) => return Err(fault("there is no diagram here".into())),
        Err(error) => return Err(fault(format!("the flowchart cannot be drawn: {error}"))),
    };
    let svg = drawn.svg();
    let lit = lit(svg, &diagram, walked);
    match svg.rfind("</svg>") {
        Some(end) if !lit.is_empty() => {
            let (picture, close) = svg.split_at(end);
            Ok(format!("{picture}<style>{lit}</style>{close}"))
        }
        _ => Ok(svg.to_owned()),
    }
}

/// The id that a node has in a drawing, `…-flowchart-A-0`; the id `ok` is not taken for `ok-later`.
fn drawn_id<'a>(svg: &'a str, node: &str) -> Option<&'a str> {
    let part = format!("flowchart-{node}-");
    svg.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).find(|id| {
        let number = id.rfind(&part).and_then(|at| id.get(at + part.len()..));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// The styles that light a path. Nodes and links are found by their ids in the drawing.
fn lit(svg: &str, diagram: &Diagram, walked: &[String]) -> String {
    let mut styles = String::new();
    let on = |index: usize| diagram.nodes.get(index).is_some_and(|node| walked.contains(&node.id));
    for node in diagram.nodes.iter().filter(|node| walked.contains(&node.id)) {
        let Some(id) = drawn_id(svg, &node.id).map(selector) else { continue };
        let _infallible = write!(
            styles,
            "g.node[id=\"{id}\"] :is(rect,polygon,circle,ellipse,path){{fill:#fc6d26 !important;stroke:#a63a00 !important;stroke-width:3px !important}}\
             g.node[id=\"{id}\"] :is(.nodeLabel,.nodeLabel p,span,text,tspan){{color:#1f1e24 !important;fill:#1f1e24 !important}}"
        );
    }
    for edge in diagram.edges.iter().filter(|edge| {
        edge.carries_meaning() && on(edge.from) && on(edge.to) && follows(diagram, walked, edge.from, edge.to)
    }) {
        let id = selector(&edge.id);
        let _infallible =
            write!(styles, "path[data-id=\"{id}\"]{{stroke:#a63a00 !important;stroke-width:4px !important}}");
    }
    styles
}

/// Whether one node comes right after the other on the path.
fn follows(diagram: &Diagram, walked: &[String], from: usize, to: usize) -> bool {
    let id = |index: usize| diagram.nodes.get(index).map(|node| node.id.as_str());
    walked
        .windows(2)
        .any(|pair| matches!(pair, [one, next] if Some(one.as_str()) == id(from) && Some(next.as_str()) == id(to)))
}

/// An id as it stands within quotes of a style; what could end them or the element is left out.
fn selector(id: &str) -> String {
    id.chars().filter(|character| !matches!(character, '"' | '\\' | '<' | '>' | '{' | '}' | '\n')).collect()
}
