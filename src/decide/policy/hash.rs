//! The content hash of a policy.

use sha2::{Digest, Sha256};

use super::diagram::Diagram;
use crate::decide::reader::example::Example;

/// A hash over what diagram, binding and examples say: comments, spacing, order of statements, colours and the binding's file
/// name for the diagram make no difference.
pub(super) fn content(diagram: &Diagram, binding: &str, examples: &[Example]) -> String {
    let id = |index: usize| diagram.nodes.get(index).map(|node| node.id.as_str()).unwrap_or_default();
    let mut lines: Vec<String> =
        diagram.nodes.iter().map(|node| format!("node {:?} {:?}", node.id, node.text)).collect();
    lines.extend(
        diagram
            .edges
            .iter()
            .filter(|edge| edge.carries_meaning())
            .map(|edge| format!("edge {:?} {:?} {:?}", id(edge.from), id(edge.to), edge.label)),
    );
    lines.sort();
    let mut table: toml::Table = toml::from_str(binding).unwrap_or_default();
    table.remove("diagram");
    let mut hasher = Sha256::new();
    hasher.update(lines.join("\n"));
    hasher.update("\n\n");
    hasher.update(toml::to_string(&table).unwrap_or_default());
    let mut listed: Vec<String> = examples.iter().map(|example| format!("\n{example:?}")).collect();
    listed.sort();
    listed.iter().for_each(|example| hasher.update(example));
    let digest = hasher.finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
