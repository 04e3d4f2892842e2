//! Where nodes and links stand in a Mermaid text, for faults to point at; the parser's model does not say.

use std::collections::BTreeMap;
use std::ops::Range;

use super::fault::{Document, Fault};

/// Where nodes and links stand.
pub(super) struct Places {
    /// Mentions of nodes in the order of the text.
    mentions: Vec<Mention>,
    /// How many mentions earlier links have used up.
    used: BTreeMap<(String, String), usize>,
}

struct Mention {
    id: String,
    span: Range<usize>,
    /// Which statement it stands in.
    statement: usize,
    /// The label it gives the node, with its brackets.
    label: Option<String>,
}

/// Statements that speak of looks and groups, not of nodes and links.
const ASIDE: [&str; 12] = [
    "graph",
    "flowchart",
    "flowchart-elk",
    "subgraph",
    "end",
    "direction",
    "classDef",
    "class",
    "style",
    "linkStyle",
    "click",
    "accTitle",
];

impl Places {
    /// Finds every mention of the nodes `ids` in `text`.
    pub(super) fn find(text: &str, ids: &[&str]) -> Places {
        let mut mentions = Vec::new();
        for (number, statement) in statements(text).into_iter().enumerate() {
            let mut at = statement.start;
            while at < statement.end {
                let rest = text.get(at..statement.end).unwrap_or_default();
                let Some(first) = rest.chars().next() else { break };
                if let Some(close) = ['|', '"'].iter().find(|&&quote| quote == first) {
                    at += rest.get(1..).and_then(|rest| rest.find(*close)).map_or(rest.len(), |end| end + 2);
                    continue;
                }
                let Some(id) = ids.iter().filter(|id| stands_here(text, at, id)).max_by_key(|id| id.len()) else {
                    at += word(rest).max(first.len_utf8());
                    continue;
                };
                let end = at + id.len();
                let label = label(text.get(end..statement.end).unwrap_or_default());
                mentions.push(Mention {
                    id: (*id).to_owned(),
                    span: at..end,
                    statement: number,
                    label: label.map(str::to_owned),
                });
                at = end + label.map_or(0, str::len);
            }
        }
        Places { mentions, used: BTreeMap::new() }
    }

    /// Where a node is defined, else first mentioned.
    pub(super) fn node(&self, id: &str) -> Range<usize> {
        let mut own = self.mentions.iter().filter(|mention| mention.id == id).peekable();
        let first = own.peek().map(|mention| mention.span.clone());
        own.find(|mention| mention.label.is_some()).map(|mention| mention.span.clone()).or(first).unwrap_or(0..0)
    }

    /// Where a node's label stands, with its brackets; its id where it has none.
    pub(super) fn label(&self, id: &str) -> Range<usize> {
        let mut own = self.mentions.iter().filter(|mention| mention.id == id);
        let labelled = own.find_map(|mention| Some((mention.span.end, mention.label.as_ref()?.len())));
        labelled.map_or_else(|| self.node(id), |(end, length)| end..end + length)
    }

    /// Where the next link between two nodes is drawn.
    pub(super) fn edge(&mut self, from: &str, to: &str) -> Range<usize> {
        let drawn: Vec<Range<usize>> =
            self.mentions
                .iter()
                .filter(|mention| mention.id == from)
                .filter_map(|start| {
                    let end = self.mentions.iter().find(|end| {
                        end.id == to && end.statement == start.statement && end.span.start >= start.span.end
                    })?;
                    Some(start.span.start..end.span.end)
                })
                .collect();
        let used = self.used.entry((from.to_owned(), to.to_owned())).or_default();
        let place = drawn.get(*used).or(drawn.last()).cloned();
        *used += 1;
        place.unwrap_or_else(|| self.node(from))
    }

    /// Nodes that are given two different labels: the later one would silently win.
    pub(super) fn contradictions(&self) -> Vec<Fault> {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        let mut faults = Vec::new();
        for mention in &self.mentions {
            let Some(label) = mention.label.as_deref().filter(|label| !label.starts_with('@')) else { continue };
            match first.get(mention.id.as_str()) {
                Some(before) if *before != label => faults.push(Fault {
                    document: Document::Diagram,
                    span: mention.span.clone(),
                    message: format!("`{}` is defined a second time, as {label} after {before}", mention.id),
                    help: Some("give it one text, or another id".into()),
                }),
                Some(_) => {}
                None => {
                    first.insert(&mention.id, label);
                }
            }
        }
        faults
    }
}

/// The statements that speak of nodes and links: lines or their parts between semicolons, comments and front matter left out.
fn statements(text: &str) -> Vec<Range<usize>> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut front_matter = text.trim_start_matches('\u{feff}').trim_start().starts_with("---");
    let mut fences = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start_matches('\u{feff}').trim();
        if front_matter {
            fences += usize::from(trimmed == "---");
            front_matter = fences < 2;
        } else if !trimmed.starts_with("%%") {
            let mut from = start;
            for end in breaks(line).into_iter().map(|at| start + at).chain([start + line.len()]) {
                let statement = text.get(from..end).unwrap_or_default();
                let keyword = statement.split_whitespace().next().unwrap_or_default();
                if !ASIDE.contains(&keyword) {
                    statements.push(from..end);
                }
                from = end + 1;
            }
        }
        start += line.len();
    }
    statements
}

/// Semicolons outside of quotes and brackets.
fn breaks(line: &str) -> Vec<usize> {
    let (mut depth, mut quoted, mut breaks) = (0_i32, false, Vec::new());
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            ']' | ')' | '}' if !quoted => depth -= 1,
            ';' if !quoted && depth <= 0 => breaks.push(at),
            _ => {}
        }
    }
    breaks
}

/// Whether the whole word at `at` is this id.
fn stands_here(text: &str, at: usize, id: &str) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    let Some(after) = text.get(at..).and_then(|rest| rest.strip_prefix(id)) else { return false };
    let mut after = after.chars();
    let (next, one_after) = (after.next(), after.next());
    let goes_on = match next {
        Some('-' | '.') => one_after.is_some_and(is_word), // `a-b` goes on, `a-->b` does not.
        Some(next) => is_word(next),
        None => false,
    };
    !goes_on && !before.is_some_and(is_word)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the word a text begins with.
fn word(text: &str) -> usize {
    text.find(|character: char| !is_word(character)).unwrap_or(text.len())
}

/// The label right behind a node's id, with its brackets.
fn label(rest: &str) -> Option<&str> {
    let opening = rest.chars().next().filter(|opening| "[({>@".contains(*opening))?;
    if opening == '@' && !rest.starts_with("@{") {
        return None;
    }
    let (mut depth, mut quoted) = (0_i32, false);
    for (at, character) in rest.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '[' | '(' | '{' if !quoted => depth += 1,
            '>' if at == 0 => depth += 1,
            ']' | ')' | '}' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return rest.get(..at + character.len_utf8());
                }
            }
            _ => {}
        }
    }
    None
}
